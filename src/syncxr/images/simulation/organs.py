"""Where organs lie on a simulated film: their shadows, and single places of the body."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import torch
from scipy import ndimage

from syncxr.images.simulation.anatomy import Deformation, Patient
from syncxr.images.simulation.anatomy.landmarks import SHADOW_CM
from syncxr.images.simulation.body import load_body
from syncxr.images.simulation.frame import cross
from syncxr.images.simulation.parts import Part
from syncxr.images.simulation.projection import cast, column_of
from syncxr.images.simulation.scene import Scene
from syncxr.images.simulation.thorax import Floats
from syncxr.sample import Mask
from syncxr.threads import torch_threads

DOME_SHARE = 0.74
"""Of the deepest lung in a column: further down liver or stomach lie before the recess."""

MEDIAL_SHARE = 0.28
"""Of the deepest lung: what reaches behind or before the mediastinum is thinner."""


@dataclass(frozen=True)
class Organs:
    """Organs of one frontal film.

    Attributes:
        left: Path through the patient's left lung, cm, (H, W).
        right: The same of the right lung.
        heart: The same of the heart.
    """

    left: Floats
    right: Floats
    heart: Floats

    @property
    def lung_fields(self) -> tuple[Mask, Mask]:
        """Left and right lung as readers outline them: heart, mediastinum and recess left out."""
        left, right = (_field(lung, self.heart > SHADOW_CM) for lung in (self.left, self.right))
        return left, right


def organs_of(scene: Scene, patient: Patient, size: int, resolution_mm: float = 2.0) -> Organs:
    """Follow the rays of a frontal film through lungs and heart.

    Args:
        scene: Pose of the film.
        patient: As findings have made him; ``film.parameters["patient"]`` holds his fields. What
            findings fill or empty stays lung.
        size: Of the film, pixels.
        resolution_mm: Of the body.

    Raises:
        ValueError: The film is a lateral one.
    """
    if scene.pose.view == "lateral":
        raise ValueError("organs are outlined in frontal films only")
    body = load_body(resolution_mm, patient.anatomy)
    deformation = Deformation.of(patient, body.marks, partial(column_of, scene.pose))
    with torch_threads(1), torch.inference_mode():
        crossed = cross(body.slabs, cast(scene.pose, size), deformation)
        part = _organs(resolution_mm, patient.anatomy)
        left, right, heart = part.integrate(crossed.where, crossed.lengths)
    if patient.mirrored:
        left, right = right, left
    return Organs(left.numpy(), right.numpy(), heart.numpy())


def on_film(
    scene: Scene, patient: Patient, places: Floats, size: int, resolution_mm: float = 2.0
) -> Floats:
    """Where places of the source body are shown.

    Args:
        scene: Pose of the film.
        patient: As findings have made him.
        places: (N, 3), mm.
        size: Of the film, pixels.
        resolution_mm: Of the body.

    Returns:
        Rows and columns, pixels, (N, 2).
    """
    pose = scene.pose
    marks = load_body(resolution_mm, patient.anatomy).marks
    deformation = Deformation.of(patient, marks, partial(column_of, pose))
    points = deformation.inverse(np.asarray(places, np.float32))
    # The beam frame, as projection.cast has it: three rays tell how the patient stands in it.
    rays = cast(pose, size)
    along = points - rays.source
    along /= np.linalg.norm(along, axis=-1, keepdims=True)
    corner, right, down = (rays.direction[index] for index in ((0, 0), (0, -1), (-1, 0)))
    # A flat film: a direction is a sum of those to its corners, whose weights are its place.
    middle = rays.direction[size // 2 - 1 : size // 2 + 1, size // 2 - 1 : size // 2 + 1]
    normal = middle.mean((0, 1))
    ends = [ray / (ray @ normal) for ray in (corner, right, down)]
    across, downwards = ends[1] - ends[0], ends[2] - ends[0]
    offsets = along / (along @ normal)[:, None] - ends[0]
    columns = offsets @ across / (across @ across)
    rows = offsets @ downwards / (downwards @ downwards)
    found: Floats = (np.stack([rows, columns], axis=-1) * (size - 1)).astype(np.float32)
    return found


@lru_cache(maxsize=6)
def _organs(resolution_mm: float, anatomy: str) -> Part:
    body = load_body(resolution_mm, anatomy)
    part = Part.of(body.slabs, (body.lungs["left"], body.lungs["right"], body.heart))
    assert part is not None, "a body has lungs and a heart"
    return part


def _field(lung: Floats, heart: Mask) -> Mask:
    """The lung above the dome, from the mediastinum's border out to the chest wall."""
    most = np.percentile(lung[lung > SHADOW_CM], 95)
    rows, every = np.arange(len(lung))[:, None], np.arange(lung.shape[1])
    top, deepest = lung.argmax(0), lung.max(0)
    fallen = (rows > top) & (lung < DOME_SHARE * deepest)
    bottom = np.where(fallen.any(0), fallen.argmax(0), len(lung))
    bottom = ndimage.median_filter(bottom, size=2 * (len(lung) // 60) + 3)
    middle = _centre(lung > SHADOW_CM)
    medial = (every > middle) == (_centre(heart) > middle)
    # Beside the heart the lung thins out where bronchi and vessels run, far above the dome.
    bottom = np.where(medial, np.maximum(bottom, bottom[round(middle)]), bottom)
    seen = lung > np.where(medial, MEDIAL_SHARE * most, SHADOW_CM)
    whole = seen & (rows < bottom) & ~heart
    return _largest(ndimage.binary_fill_holes(ndimage.binary_opening(whole)))


def _centre(mask: Mask) -> float:
    """Mean column; the film's middle of an empty mask."""
    columns = mask.sum(0)
    weights = columns if columns.any() else np.ones_like(columns)
    return float(np.average(np.arange(len(columns)), weights=weights))


def _largest(mask: Mask) -> Mask:
    """The largest connected piece."""
    pieces, count = ndimage.label(mask)
    if count < 2:
        return mask
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    kept: Mask = pieces == int(sizes.argmax())
    return kept
