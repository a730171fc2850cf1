"""The patient seen from other sides, in parts and in slices: what a frontal film is not.

Everything comes from the simulator's CT. Most projections here are plain parallel sums at 2 mm:
they teach a judge how a chest looks from a wrong side, which needs none of the renderer's finer
physics; frontal ones of the same making stand among the good films, so that the making itself
gives nothing away. Lateral and oblique films of the renderer itself stand beside them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation

from syncxr.curation.labelled_films.phantoms import Field, to_uint8
from syncxr.images.simulation import ct
from syncxr.images.simulation.anatomy import sample_patient
from syncxr.images.simulation.preparation.raw import RawCT, load_raw
from syncxr.images.simulation.renderer import SimulationRenderer
from syncxr.images.simulation.scene import sample_exposure, sample_pose
from syncxr.images.simulation.views import oblique, project
from syncxr.sample import Image

_TRUNK_MM = 160.0
"""Half width of the body without its arms."""

_MU_WATER, _MU_BONE = 0.019, 0.075
"""Linear attenuation per mm of water and of cortical bone at about 70 keV (NIST XCOM)."""


_VOXEL_MM = 2.0

_STEP = 2
"""Voxels between samples along a ray: interpolation makes every one count."""


@dataclass(frozen=True)
class Pose:
    """How the patient stands in the beam, degrees.

    Attributes:
        yaw: Turn about the long axis; 0 is frontal, ±90 lateral, 180 from behind.
        pitch: Tilt of the beam towards the head.
        roll: Turn within the plane of the film.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0


@cache
def _attenuation() -> Field:
    """Linear attenuation per mm on the simulator's 2 mm grid, axes (y, z, x)."""
    thorax = ct.load_thorax(_VOXEL_MM)
    # Without the arms: from the side they hang before the lungs.
    trunk = np.abs(thorax.axis("x")) <= _TRUNK_MM
    water, bone = thorax.water[..., trunk], thorax.bone[..., trunk]
    return (_MU_WATER * water + _MU_BONE * bone).astype(np.float32)


@cache
def _raw() -> RawCT:
    return load_raw()


def _depth(volume: Field, pose: Pose, stretch: Field) -> Field:
    """Optical depth along y after turning and stretching the volume about its middle.

    Returns:
        Array (Z, X) with the head up.
    """
    turn = Rotation.from_euler("ZXY", [pose.yaw, pose.pitch, pose.roll], degrees=True).as_matrix()
    # Rotation speaks (x, y, z); the volume's axes are (y, z, x).
    order = [1, 2, 0]
    matrix = turn[np.ix_(order, order)] / stretch[None, :]
    size = np.asarray(volume.shape)
    reach = int(np.hypot(size[0], size[2]))
    shape = np.array([reach // _STEP, size[1], reach])
    matrix = matrix * np.array([_STEP, 1, 1])
    offset = (size - 1) / 2 - matrix @ ((shape - 1) / 2)
    turned = ndimage.affine_transform(volume, matrix, offset, tuple(shape), order=1)
    depth = turned.sum(0) * (_VOXEL_MM * _STEP)
    columns = np.flatnonzero(depth.max(0) > 0.05)
    if columns.size:
        depth = depth[:, columns[0] : columns[-1] + 1]
    return np.ascontiguousarray(depth[::-1], dtype=np.float32)


def _develop(depth: Field, rng: np.random.Generator) -> Image:
    """Negative film with a random response: linear in dose, in log dose, or between."""
    body = depth[depth > 0.2]
    body = body if body.size else depth.ravel()
    low, high = np.percentile(body, [rng.uniform(0, 6), rng.uniform(92, 100)])
    low = low * rng.uniform(0.3, 1)
    film = np.clip((depth - low) / max(float(high - low), 1e-6), 0, 1)
    strength = rng.uniform(0.2, 4)
    film = (1 - np.exp(-strength * film)) / (1 - np.exp(-strength))
    film = film ** rng.uniform(0.6, 1.6)
    scale = rng.uniform(1.2, 1.8)
    film = ndimage.zoom(film, scale, order=1)
    film = film + rng.uniform(0, 0.02) * rng.standard_normal(film.shape)
    return to_uint8(film)


def view(rng: np.random.Generator, pose: Pose) -> Image:
    """A film of the whole chest from ``pose``, of random build and exposure."""
    stretch = rng.uniform(0.88, 1.15, 3)
    return _develop(_depth(_attenuation(), pose, stretch), rng)


def rendered_lateral(rng: np.random.Generator) -> Image:
    """A lateral film as the renderer takes it, with its markers and borders."""
    renderer = SimulationRenderer(SimulationRenderer.Options(views={"lateral": 1.0}))
    return renderer.render_entities([], int(rng.integers(2**31))).image


def rendered_oblique(rng: np.random.Generator) -> Image:
    """A film of the renderer's making, the patient turned by 35 to 60 degrees."""
    pose = sample_pose(rng, sample_patient(rng, "train"))
    turned = oblique(replace(pose, rotation=0.0), rng.choice([-1, 1]) * rng.uniform(35, 60))
    return project(int(rng.integers(2**31)), turned, sample_exposure(rng))


def part(rng: np.random.Generator) -> Image:
    """A film of a piece of the trunk that is no chest: shoulder, spine, flank, upper abdomen."""
    volume = _attenuation()
    depth, height, width = volume.shape
    kind = rng.choice(["abdomen", "shoulder", "spine", "flank"])
    boxes = {
        "abdomen": (slice(None), slice(0, int(height * rng.uniform(0.2, 0.33))), slice(None)),
        "shoulder": (slice(None), slice(int(height * 0.62), None), _end(width, rng, 0.2, 0.3)),
        "spine": (
            slice(0, int(depth * rng.uniform(0.4, 0.5))),
            slice(None),
            slice(int(width * rng.uniform(0.36, 0.42)), int(width * rng.uniform(0.58, 0.64))),
        ),
        "flank": (slice(None), _end(height, rng, 0.3, 0.6), _end(width, rng, 0.12, 0.22)),
    }
    box = np.ascontiguousarray(volume[boxes[str(kind)]])
    pose = Pose(rng.uniform(-40, 40), rng.uniform(-15, 15), rng.uniform(-180, 180))
    return _develop(_depth(box, pose, rng.uniform(0.85, 1.2, 3)), rng)


def _end(size: int, rng: np.random.Generator, low: float, high: float) -> slice:
    """The first or the last part of an axis."""
    length = int(size * rng.uniform(low, high))
    return slice(0, length) if rng.random() < 0.5 else slice(size - length, size)


_WINDOWS = {"lung": (-600, 1500), "soft": (50, 400), "bone": (400, 1800), "wide": (-100, 1200)}
"""Usual display windows, level and width in HU."""


def ct_slice(rng: np.random.Generator, plane: str) -> Image:
    """A slice of the CT as a viewer shows it.

    Args:
        rng: Decides place, window and added opacities.
        plane: ``"axial"``, ``"coronal"`` or ``"sagittal"``.
    """
    raw = _raw()
    x, y, z = raw.hu.shape
    aspect = 1.0 if plane == "axial" else raw.spacing[2] / raw.spacing[0]
    if plane == "axial":
        index = int(rng.uniform(0.15, 0.9) * z)
        cut = raw.hu[:, :, index]
    elif plane == "coronal":
        index = int(rng.uniform(0.3, 0.72) * y)
        cut = raw.hu[:, index, :]
    else:
        index = int(rng.uniform(0.2, 0.8) * x)
        cut = raw.hu[index]
    hu: Field = cut.T[::-1, ::-1].astype(np.float32)
    if rng.random() < 0.5:
        hu = _clear_air(hu)
    hu = _opacities(hu, rng)
    level, usual = _WINDOWS[str(rng.choice(list(_WINDOWS), p=[0.6, 0.2, 0.1, 0.1]))]
    width = usual * rng.uniform(0.7, 1.4)
    film = np.clip((hu - level + rng.normal(0, 60)) / width + 0.5, 0, 1)
    film = ndimage.zoom(film, (0.6 * aspect, 0.6), order=1)
    return to_uint8(_crop_to_body(film, rng))


def _clear_air(hu: Field) -> Field:
    """Air around the body made as bright as tissue, as published figures are often cut out."""
    outside, count = ndimage.label(hu < -400)
    edges = np.unique(np.concatenate([outside[0], outside[-1], outside[:, 0], outside[:, -1]]))
    clear = np.isin(outside, edges[edges > 0]) if count else np.zeros(hu.shape, bool)
    return np.where(clear, 100.0, hu)


def _opacities(hu: Field, rng: np.random.Generator) -> Field:
    """Ground glass and consolidation painted into air-filled lung."""
    if rng.random() < 0.4:
        return hu
    coarse = rng.standard_normal((9, 9))
    zoom = (hu.shape[0] / 9, hu.shape[1] / 9)
    cloud = ndimage.zoom(coarse, zoom, order=3)[: hu.shape[0], : hu.shape[1]]
    dense = np.clip(cloud - rng.uniform(0.2, 1.2), 0, 1) * rng.uniform(100, 900)
    return np.where(hu < -500, hu + dense, hu).astype(np.float32)


def _crop_to_body(film: Field, rng: np.random.Generator) -> Field:
    """A random margin around the middle: whole reconstruction circle to lungs only."""
    keep = rng.uniform(0.62, 1.0, 2)
    height, width = film.shape
    h, w = int(height * keep[0]), int(width * keep[1])
    top = int((height - h) * rng.uniform(0.3, 0.7))
    left = int((width - w) * rng.uniform(0.35, 0.65))
    return film[top : top + h, left : left + w]
