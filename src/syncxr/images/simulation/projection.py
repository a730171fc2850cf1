"""Cone-beam projection: path lengths of every material along every ray.

Each slab of the body is a plane to the beam, and a plane seen from a point is a homography, so a
view is one two-dimensional resampling a slab: some forty of them instead of a three-dimensional
one. Rays, rotation, tilt and magnification are exact for the middle plane of every slab. What
thickness leaves out stays below a pixel as long as a slab's half thickness times the ray's slope
does (4 mm × 0.1 for a frontal view).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from syncxr.images.simulation.thorax import Floats

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
    # Beam frame: +y runs from source to detector, u to the right of a viewer who looks along it.
    # An AP film is seen from behind the detector, so that the patient's left stays on the right.
    side = -1.0 if pose.view == "AP" else 1.0
    shift = np.array([side * pose.shift_x, 0.0, pose.shift_z])
    turn = _turn(pose.roll, 1) @ _turn(_FACING[pose.view] + pose.rotation, 2) @ _turn(pose.tilt, 0)
    origin = (np.array([0.0, pose.gap - pose.distance, 0.0]) - shift) @ turn
    middle = (np.array([0.0, pose.gap, 0.0]) - shift) @ turn - origin
    right, up = side * centres, -centres
    direction = np.empty((size, size, 3), np.float32)
    length = np.sqrt(pose.distance**2 + right[None, :] ** 2 + up[:, None] ** 2)
    for axis in range(3):
        along = middle[axis] + right[None, :] * turn[0, axis] + up[:, None] * turn[2, axis]
        direction[..., axis] = along / length
    return Rays(origin.astype(np.float32), direction)


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
        stretch: Place along ``axis`` in the patient over that in the source body; negative in a
            mirrored one. All other numbers are the source's.
    """

    axis: int
    centres: Floats
    thickness: float
    rows: Floats
    columns: Floats
    stretch: float = 1.0

    @property
    def across(self) -> int:
        """The axis that the columns run along."""
        return 1 - self.axis


NODES = 29
"""Nodes a side on which the deformation is worked out; it is smooth over centimetres."""


def intersections(
    slabs: Slabs,
    rays: Rays,
    displace: Displace | None = None,
    nodes: int = NODES,
    device: str | torch.device = "cpu",
) -> tuple[Tensor, Tensor]:
    """Where each ray meets each slab.

    Args:
        slabs: To be crossed, where they lie in the patient: see
            :func:`~syncxr.images.simulation.frame.cross`, which knows him.
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
    lengths = torch.from_numpy(abs(slabs.stretch) * slabs.thickness * np.sqrt(squared)).to(device)
    depth = torch.from_numpy(_depths(slabs, rays))
    start = torch.from_numpy(rays.source[axes])[:, None, None].to(device)
    planes = torch.from_numpy(np.ascontiguousarray(slope[..., axes].transpose(2, 0, 1))).to(device)
    depth = depth.to(device)[:, None, None, None]
    if displace is None:
        where = torch.addcmul(start, depth, planes)
    else:
        moved = _moved(slabs, rays, slope, displace, nodes).to(device)
        # What is the same for all rays of a plane survives the interpolation: added before, it is
        # added to few.
        where = functional.interpolate(
            moved + start, size=along.shape, mode="bilinear", align_corners=True
        )
        where.addcmul_(depth, planes)
    # In memory the columns' plane lies before the rows': that is how it is written and read.
    return where.permute(0, 2, 3, 1), lengths


def _depths(slabs: Slabs, rays: Rays) -> Floats:
    """Where the slabs lie in the patient, mm from the source along their axis, (K,)."""
    depths: Floats = (slabs.stretch * slabs.centres - rays.source[slabs.axis]).astype(np.float32)
    return depths


def _moved(slabs: Slabs, rays: Rays, slope: Floats, displace: Displace, nodes: int) -> Tensor:
    """Displacement at the crossings of a coarse grid of rays: (K, 2, nodes, nodes), mm."""
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
    depth = _depths(slabs, rays)[:, None, None, None]
    points = (rays.source + depth * coarse[None]).astype(np.float32)
    shift = displace(points) - points
    return torch.from_numpy(
        np.ascontiguousarray(shift[..., [slabs.across, 2]].transpose(0, 3, 1, 2), np.float32)
    )


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
