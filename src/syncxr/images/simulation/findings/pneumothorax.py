"""Pneumothorax."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.finding import Change, check_place, lung_share, settle
from syncxr.sample import Entity

APICAL_GAPS = {"mild": (18.0, 28.0), "moderate": (32.0, 48.0), "severe": (55.0, 85.0)}
"""Gap between apex and cupola by severity, mm.

Up to 3 cm is small (American College of Chest Physicians consensus, Baumann et al., Chest 2001);
2 cm at the hilum, about half of the lung's volume, is large (British Thoracic Society 2010).
"""

_EDGE = 1.2
"""Thickness of visceral pleura with the lung's compressed rim, mm."""


@dataclass(frozen=True)
class Pneumothorax:
    """Air between lung and chest wall in an upright patient: most at the apex, then at the side.

    The lung draws away from the wall; beyond its edge there are no vessels. The edge shows as a
    thin line, and the lung left over is a little denser.
    """

    concept: str = "pneumothorax"

    def refuses(self, entity: Entity) -> str:
        """Free air rises to the apex."""
        return check_place(entity, ("apex",), False)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Let air in, side by side."""
        words = settle(entity, rng)
        extent = np.zeros_like(body.water)
        gaps: dict[str, Any] = {}
        _, _, z = body.coordinates()
        marks = body.marks
        for side in ("left", "right"):
            apical = float(rng.uniform(*APICAL_GAPS[words.severity]))
            lateral = apical * float(rng.uniform(0.35, 0.55))
            if side not in words.sides:
                continue
            lung = lung_share(body, side)
            top = _top(body, lung)
            below = np.clip((top - z) / (top - marks.foot), 0.0, 1.0)
            gap = lateral * (1.0 - 0.75 * below)
            # Distance of the lung's edge to the wall, to the side and to the top: air lies where
            # either is less than its gap.
            inside = np.minimum(body.wall - gap, (top - z) - apical)
            air = lung * np.clip(0.5 - inside / 4.0, 0.0, 1.0)
            edge = lung * np.clip(1.0 - np.abs(inside) / 3.0, 0.0, 1.0) * (_EDGE / 3.0)
            body.fill(air, 0.001)
            body.fill(edge * (1.0 - air), 1.0)
            squeezed = (lung - air).clip(0.0)
            body.water += 0.08 * min(1.0, apical / 60.0) * squeezed
            extent += air
            gaps[side] = {"apical_mm": apical, "lateral_mm": lateral}
        return Change({**words.to_dict(), "gaps": gaps}, extent, least_path=1.5)


def _top(body: Body, lung: np.ndarray[Any, np.dtype[np.float32]]) -> float:
    """Highest z of a lung, mm."""
    rows = np.flatnonzero((lung > 0.5).any((0, 2)))
    return float(body.slabs.rows[rows[-1]])
