"""Cone-beam projection: path lengths of every material along every ray.

Each slab of the body is a plane to the beam, and a plane seen from a point is a homography, so a
view is one two-dimensional resampling a slab: some forty of them instead of a three-dimensional
one. Rays, rotation, tilt and magnification are exact for the middle plane of every slab. What
thickness leaves out stays below a pixel as long as a slab's half thickness times the ray's slope
does (3 mm × 0.1 for a frontal view).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from syncxr.images.simulation.ct import Floats

Displace = Callable[[Floats], Floats]
"""Points (..., 3) of the patient, (x, y, z) in mm, to where they lie in the source body."""


@dataclass(frozen=True)
class Pose:
    """How the patient stands before the detector.

    Attributes:
        view: ``"PA"``, ``"AP"`` or ``"lateral"`` (patient's left side at the detector).
        rotation: About the head-foot axis, degrees; positive turns the patient's left backwards.
        tilt: About the left-right axis, degrees; positive leans the head backwards.
        roll: In the plane of the detector, degrees.
        shift_x: Of the patient along the detector's columns, mm.
        shift_z: Of the patient along the detector's rows, mm, positive upwards.
        distance: Source to detector, mm (chest standard: 1800 PA, 1000 portable AP).
        gap: Middle of the body to detector, mm.
        field: Height of the square field at the detector, mm.
    """

    view: str = "PA"
    rotation: float = 0.0
    tilt: float = 0.0
    roll: float = 0.0
    shift_x: float = 0.0
    shift_z: float = 0.0
    distance: float = 1800.0
    gap: float = 150.0
    field: float = 340.0

    def to_dict(self) -> dict[str, str | float]:
        """As JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Rays:
    """One ray a pixel, in body coordinates (x, y, z), mm.

    Attributes:
        source: Focal spot, (3,).
        direction: Unit vectors from the source, (H, W, 3).
    """

    source: Floats
    direction: Floats


def _turn(degrees: float, axis: int) -> NDArray[np.float64]:
    """Right-handed rotation about x, y or z."""
    cosine, sine = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    matrix = np.eye(3)
    i, j = [(1, 2), (2, 0), (0, 1)][axis]
    matrix[i, i] = matrix[j, j] = cosine
    matrix[i, j], matrix[j, i] = -sine, sine
    return matrix


_FACING = {"PA": 0.0, "AP": 180.0, "lateral": 90.0}


def cast(pose: Pose, size: int) -> Rays:
    """The rays of a film of ``size`` × ``size`` pixels, row 0 at the patient's head.

    Films read as a radiologist hangs them: the patient's left is on the right of the film, in AP
    views as well; in a lateral view the front of the chest is on the left.
    """
    centres = ((np.arange(size) + 0.5) / size - 0.5) * pose.field
    u, v = np.meshgrid(centres, -centres)
    # Beam frame: +y runs from source to detector, u to the right of a viewer who looks along it.
    target = np.stack([u, np.full_like(u, pose.gap), v], axis=-1)
    source = np.array([0.0, pose.gap - pose.distance, 0.0])
    if pose.view == "AP":
        # Seen from behind the detector, so that the patient's left stays on the right.
        target[..., 0] *= -1
    shift = np.array([pose.shift_x if pose.view != "AP" else -pose.shift_x, 0.0, pose.shift_z])
    turn = _turn(pose.roll, 1) @ _turn(_FACING[pose.view] + pose.rotation, 2) @ _turn(pose.tilt, 0)
    origin = (source - shift) @ turn
    ends = (target - shift) @ turn
    direction = ends - origin
    direction /= np.linalg.norm(direction, axis=-1, keepdims=True)
    return Rays(origin.astype(np.float32), direction.astype(np.float32))


def frontal(pose: Pose) -> Pose:
    """The pose itself, or for a lateral one a plain PA pose."""
    return pose if pose.view != "lateral" else Pose()


def column_of(pose: Pose, points: Floats) -> Floats:
    """Where points (..., 3) of the patient are shown, mm from the film's middle along its columns.

    The inverse of :func:`cast`, for columns.
    """
    mirror = -1.0 if pose.view == "AP" else 1.0
    turn = _turn(pose.roll, 1) @ _turn(_FACING[pose.view] + pose.rotation, 2) @ _turn(pose.tilt, 0)
    placed = points @ turn.T.astype(np.float32)
    x = mirror * placed[..., 0] + pose.shift_x
    column: Floats = x * pose.distance / (placed[..., 1] + pose.distance - pose.gap)
    return column


@dataclass(frozen=True)
class Slabs:
    """A body cut into slabs.

    Attributes:
        axis: Axis that the slabs are stacked along: 1 (y, frontal views) or 0 (x, lateral ones).
        centres: Coordinate of each slab's middle plane, mm, (K,).
        thickness: Of a slab, mm.
        rows: z of the rows, mm, (R,), rising.
        columns: Coordinate of the columns (x or y), mm, (C,), rising.
    """

    axis: int
    centres: Floats
    thickness: float
    rows: Floats
    columns: Floats

    @property
    def across(self) -> int:
        """The axis that the columns run along."""
        return 1 - self.axis


_NODES = 29
"""Nodes a side on which the deformation is worked out; it is smooth over centimetres."""


def intersections(
    slabs: Slabs,
    rays: Rays,
    displace: Displace | None = None,
    nodes: int = _NODES,
    device: str | torch.device = "cpu",
) -> tuple[Tensor, Tensor]:
    """Where each ray meets each slab.

    Args:
        slabs: To be crossed.
        rays: Of the view.
        displace: The patient's deformation.
        nodes: Nodes a side on which it is worked out.
        device: Of the results.

    Returns:
        Columns and rows in source-body millimetres, (K, H, W, 2), and the length of a ray within a
        slab of the patient, mm, (H, W).

    Raises:
        ValueError: A ray runs along the slabs.
    """
    along = rays.direction[..., slabs.axis]
    if float(np.abs(along).min()) < 0.3:
        raise ValueError("rays run along the slabs; stack them along another axis")
    axes = [slabs.across, 2]
    slope = rays.direction / along[..., None]
    squared = slope[..., 0] ** 2 + slope[..., 1] ** 2 + slope[..., 2] ** 2
    lengths = torch.from_numpy(slabs.thickness * np.sqrt(squared).astype(np.float32)).to(device)
    depth = torch.from_numpy((slabs.centres - rays.source[slabs.axis]).astype(np.float32))
    start = torch.from_numpy(rays.source[axes].astype(np.float32)).to(device)
    across = torch.from_numpy(np.ascontiguousarray(slope[..., axes], np.float32)).to(device)
    where = torch.addcmul(start, depth.to(device)[:, None, None, None], across)
    if displace is not None:
        where += _moved(slabs, rays, slope, displace, nodes).to(device)
    return where, lengths


def _moved(slabs: Slabs, rays: Rays, slope: Floats, displace: Displace, nodes: int) -> Tensor:
    """Displacement at every crossing, from a coarse grid of rays: (K, H, W, 2), mm."""
    height, width = slope.shape[:2]
    rows = np.linspace(0, height - 1, nodes)
    columns = np.linspace(0, width - 1, nodes)
    # Slopes are affine in the pixel up to perspective: sampling them at rounded nodes would put
    # the nodes off by half a pixel, so interpolate.
    r0 = np.minimum(rows.astype(int), height - 2)
    c0 = np.minimum(columns.astype(int), width - 2)
    fr, fc = (rows - r0)[:, None, None], (columns - c0)[None, :, None]
    coarse = (
        slope[np.ix_(r0, c0)] * (1 - fr) * (1 - fc)
        + slope[np.ix_(r0 + 1, c0)] * fr * (1 - fc)
        + slope[np.ix_(r0, c0 + 1)] * (1 - fr) * fc
        + slope[np.ix_(r0 + 1, c0 + 1)] * fr * fc
    )
    depth = (slabs.centres - rays.source[slabs.axis])[:, None, None, None]
    points = (rays.source + depth * coarse[None]).astype(np.float32)
    shift = displace(points) - points
    moved = torch.from_numpy(
        np.ascontiguousarray(shift[..., [slabs.across, 2]].transpose(0, 3, 1, 2), np.float32)
    )
    fine = functional.interpolate(moved, size=(height, width), mode="bilinear", align_corners=True)
    return fine.permute(0, 2, 3, 1)


def integrate(slabs: Slabs, channels: Tensor, where: Tensor, lengths: Tensor) -> Tensor:
    """Sum channels along the rays.

    Args:
        slabs: Rows and columns of the channels.
        channels: Amount per unit length, (K, N, R, C); beyond its edge a slab goes on as it ends.
        where: From :func:`intersections`, (K, H, W, 2).
        lengths: From :func:`intersections`, mm, (H, W).

    Returns:
        Line integrals, in the channels' unit times cm, (N, H, W).
    """
    first = torch.tensor([float(slabs.columns[0]), float(slabs.rows[0])])
    last = torch.tensor([float(slabs.columns[-1]), float(slabs.rows[-1])])
    scale = 2.0 / (last - first)
    grid = torch.addcmul((-first * scale - 1.0).to(where.device), where, scale.to(where.device))
    sampled = functional.grid_sample(
        channels, grid, mode="bilinear", padding_mode="border", align_corners=True
    )
    return sampled.sum(0) * (lengths / 10.0)


def integrate_changes(
    slabs: Slabs, volumes: Sequence[Floats], where: Tensor, lengths: Tensor
) -> Tensor:
    """Sum volumes that are nothing in most places, at half the depth's fineness.

    Only the slabs, and only the part of the film, where there is something are looked at; pairs of
    slabs are projected through the plane between them.

    Args:
        slabs: Geometry of the volumes.
        volumes: Amount per unit length, (K, R, C) each.
        where: From :func:`intersections`, (K, H, W, 2).
        lengths: From :func:`intersections`, mm, (H, W).

    Returns:
        Line integrals, in the volumes' unit times cm, (N, H, W).
    """
    total = where.new_zeros((len(volumes), *where.shape[1:3]))
    # Cells with something in them, seen from the side and from the front.
    sides = np.any([volume.any(axis=2) for volume in volumes], axis=0)
    front = np.any([volume.any(axis=(0, 1)) for volume in volumes], axis=0)
    box = [np.flatnonzero(there) for there in (sides.any(axis=1), sides.any(axis=0), front)]
    if not len(box[0]):
        return total
    deep = slice(int(box[0][0]), int(box[0][-1]) + 1)
    rows, columns = _touched(slabs, where[deep], box[1], box[2])
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return total
    stacked = np.stack([volume[deep] for volume in volumes], axis=1)
    channels = torch.from_numpy(stacked).to(where.device)
    paired, between = _paired(channels, where[deep, rows, columns])
    total[:, rows, columns] = integrate(slabs, paired, between, 2.0 * lengths[rows, columns])
    return total


_STRIDE = 4
"""Pixels between those that are looked at to find the part of the film that changed."""


def _touched(
    slabs: Slabs, where: Tensor, rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> tuple[slice, slice]:
    """Part of the film whose rays cross the cells in ``rows`` × ``columns``."""
    seen = where[:, ::_STRIDE, ::_STRIDE]
    margin = 2.0 * (float(slabs.rows[1] - slabs.rows[0]) + float(abs(slabs.thickness)))
    inside = (
        (seen[..., 0] > float(slabs.columns[columns[0]]) - margin)
        & (seen[..., 0] < float(slabs.columns[columns[-1]]) + margin)
        & (seen[..., 1] > float(slabs.rows[rows[0]]) - margin)
        & (seen[..., 1] < float(slabs.rows[rows[-1]]) + margin)
    ).any(0)
    found = []
    for hit, size in ((inside.any(1), where.shape[1]), (inside.any(0), where.shape[2])):
        at = hit.nonzero()
        if not len(at):
            return slice(0, 0), slice(0, 0)
        first, last = int(at[0]) * _STRIDE, int(at[-1]) * _STRIDE
        found.append(slice(max(0, first - _STRIDE), min(size, last + _STRIDE + 1)))
    return found[0], found[1]


def _paired(channels: Tensor, where: Tensor) -> tuple[Tensor, Tensor]:
    """Neighbouring slabs as one; an odd last one at half its weight, for rays twice as long."""
    count = len(channels)
    even = count - count % 2
    paired = 0.5 * (channels[0:even:2] + channels[1:even:2])
    between = 0.5 * (where[0:even:2] + where[1:even:2])
    if count % 2:
        paired = torch.cat([paired, 0.5 * channels[-1:]])
        between = torch.cat([between, where[-1:]])
    return paired, between
