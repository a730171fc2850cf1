"""Scars of the lung."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from syncxr.entities.location import Location
from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.finding import Change, check_place, settle, smooth_step
from syncxr.images.simulation.findings.lung.opacity import ZONES
from syncxr.images.simulation.findings.lungs import Lung, affected
from syncxr.images.simulation.findings.texture import clouds
from syncxr.images.simulation.shapes import Ellipsoid, Material, Shape
from syncxr.images.simulation.thorax import Floats
from syncxr.sample import Entity

STREAKS = {"mild": 3, "moderate": 6, "severe": 11}
"""Number of streaks by severity."""

AREA_CM2 = {"mild": (0.8, 22.0), "moderate": (2.0, 34.0), "severe": (3.0, 55.0)}
"""On the film, a side: streaks of 2 to 5 cm by 2 to 4 mm that cross each other."""


@dataclass(frozen=True)
class Scarring:
    """Irregular streaks that converge on the hilum and pull their surroundings together.

    Mostly in apices and upper zones, after tuberculosis or other granulomatous infection
    (Fleischner Society glossary, 2008: parenchymal band; Felson, Chest Roentgenology, 1973). In
    fibronodular change small, ill-defined nodules lie among them.

    Attributes:
        concept: Of the lexicon.
        nodules: Nodules a streak.
        area_cm2: What a side's mask may measure on the film.
    """

    concept: str
    nodules: float = 0.0
    area_cm2: Mapping[str, tuple[float, float]] = field(default_factory=lambda: AREA_CM2)

    def refuses(self, entity: Entity) -> str:
        """Any lobe or zone will do."""
        return check_place(entity, ZONES, lobes=True)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Draw streaks about one place a side."""
        words = settle(entity, rng, ("apex", "upper zone", "base"))
        if not Location.parse(entity.location).side and words.zone == "apex":
            words.sides = ("left", "right")
        extent = np.zeros_like(body.water)
        scars: dict[str, Any] = {}
        spots: list[Shape] = []
        for lung in affected(body, words, rng):
            room = lung.lobe(words.lobe)
            focus = lung.pick(room, words.zone, 8.0, clear=0.6)
            self._haze(lung, focus, room, words.severity, extent)
            for _ in range(STREAKS[words.severity]):
                self._streak(lung, focus, words.lobe, extent)
            spots += self._spots(lung, focus, STREAKS[words.severity])
            scars[lung.side] = {"focus_mm": list(focus), "streaks": STREAKS[words.severity]}
        parameters = {**words.to_dict(), "scars": scars}
        return Change(parameters, body.claim(extent), shapes=tuple(spots), least_path=0.5)

    def _haze(
        self,
        whole: Lung,
        focus: tuple[float, float, float],
        lobe: Floats,
        severity: str,
        extent: Floats,
    ) -> None:
        """Airless, contracted lung among the streaks."""
        share = 0.05 * STREAKS[severity] ** 0.5
        squared = ((whole.x - focus[0]) / 17.0) ** 2 + ((whole.z - focus[2]) / 17.0) ** 2
        squared = squared + ((whole.y - focus[1]) / 17.0) ** 2
        uneven = np.clip(1.0 + 0.6 * whole.texture(clouds), 0.0, 2.0)
        haze = lobe * share * np.exp(-squared) * uneven
        whole.fill(haze, np.maximum(whole.water, np.float32(1.0)), extent)

    def _streak(
        self, whole: Lung, focus: tuple[float, float, float], lobe: str, extent: Floats
    ) -> None:
        """One band near the focus, more or less towards the hilum."""
        chance = whole.chance
        centre = np.array(focus) + chance.normal(0.0, (9.0, 8.0, 9.0))
        to_hilum = np.array(whole.hilum) - centre
        turn = np.arctan2(to_hilum[2], to_hilum[0]) + chance.normal(0.0, 0.8)
        half, thick = float(chance.uniform(8.0, 20.0)), float(chance.uniform(1.0, 1.9))
        lung = whole.around(tuple(centre), (half + 6.0, 22.0, half + 6.0))
        dx, dz = lung.x - centre[0], lung.z - centre[2]
        along = np.cos(turn) * dx + np.sin(turn) * dz
        across = np.cos(turn) * dz - np.sin(turn) * dx + 0.006 * chance.normal() * along**2
        disk = np.sqrt((along / half) ** 2 + ((lung.y - centre[1]) / 16.0) ** 2)
        width = thick * (1.2 - 0.7 * disk) * (1.0 + 0.5 * lung.texture(clouds))
        share = (1.0 - smooth_step(np.abs(across) - width, -0.9, 0.9)) * (
            1.0 - smooth_step(disk, 0.7, 1.0)
        )
        lung.fill(lung.lobe(lobe) * share, np.maximum(lung.water, np.float32(0.95)), extent)

    def _spots(self, lung: Lung, focus: tuple[float, float, float], streaks: int) -> list[Shape]:
        """Nodules of a few millimetres among the streaks, some of them with calcium."""
        spots: list[Shape] = []
        calcified = "calcification" not in lung.body.denied
        for _ in range(round(self.nodules * streaks)):
            x, y, z = np.array(focus) + lung.chance.normal(0.0, (11.0, 8.0, 11.0))
            a, b, c = (float(r) for r in lung.chance.uniform(1.6, 3.4, 3))
            bone = 0.15 if lung.chance.random() < 0.3 and calcified else 0.0
            spots.append(Ellipsoid((x, y, z), (a, b, c), Material(water=0.85, bone=bone)))
        return spots


SCARS = (Scarring("scarring"), Scarring("fibronodular change", nodules=1.5))
