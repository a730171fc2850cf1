"""Free pleural effusion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.finding import (
    Change,
    check_place,
    lung_share,
    settle,
    smooth_step,
)
from syncxr.sample import Entity

LEVELS = {"mild": (-0.12, -0.03), "moderate": (0.16, 0.28), "severe": (0.48, 0.66)}
"""Level in the middle of the lung, from dome (0) to apex (1), by severity.

Small: blunts the costophrenic angle and hides the dome's flank; moderate: a third of the lung
field; large: half and more (Light, Pleural Diseases, chapter on imaging).
"""

BLUNTING = {"mild": (-0.17, -0.14), "moderate": (-0.14, -0.11), "severe": (-0.11, -0.08)}
"""Level of what merely blunts the costophrenic angle."""

_RISE = 45.0
"""Height of the meniscus at the chest wall above the level, mm."""

_REACH = 14.0
"""Distance from the chest wall over which the meniscus falls to 1/e, mm."""

_DENSITY = 1.02
"""Of transudate and exudate alike, g/cm³."""


@dataclass(frozen=True)
class Effusion:
    """Fluid around the lung's foot in an upright patient, rising along the chest wall.

    Fluid takes the room of lung below a level that climbs towards the chest wall (the meniscus:
    the lung's recoil is least there) and hides costophrenic angle and diaphragm.
    """

    concept: str = "pleural effusion"
    levels: Mapping[str, tuple[float, float]] = field(default_factory=lambda: LEVELS)

    def refuses(self, entity: Entity) -> str:
        """Free fluid lies at the base."""
        return check_place(entity, ("base",), False)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Pour fluid in, side by side."""
        words = settle(entity, rng)
        extent = np.zeros_like(body.water)
        levels: dict[str, Any] = {}
        _, _, z = body.coordinates()
        for side in ("left", "right"):
            level = float(rng.uniform(*self.levels[words.severity]))
            rise = _RISE * float(rng.uniform(0.8, 1.25))
            if side not in words.sides:
                continue
            marks = body.marks
            height = marks.dome + level * (marks.apex - marks.dome)
            surface = height + rise * np.exp(-body.wall / _REACH)
            share = lung_share(body, side) * smooth_step(surface - z, -3.0, 3.0)
            body.fill(share, _DENSITY)
            extent += share
            levels[side] = {"level_mm": height, "meniscus_mm": rise}
        return Change({**words.to_dict(), "levels": levels}, body.claim(extent), least_path=1.0)
