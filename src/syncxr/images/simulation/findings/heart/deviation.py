"""Trachea and mediastinum to one side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from syncxr.entities.location import Location
from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.finding import SEVERITIES, Change, check_place, settle
from syncxr.images.simulation.shapes import Material, Tube
from syncxr.sample import Entity

TRACHEA_MM = {"mild": (7.0, 9.5), "moderate": (11.0, 14.0), "severe": (16.0, 19.5)}
"""Sideways shift of the trachea."""

SHIFT_MM = {"mild": (9.0, 13.0), "moderate": (16.0, 20.0), "severe": (24.0, 29.0)}
"""Sideways shift of heart and mediastinum."""

TRACHEA_AREA_CM2 = dict.fromkeys(SEVERITIES, (10.0, 50.0))
"""On the film: a trachea of 1.5 to 2.5 cm over 7 to 12 cm."""

SHIFT_AREA_CM2 = dict.fromkeys(SEVERITIES, (70.0, 260.0))
"""On the film: heart and trachea."""


@dataclass(frozen=True)
class Deviation:
    """The trachea, or the whole mediastinum, lies to one side.

    Mask: the trachea, with the heart if that is shifted, too.

    Attributes:
        concept: Of the lexicon.
        whole: Whether the heart goes along.
    """

    concept: str
    whole: bool

    @property
    def area_cm2(self) -> dict[str, tuple[float, float]]:
        """Area by severity."""
        return SHIFT_AREA_CM2 if self.whole else TRACHEA_AREA_CM2

    def refuses(self, entity: Entity) -> str:
        """A side at most, and not both."""
        if Location.parse(entity.location).side == "bilateral":
            return "nothing is shifted to both sides"
        return check_place(entity, (), False)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Ask for a shift."""
        words = settle(entity, rng)
        amount = float(rng.uniform(*(SHIFT_MM if self.whole else TRACHEA_MM)[words.severity]))
        amount = amount if words.sides[0] == "left" else -amount
        wanted = {"shift" if self.whole else "upper_shift": amount}
        shapes = (Tube(body.courses.trachea, 9.0, Material()),)
        extent = body.heart.copy() if self.whole else None
        parameters = {"severity": words.severity, "left_mm": amount}
        return Change(parameters, extent, shapes, wanted, least_path=0.6)
