"""Loculated pleural effusion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.finding import Change, check_place, settle, smooth_step
from syncxr.images.simulation.findings.lungs import affected
from syncxr.images.simulation.findings.pleura.effusion import COMPRESSION, DENSITY
from syncxr.images.simulation.findings.texture import clouds
from syncxr.sample import Entity

THICKNESS = {"mild": (14.0, 19.0), "moderate": (24.0, 32.0), "severe": (40.0, 54.0)}
"""From the wall into the chest, mm; by volume small, moderate and large (Light, Pleural
Diseases)."""

DEEP = (0.6, 0.95)
"""Half its reach from front to back over half its height: a lens is as thick as fluid for a few
centimetres of the beam only."""

AREA_CM2 = {"mild": (5.0, 60.0), "moderate": (12.0, 100.0), "severe": (25.0, 160.0)}
"""On the film, a side: lenses of 7 to 17 cm along the wall and of the thickness above, seen in
profile or a little turned, where their edge fades."""


@dataclass(frozen=True)
class Loculated:
    """Fluid held by adhesions against the chest wall: a lens with its convex side to the lung.

    Its angles with the wall are obtuse, it does not follow gravity, and its edge is sharp where
    the beam touches it (Felson, Chest Roentgenology, 1973). Lung beside it is compressed, unless
    the text denies it.
    """

    concept: str = "loculated effusion"
    area_cm2: Mapping[str, tuple[float, float]] = field(default_factory=lambda: AREA_CM2)

    def refuses(self, entity: Entity) -> str:
        """Any height along the wall will do, the base is usual."""
        return check_place(entity, ("base",), False)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Lay a lens against the wall, one a side."""
        words = settle(entity, rng, ("base", "lower zone", "mid zone"))
        extent = np.zeros_like(body.water)
        lenses: dict[str, Any] = {}
        for lung in affected(body, words, rng):
            thick = float(lung.chance.uniform(*THICKNESS[words.severity]))
            half = 36.0 + 0.75 * thick * float(lung.chance.uniform(0.9, 1.2))
            low, high = {"base": (-0.02, 0.18), "lower zone": (0.1, 0.3)}.get(
                words.zone, (0.35, 0.6)
            )
            level = float(lung.chance.uniform(low, high))
            z = body.marks.dome + level * (body.marks.apex - body.marks.dome)
            y = float(lung.chance.uniform(-35.0, 15.0))
            deep = half * float(lung.chance.uniform(*DEEP))
            off = ((lung.z - z) / half) ** 2 + ((lung.y - y) / deep) ** 2
            # Only the outer half of the lung has the lateral wall for its nearest.
            lateral = smooth_step(lung.sign * lung.x, 30.0, 55.0)
            depth = thick * np.clip(1.0 - off, 0.0, None) * lateral
            depth = depth * (1.0 + 0.14 * lung.texture(clouds))
            over = np.asarray(depth - lung.wall, np.float32)
            held = smooth_step(depth, 0.5, 3.0)  # type: ignore[arg-type]
            share = lung.share * smooth_step(over, -3.0, 3.0) * held
            lung.fill(share, DENSITY, extent)
            if body.denied.isdisjoint(COMPRESSION):
                beside = 0.3 * np.exp(-np.maximum(-over, 0.0) / 9.0) * held
                rim = np.asarray((lung.share - share).clip(0.0) * beside, np.float32)
                lung.fill(rim, np.maximum(lung.water, np.float32(1.0)), extent)
            lenses[lung.side] = {"centre_mm": [y, z], "thickness_mm": thick, "half_height_mm": half}
        return Change({**words.to_dict(), "lenses": lenses}, body.claim(extent), least_path=0.8)


LOCULATED = (
    Loculated(),
    # Pus between adhesions makes a lens as other fluid does (Light, Pleural Diseases).
    Loculated("empyema"),
)
