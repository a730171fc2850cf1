"""Atelectasis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.finding import (
    Change,
    check_place,
    lung_share,
    pick_centre,
    settle,
    smooth_step,
)
from syncxr.images.simulation.findings.lung.opacity import ZONES
from syncxr.sample import Entity

BANDS = {"mild": 1, "moderate": 2, "severe": 3}
"""Number of bands by severity."""


@dataclass(frozen=True)
class Atelectasis:
    """Plate-like (discoid) atelectasis: dense bands a few millimetres thick, nearly level.

    The commonest form on radiographs, seen above the diaphragm after surgery or shallow
    breathing (Woodring and Reed, J Thorac Imaging 1996). Lobar collapse is another finding.
    """

    concept: str = "atelectasis"

    def refuses(self, entity: Entity) -> str:
        """Any lobe or zone will do."""
        return check_place(entity, ZONES, lobes=True)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Lay bands, at the base unless the words say otherwise."""
        words = settle(entity, rng, ("base", "lower zone"))
        extent = np.zeros_like(body.water)
        bands: dict[str, Any] = {}
        x, y, z = body.coordinates()
        for side in ("left", "right"):
            chance = np.random.default_rng(int(rng.integers(2**32)))
            if side not in words.sides:
                continue
            lung = lung_share(body, side, words.lobe)
            laid = []
            for _ in range(BANDS[words.severity]):
                centre = pick_centre(body, lung, words.zone, 15.0, chance, clear=0.6)
                half = float(chance.uniform(2.5, 4.5))
                length = float(chance.uniform(28.0, 45.0))
                slope = float(chance.uniform(-0.35, 0.35))
                bend = float(chance.uniform(-0.0012, 0.0012))
                dx = x - centre[0]
                off = np.abs(z - centre[2] - slope * dx - bend * dx**2)
                disk = np.sqrt((dx / length) ** 2 + ((y - centre[1]) / 40.0) ** 2)
                share = (1.0 - smooth_step(off, half - 1.5, half + 1.5)) * (
                    1.0 - smooth_step(disk, 0.7, 1.0)
                )
                share = (lung * share).astype(np.float32)
                body.fill(share, np.maximum(body.water, np.float32(0.95)))
                extent = np.maximum(extent, share)
                laid.append({"centre_mm": list(centre), "half_length_mm": length, "slope": slope})
            bands[side] = laid
        return Change({**words.to_dict(), "bands": bands}, body.claim(extent), least_path=1.0)
