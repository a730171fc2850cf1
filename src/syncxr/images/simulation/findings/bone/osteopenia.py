"""Bones poor in mineral."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.finding import SEVERITIES, Areas, Change, check_place, settle
from syncxr.sample import Entity

DENSITIES = {"mild": (0.62, 0.72), "moderate": (0.46, 0.56), "severe": (0.30, 0.40)}
"""Mineral against the source body's, which lies at the lower end of patients without osteopenia.

A radiograph shows a loss only from about 30 % on, as is commonly taught: each step here takes about
15 % of a normal skeleton's (own reading).
"""

AREA_CM2 = dict.fromkeys(SEVERITIES, (250.0, 900.0))
"""On the film: every bone in it."""


@dataclass(frozen=True)
class Osteopenia:
    """All bones are fainter. Mask: the bones."""

    concept: str = "osteopenia"

    area_cm2: ClassVar[Areas] = AREA_CM2

    def refuses(self, entity: Entity) -> str:
        """It has no place."""
        return "it affects all bones" if entity.location else check_place(entity, (), False)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Ask for less mineral."""
        words = settle(entity, rng)
        density = float(rng.uniform(*DENSITIES[words.severity]))
        parameters = {"severity": words.severity, "bone_density": density}
        extent = np.clip(body.bone, 0.0, 1.0)
        return Change(parameters, extent, patient={"bone_density": density}, least_path=0.15)
