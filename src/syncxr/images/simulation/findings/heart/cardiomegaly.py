"""Enlarged heart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.finding import Areas, Change, check_place, settle
from syncxr.sample import Entity

RATIOS = {"mild": (0.53, 0.555), "moderate": (0.565, 0.595), "severe": (0.605, 0.64)}
"""Cardiothoracic ratio by severity.

A ratio above 0.5 on a PA film is enlarged (Danzer, Am J Med Sci 1919); there is no agreed
grading: here mild starts clear of 0.5, and steps lie as far apart as readers differ, .02 or more.
"""

AREA_CM2 = {"mild": (100.0, 240.0), "moderate": (110.0, 270.0), "severe": (125.0, 310.0)}
"""Frontal area of the shadow: π/4 × long × broad diameter (Ungerleider and Gubner, Am Heart J
1942), 10 to 20 cm and 9 to 19 cm in adults of these ratios."""


@dataclass(frozen=True)
class Cardiomegaly:
    """The heart grows about its right border, mostly to the left; the lung beside it gives way.

    Mask: the whole cardiac shadow.
    """

    concept: str = "cardiomegaly"

    area_cm2: ClassVar[Areas] = AREA_CM2

    def refuses(self, entity: Entity) -> str:
        """A heart has no side."""
        return "the heart is in one place" if entity.location else check_place(entity, (), False)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Ask for a cardiothoracic ratio."""
        words = settle(entity, rng)
        ratio = float(rng.uniform(*RATIOS[words.severity]))
        parameters = {"severity": words.severity, "heart_ratio": ratio}
        return Change(parameters, body.heart, patient={"heart_ratio": ratio}, least_path=1.0)
