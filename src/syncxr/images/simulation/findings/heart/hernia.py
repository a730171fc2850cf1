"""Stomach above the diaphragm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.curves import at_height
from syncxr.images.simulation.findings.finding import (
    Areas,
    Change,
    check_place,
    settle,
    smooth_step,
)
from syncxr.images.simulation.findings.heart.lumps import Lump, around, both_lungs, distance
from syncxr.images.simulation.findings.levels import level_through
from syncxr.sample import Entity

HERNIA_MM = {"mild": (17.0, 22.0), "moderate": (26.0, 34.0), "severe": (40.0, 50.0)}
"""Radius of the herniated stomach: surgeons call 5 cm and more large, up to the whole stomach
(Kohn et al., SAGES guideline, Surg Endosc 2013)."""

HERNIA_AREA_CM2 = {"mild": (1.5, 25.0), "moderate": (7.0, 55.0), "severe": (30.0, 110.0)}
"""On the film: the ellipse of these radii, less what lies within heart and diaphragm."""


@dataclass(frozen=True)
class HiatalHernia:
    """Stomach behind the heart: a round opacity with gas and a level in it, above the diaphragm.

    In or left of the midline, seen through the heart; upright the gas lies above a level (Abbara et
    al., AJR 2003).
    """

    concept: str = "hiatal hernia"

    area_cm2: ClassVar[Areas] = HERNIA_AREA_CM2

    def refuses(self, entity: Entity) -> str:
        """It has no side."""
        return "it has no side" if entity.location else check_place(entity, (), False)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Put a part of the stomach above the diaphragm."""
        words = settle(entity, rng)
        radius = float(rng.uniform(*HERNIA_MM[words.severity]))
        flat = float(rng.uniform(0.75, 0.95))
        fill = float(rng.uniform(-0.15, 0.35))
        height = body.marks.dome + 0.75 * flat * radius - 4.0
        gullet = at_height(body.courses.oesophagus, height)
        centre = (
            float(gullet[0]) + float(rng.uniform(-4.0, 12.0)),
            float(gullet[1]) - 4.0,
            height,
        )
        lump = Lump(centre, (radius, 0.8 * radius, flat * radius))
        box = around(body, lump, 3.0)
        far = distance(body, lump, box)
        edge = 2.0 / radius
        whole = 1.0 - smooth_step(far, 1.0 - edge, 1.0 + edge)
        # Wall of 3 mm; heart, aorta and spine stay where they are.
        hollow = 1.0 - smooth_step(far, 1.0 - 4.5 / radius, 1.0 - 2.0 / radius)
        surface = level_through(body, (centre[0], centre[1], height + fill * flat * radius))
        level = surface(body.slabs.columns[box[2]])
        z = body.slabs.rows[box[1]][None, :, None]
        soft = (1.0 - body.heart[box]) * (body.bone[box] < 0.03)
        gas = (hollow * smooth_step(z - level, -1.0, 1.0) * soft).astype(np.float32)
        body.fill((whole * both_lungs(body, box)).astype(np.float32), 1.02, box)
        body.fill(gas, 0.002, box)
        extent = np.zeros_like(body.water)
        extent[box] = np.maximum(gas, whole * both_lungs(body, box))
        body.claim(extent)
        parameters: dict[str, Any] = {
            "severity": words.severity,
            "radius_mm": radius,
            "filled": 0.5 + 0.5 * fill,
        }
        return Change(parameters, extent, least_path=0.8)
