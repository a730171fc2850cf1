"""Pulmonary edema."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.finding import Change, check_place, lung_share, settle
from syncxr.images.simulation.findings.lung.opacity import texture
from syncxr.sample import Entity

FILLING = {"mild": (0.16, 0.22), "moderate": (0.30, 0.40), "severe": (0.52, 0.68)}
"""Share of perihilar air replaced by fluid."""


@dataclass(frozen=True)
class Edema:
    """Hydrostatic edema: haze about both hila that fades towards the periphery, sparing it.

    The bat-wing distribution (Gluecker et al., RadioGraphics 1999). Both sides unless one is named.
    """

    concept: str = "pulmonary edema"

    def refuses(self, entity: Entity) -> str:
        """A side at most."""
        return check_place(entity, (), lobes=False)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Let fluid into the lung about the hila."""
        words = settle(entity, rng)
        sides = words.sides if entity.location else ("left", "right")
        filling = float(rng.uniform(*FILLING[words.severity]))
        reach = float(rng.uniform(48.0, 62.0))
        extent = np.zeros_like(body.water)
        x, y, z = body.coordinates()
        grain = texture(body.water.shape, np.random.default_rng(int(rng.integers(2**32))))
        hilum = body.marks.heart[2] + 25.0
        for side in sides:
            sign = 1.0 if side == "left" else -1.0
            distance = np.sqrt(
                ((x - 45.0 * sign) / reach) ** 2
                + ((y - 5.0) / (1.2 * reach)) ** 2
                + ((z - hilum) / (1.35 * reach)) ** 2
            )
            haze = np.exp(-(distance**2)) * (1.0 + 0.25 * grain)
            share = (lung_share(body, side) * np.clip(filling * haze, 0.0, 0.9)).astype(np.float32)
            body.fill(share, 1.0)
            extent += share
        parameters: dict[str, Any] = {
            "sides": list(sides),
            "severity": words.severity,
            "filling": filling,
            "reach_mm": reach,
        }
        return Change(parameters, body.claim(extent), least_path=1.0)
