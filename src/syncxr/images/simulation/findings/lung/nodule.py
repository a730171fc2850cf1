"""Pulmonary nodules, soft and calcified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from syncxr.images.simulation.body import LUNG_DENSITY, Body
from syncxr.images.simulation.findings.finding import (
    Change,
    Point,
    apart,
    check_place,
    lung_share,
    numbers,
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

AREA_CM2 = {"mild": (0.5, 3.0), "moderate": (1.2, 6.0), "severe": (3.0, 11.0)}
"""On the film, of one: circles of these radii, magnified by up to 1.15, and a pixel's edge."""

CALCIFIED_AREA_CM2 = {"mild": (0.25, 1.8), "moderate": (0.5, 2.6), "severe": (0.8, 4.0)}
"""The same of a granuloma."""

SOFT = Material(water=1.04 - LUNG_DENSITY)
"""Some 40 HU where lung was, as soft tissue without contrast medium has (own reading)."""

CALCIFIED = Material(water=1.04 - LUNG_DENSITY, bone=0.5)
"""Some 700 HU: diffuse calcium, far above the 164 HU from which nodules count as benign (Siegelman
et al., AJR 1980)."""


@dataclass(frozen=True)
class Nodule:
    """A rounded, well-defined opacity within the lung, its outline not quite even.

    Put where lung lies open in a frontal view: a nodule that no reader could see is no positive.

    Attributes:
        concept: Of the lexicon.
        radii: By severity, mm.
        material: What it adds to lung.
        area_cm2: On the film, of one, by severity.
    """

    concept: str
    radii: Mapping[str, tuple[float, float]]
    material: Material
    area_cm2: Mapping[str, tuple[float, float]]

    def refuses(self, entity: Entity) -> str:
        """Any lobe or zone will do."""
        return check_place(entity, ZONES, lobes=True)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Place one sphere a side, or as many as the words say."""
        words = settle(entity, rng)
        each = numbers(body, words)
        shapes: list[Shape] = []
        placed: dict[str, Any] = {}
        for side in ("left", "right"):
            chance = np.random.default_rng(int(rng.integers(2**32)))
            if side not in words.sides:
                continue
            lung = lung_share(body, side, words.lobe)
            placed[side] = []
            taken: list[tuple[Point, float]] = []
            for _ in range(each[side]):
                radius = float(chance.uniform(*self.radii[words.severity]))
                place = partial(
                    pick_centre, body, lung, words.zone, radius + 6.0, chance, clear=0.95
                )
                centre = apart(place, radius, taken)
                taken.append((centre, radius))
                shapes += _lumpy(centre, radius, self.material, chance)
                placed[side].append({"radius_mm": radius, "centre_mm": list(centre)})
        return Change({**words.to_dict(), "placed": placed}, shapes=tuple(shapes), least_path=0.1)


def _lumpy(
    centre: tuple[float, float, float], radius: float, material: Material, rng: np.random.Generator
) -> list[Shape]:
    """An ellipsoid with low bumps: where they overlap it, both together weigh little more."""
    squash = float(rng.uniform(0.88, 1.12))
    turn = float(rng.uniform(0.0, 180.0))
    core = 0.94 * radius
    shapes: list[Shape] = [Ellipsoid(centre, (core * squash, core, core / squash), material, turn)]
    bump = Material(0.45 * material.water, 0.45 * material.bone)
    for _ in range(int(rng.integers(3, 6))):
        way = rng.normal(0.0, 1.0, 3)
        way /= np.linalg.norm(way)
        x, y, z = (float(value) for value in np.array(centre) + 0.68 * radius * way)
        size = float(rng.uniform(0.32, 0.46)) * radius
        shapes.append(Ellipsoid((x, y, z), (size, size, size), bump))
    return shapes


NODULES = (
    Nodule("nodule", RADII, SOFT, AREA_CM2),
    Nodule("calcified nodule", CALCIFIED_RADII, CALCIFIED, CALCIFIED_AREA_CM2),
    Nodule("granuloma", CALCIFIED_RADII, CALCIFIED, CALCIFIED_AREA_CM2),
)
