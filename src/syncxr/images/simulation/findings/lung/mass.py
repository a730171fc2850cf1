"""Pulmonary mass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.finding import (
    Change,
    check_place,
    lung_share,
    pick_centre,
    settle,
)
from syncxr.images.simulation.findings.lung.opacity import ZONES
from syncxr.sample import Entity

RADII = {"mild": (17.0, 20.0), "moderate": (21.0, 26.0), "severe": (28.0, 38.0)}
"""By severity, mm: a mass is more than 3 cm wide (Fleischner Society glossary, 2008)."""

_SOURCE_RADIUS = 11.3
"""Of a sphere with the 6.0 cm³ of the mass that was taken out of the source CT, mm."""


@dataclass(frozen=True)
class Mass:
    """A spiculated mass: the one removed from the source CT, turned, scaled and put elsewhere."""

    concept: str = "mass"

    def refuses(self, entity: Entity) -> str:
        """Any lobe or zone will do."""
        return check_place(entity, ZONES, lobes=True)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Place one mass a side."""
        words = settle(entity, rng)
        extent = np.zeros_like(body.water)
        placed: dict[str, Any] = {}
        x, y, z = body.coordinates()
        middle = ndimage.center_of_mass(body.mass)
        for side in ("left", "right"):
            radius = float(rng.uniform(*RADII[words.severity]))
            angle = float(rng.uniform(0.0, 2.0 * np.pi))
            stretch = float(rng.uniform(0.9, 1.15))
            place_seed = int(rng.integers(2**32))
            if side not in words.sides:
                continue
            lung = lung_share(body, side, words.lobe)
            chance = np.random.default_rng(place_seed)
            centre = pick_centre(body, lung, words.zone, 0.6 * radius, chance, clear=0.8)
            scale = _SOURCE_RADIUS / radius / body.mass_spacing
            dx, dz = (x - centre[0]) * stretch, (z - centre[2]) / stretch
            turned = (
                (y - centre[1]) + 0.0 * dx + 0.0 * dz,
                np.cos(angle) * dz - np.sin(angle) * dx + 0.0 * y,
                np.sin(angle) * dz + np.cos(angle) * dx + 0.0 * y,
            )
            index = [
                axis * scale + middle_of for axis, middle_of in zip(turned, middle, strict=True)
            ]
            share = lung * ndimage.map_coordinates(body.mass, index, order=1).astype(np.float32)
            body.fill(share, 1.04)
            extent += share
            placed[side] = {"radius_mm": radius, "centre_mm": list(centre), "turn": angle}
        return Change({**words.to_dict(), "placed": placed}, body.claim(extent), least_path=0.8)
