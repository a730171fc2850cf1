"""Plate-like atelectasis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.finding import (
    Change,
    Point,
    apart,
    check_place,
    numbers,
    settle,
    smooth_step,
)
from syncxr.images.simulation.findings.lung.opacity import ZONES
from syncxr.images.simulation.findings.lungs import affected
from syncxr.images.simulation.findings.texture import clouds
from syncxr.sample import Entity

BANDS = {"mild": 1, "moderate": 2, "severe": 3}
"""Number of bands by severity."""

AREA_CM2 = {"mild": (0.5, 14.0), "moderate": (1.2, 26.0), "severe": (2.0, 40.0)}
"""On the film, a side: bands 4 to 10 cm long and 2 to 8 mm thick (Woodring and Reed 1996), seen a
little tilted."""


@dataclass(frozen=True)
class Atelectasis:
    """Plate-like (discoid) atelectasis: dense bands a few millimetres thick, nearly level.

    The commonest form on radiographs, seen above the diaphragm after surgery or shallow
    breathing; the bands end at the pleura and taper towards the hilum (Woodring and Reed, J Thorac
    Imaging 1996). Collapse of a whole lobe is another finding.
    """

    concept: str = "atelectasis"
    area_cm2: Mapping[str, tuple[float, float]] = field(default_factory=lambda: AREA_CM2)

    def refuses(self, entity: Entity) -> str:
        """Any lobe or zone will do."""
        return check_place(entity, ZONES, lobes=True)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Lay bands, at the base unless the words say otherwise."""
        words = settle(entity, rng, ("base", "lower zone"))
        extent = np.zeros_like(body.water)
        bands: dict[str, Any] = {}
        each = numbers(body, words, BANDS[words.severity])
        for whole in affected(body, words, rng):
            room = whole.lobe(words.lobe)
            laid = []
            taken: list[tuple[Point, float]] = []
            for _ in range(each[whole.side]):
                place = partial(whole.pick, room, words.zone, 12.0, 0.6)
                centre = apart(place, 6.0, taken, across=0.2)
                taken.append((centre, 6.0))
                half = float(whole.chance.uniform(1.3, 2.6))
                length = float(whole.chance.uniform(26.0, 46.0))
                slope = float(whole.chance.uniform(-0.12, 0.38)) * -whole.sign
                tilt = float(whole.chance.uniform(-0.10, 0.10))
                bend = float(whole.chance.uniform(-0.0015, 0.0015))
                lung = whole.around(centre, (length + 4.0, 24.0, 0.5 * length + 6.0))
                dx, dy = lung.x - centre[0], lung.y - centre[1]
                off = lung.z - centre[2] - slope * dx - tilt * dy - bend * dx**2
                disk = np.sqrt((dx / length) ** 2 + (dy / 24.0) ** 2)
                # Thinner towards its ends, of uneven thickness, with a frayed outline.
                thick = half * (1.15 - 0.6 * disk) * (1.0 + 0.35 * lung.texture(clouds))
                share = (1.0 - smooth_step(np.abs(off) - thick, -1.0, 1.0)) * (
                    1.0 - smooth_step(disk + 0.12 * lung.texture(clouds), 0.65, 1.0)
                )
                density = np.maximum(lung.water, np.float32(0.92))
                lung.fill(lung.lobe(words.lobe) * share, density, extent)
                laid.append(
                    {
                        "centre_mm": list(centre),
                        "half_length_mm": length,
                        "thickness_mm": 2 * half,
                        "slope": slope,
                    }
                )
            bands[whole.side] = laid
        return Change({**words.to_dict(), "bands": bands}, body.claim(extent), least_path=0.7)
