"""The source body as slabs, ready to be changed by findings and projected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from syncxr.images.simulation.anatomy import Landmarks, Patient, combined, landmarks_of
from syncxr.images.simulation.courses import Courses, load_courses
from syncxr.images.simulation.ct import load_thorax
from syncxr.images.simulation.cutting import cut, geometry, slab_of
from syncxr.images.simulation.distances import fissures, surface_distance, wall_distance
from syncxr.images.simulation.projection import Slabs
from syncxr.images.simulation.thorax import (
    LEFT_LUNG,
    LUNGS,
    RIGHT_LUNG,
    SOURCE,
    Floats,
    Structure,
)

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
        fissures=fissures(lobes),
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
