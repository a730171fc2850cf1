"""Bronchiectasis and thick bronchial walls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.finding import Change, check_place, settle
from syncxr.images.simulation.findings.lung.bronchi import walled
from syncxr.images.simulation.findings.lung.opacity import ZONES
from syncxr.images.simulation.findings.lungs import Lung, affected
from syncxr.images.simulation.shapes import Tube
from syncxr.images.simulation.thorax import Floats
from syncxr.sample import Entity

COUNTS = {"mild": 7, "moderate": 15, "severe": 28}
"""Airways drawn a side, by severity; half of them run along the film, half meet it end on."""

AREA_CM2 = {"mild": (0.3, 12.0), "moderate": (0.8, 22.0), "severe": (1.5, 40.0)}
"""On the film, a side: walls of 1 to 2.5 mm along airways 3 to 12 mm wide and 1 to 3 cm long."""


@dataclass(frozen=True)
class Airways:
    """Bronchi with thick walls: tram lines along the film, rings end on.

    Bronchiectasis: wider than the artery beside them, mostly in lower lobes, crowded. Thickened
    walls (cuffs) without widening lie about the hila (Fleischner Society glossary, 2008; Gudbjerg,
    Acta Radiol 1955).

    Attributes:
        concept: Of the lexicon.
        radius: Of the airways, mm.
        wall: Thickness, mm.
        central: Whether they lie about the hilum.
        area_cm2: What a side's mask may measure on the film.
    """

    concept: str
    radius: tuple[float, float]
    wall: tuple[float, float]
    central: bool
    area_cm2: Mapping[str, tuple[float, float]] = field(default_factory=lambda: AREA_CM2)

    def refuses(self, entity: Entity) -> str:
        """Any lobe or zone will do."""
        return check_place(entity, ZONES, lobes=True)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Thicken the walls of airways."""
        words = settle(entity, rng, ("",) if self.central else ("base", "lower zone"))
        if not entity.location:
            words.sides = ("left", "right")
        tubes: list[Tube] = []
        drawn: dict[str, Any] = {}
        for lung in affected(body, words, rng):
            room = lung.lobe(words.lobe)
            places = lung.picks(
                room * self._near(lung), words.zone, 6.0, 0.4, COUNTS[words.severity]
            )
            for number, centre in enumerate(places):
                radius = float(lung.chance.uniform(*self.radius))
                wall = float(lung.chance.uniform(*self.wall))
                tubes += walled(lung, centre, radius, wall, end_on=number % 2 == 0)
            drawn[lung.side] = COUNTS[words.severity]
        parameters = {**words.to_dict(), "airways": drawn}
        return Change(parameters, shapes=tuple(tubes), least_path=0.02)

    def _near(self, lung: Lung) -> Floats:
        """1 where airways of this kind lie."""
        if not self.central:
            return np.ones_like(lung.share)
        x, y, z = lung.hilum
        squared = ((lung.x - x) / 42.0) ** 2 + ((lung.y - y) / 40.0) ** 2
        return np.asarray(squared + ((lung.z - z) / 50.0) ** 2 < 1.0, np.float32)


AIRWAYS = (
    Airways("bronchiectasis", (2.8, 5.5), (1.2, 2.2), central=False),
    Airways("bronchial wall thickening", (1.8, 3.0), (1.1, 1.8), central=True),
)
