"""Pulmonary nodule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from syncxr.images.simulation.body import LUNG_DENSITY, Body
from syncxr.images.simulation.findings.finding import (
    Change,
    Sphere,
    check_place,
    lung_share,
    pick_centre,
    settle,
)
from syncxr.images.simulation.findings.opacity import ZONES
from syncxr.sample import Entity

RADII = {"mild": (4.5, 6.5), "moderate": (7.0, 10.0), "severe": (11.0, 14.5)}
"""By severity, mm: a nodule is at most 3 cm wide (Fleischner Society glossary, Radiology 2008)."""


@dataclass(frozen=True)
class Nodule:
    """A rounded, well-defined opacity of soft-tissue density within the lung.

    Put where lung lies open in a frontal view: a nodule that no reader could see is no positive.
    """

    concept: str = "nodule"

    def refuses(self, entity: Entity) -> str:
        """Any lobe or zone will do."""
        return check_place(entity, ZONES, lobes=True)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Place one sphere a side."""
        words = settle(entity, rng)
        spheres: list[Sphere] = []
        placed: dict[str, Any] = {}
        for side in ("left", "right"):
            radius = float(rng.uniform(*RADII[words.severity]))
            squash = float(rng.uniform(0.88, 1.12))
            place_seed = int(rng.integers(2**32))
            if side not in words.sides:
                continue
            lung = lung_share(body, side, words.lobe)
            chance = np.random.default_rng(place_seed)
            centre = pick_centre(body, lung, words.zone, radius + 6.0, chance, clear=0.95)
            spheres.append(Sphere(centre, (radius * squash, radius / squash), 1.05 - LUNG_DENSITY))
            placed[side] = {"radius_mm": radius, "centre_mm": list(centre)}
        return Change({**words.to_dict(), "placed": placed}, spheres=tuple(spheres), least_path=0.1)
