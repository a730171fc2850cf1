"""Pulmonary masses and cavities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from scipy import ndimage

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.finding import (
    Change,
    Point,
    Words,
    apart,
    check_place,
    numbers,
    radius_of,
    settle,
)
from syncxr.images.simulation.findings.lung.opacity import ZONES
from syncxr.images.simulation.findings.lungs import Lung, affected
from syncxr.images.simulation.thorax import Floats
from syncxr.sample import Entity

RADII = {"mild": (17.0, 20.0), "moderate": (22.0, 27.0), "severe": (30.0, 40.0)}
"""By severity, mm: a mass is more than 3 cm wide (Fleischner Society glossary, 2008)."""

AREA_CM2 = {"mild": (4.0, 22.0), "moderate": (8.0, 38.0), "severe": (14.0, 95.0)}
"""On the film, a side: disks of the radii above, magnified by 1.1, without or with spicules; a
chest wall or the mediastinum may cut them."""

_SOURCE_RADIUS = 11.3
"""Of a sphere with the 6.0 cm³ of the mass that was taken out of the source CT, mm."""


@dataclass(frozen=True)
class Mass:
    """A spiculated mass: the one removed from the source CT, turned, scaled and put elsewhere.

    Attributes:
        concept: Of the lexicon.
        density: Range, g/cm³; what is only "masslike" is softer.
        area_cm2: What a side's mask may measure on the film.
    """

    concept: str = "mass"
    density: tuple[float, float] = (1.02, 1.06)
    area_cm2: Mapping[str, tuple[float, float]] = field(default_factory=lambda: AREA_CM2)

    def refuses(self, entity: Entity) -> str:
        """Any lobe or zone will do."""
        return check_place(entity, ZONES, lobes=True)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Place one mass a side, or as many as the words say."""
        words = settle(entity, rng)
        extent = np.zeros_like(body.water)
        placed: dict[str, Any] = {}
        each = numbers(body, words)
        for whole in affected(body, words, rng):
            taken: list[tuple[Point, float]] = []
            placed[whole.side] = []
            for _ in range(each[whole.side]):
                radius = radius_of(RADII, words.severity, each[whole.side], whole.chance)
                centre, angle = self._grow(whole, words, radius, taken, extent)
                taken.append((centre, radius))
                placed[whole.side].append(
                    {"radius_mm": radius, "centre_mm": list(centre), "turn": angle}
                )
        return Change({**words.to_dict(), "placed": placed}, body.claim(extent), least_path=0.8)

    def _grow(
        self,
        whole: Lung,
        words: Words,
        radius: float,
        taken: Sequence[tuple[Point, float]],
        extent: Floats,
    ) -> tuple[Point, float]:
        """One mass beside others: its centre, mm, and turn."""
        angle = float(whole.chance.uniform(0.0, 2.0 * np.pi))
        stretch = float(whole.chance.uniform(0.9, 1.15))
        density = float(whole.chance.uniform(*self.density))
        room = whole.lobe(words.lobe)
        centre = apart(partial(whole.pick, room, words.zone, 15.0, 0.8), radius, taken, tries=24)
        lung = whole.around(centre, (2.2 * radius, 2.2 * radius, 2.2 * radius))
        scale = _SOURCE_RADIUS / radius / whole.body.mass_spacing
        dx, dz = (lung.x - centre[0]) * stretch, (lung.z - centre[2]) / stretch
        turned = (
            lung.y - centre[1],
            np.cos(angle) * dz - np.sin(angle) * dx,
            np.sin(angle) * dz + np.cos(angle) * dx,
        )
        middle = ndimage.center_of_mass(whole.body.mass)
        index = np.broadcast_arrays(
            *(axis * scale + at for axis, at in zip(turned, middle, strict=True))
        )
        inside = ndimage.map_coordinates(whole.body.mass, index, order=1).astype(np.float32)
        lung.fill(lung.lobe(words.lobe) * inside, density, extent)
        return centre, angle


MASSES = (Mass(), Mass("masslike opacity", (0.70, 0.90)))
