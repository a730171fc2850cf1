"""Pneumothorax."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.ct import Floats
from syncxr.images.simulation.findings.finding import Change, check_place, lung_share, settle
from syncxr.sample import Entity

APICAL_GAPS = {"mild": (18.0, 28.0), "moderate": (32.0, 48.0), "severe": (55.0, 85.0)}
"""Gap between apex and cupola by severity, mm.

Up to 3 cm is small (American College of Chest Physicians consensus, Baumann et al., Chest 2001);
2 cm at the hilum, about half of the lung's volume, is large (British Thoracic Society 2010).
"""

_EDGE = 0.35
"""Share of the cells along the lung's edge taken up by pleura and compressed rim."""


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
        for side in ("left", "right"):
            apical = float(rng.uniform(*APICAL_GAPS[words.severity]))
            lateral = apical * float(rng.uniform(0.35, 0.55))
            if side not in words.sides:
                continue
            lung = lung_share(body, side)
            kept = _collapse(body, lung, side, apical, lateral)
            air = (lung - kept).clip(0.0).astype(np.float32)
            edge = (lung * 4.0 * kept * (1.0 - kept) * _EDGE).astype(np.float32)
            body.fill(air, 0.001)
            body.fill((edge * (1.0 - air)).astype(np.float32), 1.0)
            squeezed = (lung - air).clip(0.0)
            body.water += 0.08 * min(1.0, apical / 60.0) * squeezed
            extent += air
            gaps[side] = {"apical_mm": apical, "lateral_mm": lateral}
        return Change({**words.to_dict(), "gaps": gaps}, body.claim(extent), least_path=1.5)


def _collapse(body: Body, lung: Floats, side: str, apical: float, lateral: float) -> Floats:
    """The lung drawn towards its hilum: down from the apex, in from the side, less at the base.

    Each cell looks up the cell of the full lung that comes to lie there.
    """
    marks, slabs = body.marks, body.slabs
    sign = 1.0 if side == "left" else -1.0
    hilum_x, hilum_z = 20.0 * sign, marks.heart[2] + 40.0
    z = slabs.rows
    squeeze_z = 1.0 - apical / (marks.apex - hilum_z)
    from_z = np.where(z > hilum_z, hilum_z + (z - hilum_z) / squeeze_z, z)
    below = np.clip((hilum_z - z) / (hilum_z - marks.foot), 0.0, 1.0)
    squeeze_x = 1.0 - lateral * (1.0 - 0.8 * below) / (marks.half_width - 20.0)
    from_x = hilum_x + (slabs.columns[None, :] - hilum_x) / squeeze_x[:, None]
    outward = sign * (slabs.columns - hilum_x) > 0
    from_x = np.where(outward[None, :], from_x, slabs.columns[None, :])
    row = np.clip((from_z - z[0]) / (z[1] - z[0]), 0, len(z) - 1.001)
    step = slabs.columns[1] - slabs.columns[0]
    column = np.clip((from_x - slabs.columns[0]) / step, 0, len(slabs.columns) - 1.001)
    r0, c0 = row.astype(int), column.astype(int)
    fr = (row - r0).astype(np.float32)[None, :, None]
    fc = (column - c0).astype(np.float32)[None]
    rows = lung[:, r0] * (1.0 - fr) + lung[:, r0 + 1] * fr
    index = np.broadcast_to(c0[None], rows.shape)
    kept: Floats = (
        np.take_along_axis(rows, index, 2) * (1.0 - fc)
        + np.take_along_axis(rows, index + 1, 2) * fc
    )
    return np.minimum(kept, lung).astype(np.float32)
