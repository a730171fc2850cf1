"""Pulmonary nodules, soft and calcified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from syncxr.images.simulation.body import LUNG_DENSITY, Body
from syncxr.images.simulation.findings.finding import (
    Change,
    check_place,
    lung_share,
    pick_centre,
    settle,
)
from syncxr.images.simulation.findings.lung.opacity import ZONES
from syncxr.images.simulation.shapes import Ellipsoid, Material, Shape
from syncxr.sample import Entity

RADII = {"mild": (4.5, 6.5), "moderate": (7.0, 10.0), "severe": (11.0, 14.5)}
"""By severity, mm: a nodule is at most 3 cm wide (Fleischner Society glossary, Radiology 2008)."""


CALCIFIED_RADII = {"mild": (3.2, 4.2), "moderate": (4.2, 5.5), "severe": (5.5, 7.0)}
"""Of a healed granuloma, mm: mostly below 10 mm wide."""


@dataclass(frozen=True)
class Nodule:
    """A rounded, well-defined opacity within the lung.

    Put where lung lies open in a frontal view: a nodule that no reader could see is no positive.

    Attributes:
        concept: Of the lexicon.
        radii: By severity, mm.
        density: g/cm³; 1.05 soft tissue, 2 calcified as far as a beam through water is concerned.
    """

    concept: str
    radii: Mapping[str, tuple[float, float]]
    density: float

    def refuses(self, entity: Entity) -> str:
        """Any lobe or zone will do."""
        return check_place(entity, ZONES, lobes=True)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Place one sphere a side."""
        words = settle(entity, rng)
        shapes: list[Shape] = []
        placed: dict[str, Any] = {}
        for side in ("left", "right"):
            radius = float(rng.uniform(*self.radii[words.severity]))
            squash = float(rng.uniform(0.88, 1.12))
            place_seed = int(rng.integers(2**32))
            if side not in words.sides:
                continue
            lung = lung_share(body, side, words.lobe)
            chance = np.random.default_rng(place_seed)
            centre = pick_centre(body, lung, words.zone, radius + 6.0, chance, clear=0.95)
            added = Material(water=self.density - LUNG_DENSITY)
            shapes.append(Ellipsoid(centre, (radius * squash, radius, radius / squash), added))
            placed[side] = {"radius_mm": radius, "centre_mm": list(centre)}
        return Change({**words.to_dict(), "placed": placed}, shapes=tuple(shapes), least_path=0.1)


NODULES = (
    Nodule("nodule", RADII, 1.05),
    Nodule("calcified nodule", CALCIFIED_RADII, 2.0),
    Nodule("granuloma", CALCIFIED_RADII, 2.0),
)
