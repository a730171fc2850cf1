"""Calcified rings and arteries of the heart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.curves import Points
from syncxr.images.simulation.findings.finding import SEVERITIES, Areas, Change, check_place
from syncxr.images.simulation.shapes import Shape, Tube
from syncxr.images.simulation.shapes.materials import CALCIUM
from syncxr.sample import Entity

VALVE_AREA_CM2 = dict.fromkeys(SEVERITIES, (1.0, 14.0))
"""On the film: an arc of some 8 cm by 3 to 6 mm."""

CORONARY_AREA_CM2 = dict.fromkeys(SEVERITIES, (0.3, 8.0))
"""On the film: two to four pieces of 1 to 3 cm by some 3 mm."""


@dataclass(frozen=True)
class ValveCalcification:
    """A calcified mitral annulus: a thick, bright C or J in the heart's lower left.

    The commonest of the heart's calcified valves to be seen on films (Fraser & Paré, 4th ed.).
    """

    concept: str = "valve calcification"

    area_cm2: ClassVar[Areas] = VALVE_AREA_CM2

    def refuses(self, entity: Entity) -> str:
        """The heart has no side."""
        return "the heart is in one place" if entity.location else check_place(entity, (), False)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Lay the C round the annulus."""
        x, y, z = body.marks.heart
        left, _, front, foot = body.marks.heart_reach
        middle = np.array([x + 0.32 * left, y - 0.25 * front, z - 0.15 * foot])
        radius, wide = float(rng.uniform(14.0, 18.0)), float(rng.uniform(1.6, 3.0))
        span = float(rng.uniform(150.0, 270.0))
        angle = np.deg2rad(float(rng.uniform(80.0, 130.0)) + np.linspace(0.0, span, 26))
        first, second = np.array([0.55, 0.2, 0.8]), np.array([0.72, -0.55, -0.42])
        curve = middle + radius * (np.cos(angle)[:, None] * first + np.sin(angle)[:, None] * second)
        lumpy = wide * rng.uniform(0.75, 1.2, len(curve))
        tube = Tube(curve.astype(np.float32), lumpy.astype(np.float32), CALCIUM)
        return Change(
            {"ring_mm": 2 * radius, "span_degrees": span}, shapes=(tube,), least_path=0.05
        )


@dataclass(frozen=True)
class CoronaryCalcification:
    """Fine parallel lines near the left upper border of the heart.

    There left main, anterior descending and circumflex arteries run; their first centimetres
    calcify most often.
    """

    concept: str = "coronary calcification"

    area_cm2: ClassVar[Areas] = CORONARY_AREA_CM2

    def refuses(self, entity: Entity) -> str:
        """The heart has no side."""
        return "the heart is in one place" if entity.location else check_place(entity, (), False)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Pieces of artery in the coronary triangle."""
        x, y, z = body.marks.heart
        left, _, front, foot = body.marks.heart_reach
        start: Points = np.array([x + 0.25 * left, y + 0.4 * front, z + 0.75 * foot])
        shapes: list[Shape] = []
        for _ in range(int(rng.integers(2, 5))):
            begin = start + rng.normal(0.0, 4.0, 3)
            way = np.array([rng.uniform(0.4, 0.9), rng.uniform(-0.6, 0.6), -rng.uniform(0.3, 0.9)])
            share = np.linspace(0.0, float(rng.uniform(10.0, 26.0)), 7)[:, None]
            bend = rng.normal(0.0, 1.5, 3) * np.sin(np.pi * share / share[-1])
            curve = begin + share * way / np.linalg.norm(way) + bend
            shapes.append(
                Tube(curve.astype(np.float32), float(rng.uniform(1.2, 1.9)), CALCIUM, lumen=0.5)
            )
        return Change({"pieces": len(shapes)}, shapes=tuple(shapes), least_path=0.03)


CALCIUM_OF_THE_HEART = (ValveCalcification(), CoronaryCalcification())
