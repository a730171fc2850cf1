"""The source body as slabs, ready to be changed by findings and projected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError

from syncxr.images.simulation.anatomy import Landmarks, Patient, combined, landmarks_of
from syncxr.images.simulation.courses import Courses, load_courses
from syncxr.images.simulation.ct import load_thorax
from syncxr.images.simulation.projection import Slabs
from syncxr.images.simulation.thorax import (
    LEFT_LUNG,
    LUNGS,
    RIGHT_LUNG,
    SOURCE,
    Floats,
    Structure,
    Thorax,
)

SLAB_MM = 8.0
"""Slab thickness: half of it times a ray's slope of 0.1 is 0.4 mm, a quarter of a pixel at 224."""

FINE_SLAB_MM = 4.0
"""The same for bodies of voxels below 2 mm, whose films are large: at 512 pixels ribs show slabs of
8 mm as steps where the rays of an AP film are steepest (a slope of 0.2)."""

LUNG_DENSITY = 0.15
"""Of aerated lung, g/cm³: what the source has."""

Box = tuple[slice, slice, slice]
"""Slabs, rows and columns of a part of the body."""

WHOLE: Box = np.s_[:, :, :]


@dataclass
class Body:
    """A body that findings change.

    Attributes:
        slabs: Geometry.
        marks: Landmarks of the source.
        water: Density of the water-like part, g/cm³, (K, R, C). Findings write into it.
        bone: Volume fraction of cortical bone, (K, R, C). Findings write into it.
        lobes: Lobe (:class:`Structure`) to its share of each cell, (K, R, C).
        heart: Share of the heart, (K, R, C).
        wall: Distance to the chest wall within an axial slice, mm, (K, R, C).
        mass: The mass removed from the source, (Y, Z, X) of its own box.
        mass_spacing: Voxel size of ``mass``, mm.
        open_lung: Share of a frontal ray's path at (R, C) that no heart, spine or diaphragm hides.
        lungs: ``"left"`` and ``"right"`` to the lung's share of each cell, (K, R, C).
        boxes: ``"left"`` and ``"right"`` to the box that holds the lung.
        courses: Of airway, veins, ribs and more, and the skin.
        depth: Distance to the surface of the lung, mm, (K, R, C); 0 outside.
        fissures: 1 where two lobes meet, falling to 0 within two cells, (K, R, C).
        sampled: The patient without findings: what each finding asks for is a change of him.
        patient: The patient being made: what was sampled, and what findings have asked for so far.
        asks: What each of them asked for.
        denied: Concepts that the text says are absent; no finding may bring them along.
        supine: Whether the patient lies on the back: fluid lies behind the lung, air before it.
        count: How many of the finding being inserted the words say there are, if they do.
        perfusion: Contrast of vessels as a share of normal, (K, R, C), where a finding changed it.
        pericardium: Share of fluid round the heart, (K, R, C), where a finding put some.
        claims: What findings have changed so far, in the order of insertion, (K, R, C) each.
    """

    slabs: Slabs
    marks: Landmarks
    water: Floats
    bone: Floats
    lobes: dict[Structure, Floats]
    heart: Floats
    wall: Floats
    mass: Floats
    mass_spacing: float
    open_lung: Floats
    courses: Courses
    depth: Floats
    fissures: Floats
    lungs: dict[str, Floats] = field(default_factory=dict)
    boxes: dict[str, Box] = field(default_factory=dict)
    sampled: Patient = field(default_factory=Patient)
    patient: Patient = field(default_factory=Patient)
    asks: tuple[Mapping[str, Any], ...] = ()
    denied: frozenset[str] = frozenset()
    supine: bool = False
    count: int | None = None
    perfusion: Floats | None = None
    pericardium: Floats | None = None
    claims: list[Floats] = field(default_factory=list)

    def fresh(
        self, patient: Patient, denied: frozenset[str] = frozenset(), supine: bool = False
    ) -> Body:
        """A copy for one film, whose ``water`` and ``bone`` may be written to."""
        return replace(
            self,
            water=self.water.copy(),
            bone=self.bone.copy(),
            sampled=patient,
            patient=patient,
            asks=(),
            denied=denied,
            supine=supine,
            claims=[],
            perfusion=None,
            pericardium=None,
        )

    def asked(self, *more: Mapping[str, Any]) -> Patient:
        """The patient as all findings so far and ``more`` make him together."""
        return replace(self.sampled, **combined(self.sampled, [*self.asks, *more]))

    def coordinates(self) -> tuple[Floats, Floats, Floats]:
        """x, y, z of the cells, mm, broadcastable to (K, R, C); slabs stacked front to back."""
        s = self.slabs
        return s.columns[None, None, :], s.centres[:, None, None], s.rows[None, :, None]

    def fill(self, share: Floats, density: float | Floats, box: Box = WHOLE) -> None:
        """Replace ``share`` of each cell of ``box`` by tissue of ``density`` g/cm³.

        What earlier findings have claimed there is replaced with the rest.
        """
        water = self.water[box]
        water += share * (density - water)
        for claim in self.claims:
            claim[box] *= 1.0 - share

    def claim(self, extent: Floats) -> Floats:
        """Register the share of each cell, (K, R, C), that a finding has changed.

        The same array is returned; later calls of :meth:`fill` diminish it, so that no mask counts
        tissue which another finding has taken away.
        """
        self.claims.append(extent)
        return extent


def slab_of(resolution_mm: float) -> float:
    """Thickness that a body is cut into, mm."""
    return FINE_SLAB_MM if resolution_mm < 2.0 else SLAB_MM


def cut(volume: Floats, thorax: Thorax, axis: int, thickness: float) -> Floats:
    """Average (Y, Z, X) into slabs along y (axis 1) or x (axis 0): (K, Z, X) or (K, Z, Y)."""
    stack = volume if axis == 1 else volume.transpose(2, 1, 0)
    step = max(1, round(thickness / thorax.spacing))
    count = stack.shape[0] // step
    cells = stack[: count * step].reshape(count, step, *stack.shape[1:])
    mean: Floats = cells.mean(1, dtype=np.float32)
    return mean


def geometry(thorax: Thorax, axis: int, thickness: float) -> Slabs:
    """Slabs that :func:`cut` makes."""
    stacked = thorax.axis("y" if axis == 1 else "x")
    step = max(1, round(thickness / thorax.spacing))
    count = len(stacked) // step
    centres = stacked[: count * step].reshape(count, step).mean(1)
    columns = thorax.axis("x" if axis == 1 else "y")
    return Slabs(axis, centres, step * thorax.spacing, thorax.axis("z"), columns)


def wall_distance(thorax: Thorax) -> Floats:
    """Distance of each voxel to the chest wall, mm, slice by slice.

    Both lungs' convex hull in an axial slice is the inner outline of the rib cage, whatever
    mediastinum and diaphragm do inside it; outside the hull the distance is 0.
    """
    lungs = thorax.mask(*LUNGS)
    distance = np.zeros(lungs.shape, np.float32)
    for z in np.flatnonzero(lungs.any((0, 2))):
        hull = _convex(lungs[:, z, :])
        distance[:, z, :] = ndimage.distance_transform_edt(hull) * thorax.spacing
    return distance


def _convex(shape: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Convex hull of a 2-D mask; the mask itself where it is too small to have one."""
    try:
        sides = ConvexHull(np.argwhere(shape)).equations
    except QhullError:
        return shape
    rows, columns = np.indices(shape.shape)
    offsets = sides[:, 0, None, None] * rows + sides[:, 1, None, None] * columns
    return np.asarray(np.all(offsets + sides[:, 2, None, None] <= 1e-6, axis=0))


@lru_cache(maxsize=6)
def load_body(resolution_mm: float, anatomy: str = SOURCE) -> Body:
    """The normal body for frontal views, shared by all films of a process; do not write to it."""
    thorax = load_thorax(resolution_mm, anatomy)
    thickness = slab_of(resolution_mm)
    slabs = geometry(thorax, 1, thickness)
    occupied = np.flatnonzero(
        cut((thorax.labels > 0).astype(np.float32), thorax, 1, thickness).any((1, 2))
    )
    keep = slice(int(occupied[0]), int(occupied[-1]) + 1)
    slabs = replace(slabs, centres=slabs.centres[keep])

    def part(volume: NDArray[np.generic]) -> Floats:
        return np.ascontiguousarray(cut(volume.astype(np.float32), thorax, 1, thickness)[keep])

    lobes = {lobe: part(thorax.labels == lobe) for lobe in LUNGS}
    left = sum((lobes[lobe] for lobe in LEFT_LUNG), np.zeros_like(lobes[LUNGS[0]]))
    right = sum((lobes[lobe] for lobe in RIGHT_LUNG), np.zeros_like(left))
    depth = (left + right).sum(0) * slabs.thickness
    return Body(
        slabs=slabs,
        marks=landmarks_of(thorax),
        water=part(thorax.water),
        bone=part(thorax.bone),
        lobes=lobes,
        heart=part(thorax.labels == Structure.HEART),
        wall=part(wall_distance(thorax)),
        mass=thorax.mass,
        mass_spacing=thorax.spacing,
        open_lung=np.clip((depth - 60.0) / 60.0, 0.0, 1.0).astype(np.float32),
        courses=load_courses(thorax),
        depth=surface_distance((left, right), slabs),
        fissures=_fissures(lobes),
        lungs={"left": left, "right": right},
        boxes={"left": box_of(left), "right": box_of(right)},
    )


def box_of(share: Floats) -> Box:
    """The smallest box that holds everything of ``share``."""
    sides = []
    for axis in range(3):
        found = np.flatnonzero(share.any(tuple(other for other in range(3) if other != axis)))
        sides.append(slice(int(found[0]), int(found[-1]) + 1))
    return sides[0], sides[1], sides[2]


def surface_distance(lungs: Iterable[Floats], slabs: Slabs) -> Floats:
    """Distance of each cell within a lung to that lung's surface, mm."""
    step = float(slabs.rows[1] - slabs.rows[0])
    inside = [
        ndimage.distance_transform_edt(lung > 0.5, (slabs.thickness, step, step)) for lung in lungs
    ]
    return np.asarray(sum(inside), np.float32)


def _fissures(lobes: Mapping[Structure, Floats]) -> Floats:
    """Where the blurred shares of two lobes of a lung are alike."""
    meeting = []
    for side in (LEFT_LUNG, RIGHT_LUNG):
        blurred = [ndimage.uniform_filter(lobes[lobe], (1, 3, 3)) for lobe in side]
        meeting += [4.0 * one * other for one, other in combinations(blurred, 2)]
    return np.asarray(sum(meeting), np.float32).clip(0.0, 1.0)


def stack(*channels: Floats) -> torch.Tensor:
    """Channels (K, R, C) as one tensor (K, N, R, C)."""
    return torch.from_numpy(np.stack(channels, axis=1))
