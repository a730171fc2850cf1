"""Pericardium and air round the heart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from syncxr.images.simulation.anatomy import WIDEST_NORMAL
from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.curves import Points, through
from syncxr.images.simulation.findings.finding import SEVERITIES, Areas, Change, check_place, settle
from syncxr.images.simulation.findings.heart.lumps import Lump, border, grow
from syncxr.images.simulation.shapes import Material, Shape, Tube
from syncxr.images.simulation.shapes.materials import GAS
from syncxr.sample import Entity

FLUID_MM = {"mild": (8.0, 11.0), "moderate": (14.0, 19.0), "severe": (23.0, 30.0)}
"""Layer of fluid: below 10 mm small, above 20 mm large (Adler et al., ESC guideline, Eur Heart J
2015); a film shows it from 200 to 250 ml on, so the small one lies at the upper end."""

FLUID_AREA_CM2 = {"mild": (30.0, 110.0), "moderate": (50.0, 150.0), "severe": (80.0, 220.0)}
"""On the film: a rim of that width round a heart of 80 to 120 cm², and what lies before it."""

AIR_AREA_CM2 = dict.fromkeys(SEVERITIES, (8.0, 70.0))
"""On the film: strips of 2 to 5 mm along 15 cm of border, and streaks up to the neck."""

_NORMAL_RATIO = 0.49
"""Cardiothoracic ratio, fluid included, where the text calls the heart's size normal."""

_NARROWEST = 0.36
"""Cardiothoracic ratio of a normal heart within."""

_PLEURA = Material(water=2.4)
"""Mediastinal pleura, seen on edge: as much as a tube of 0.56 mm stands for over 8 mm of depth."""


@dataclass(frozen=True)
class PericardialEffusion:
    """Fluid round the heart: a wide, globular shadow with a steep left border (water bottle).

    The cardiac shadow that reports grade is heart and fluid together. So a heart that is enlarged
    as well is so much smaller within, and where the text calls the heart's size normal a small
    effusion lies round a narrow heart.
    """

    concept: str = "pericardial effusion"

    area_cm2: ClassVar[Areas] = FLUID_AREA_CM2

    def refuses(self, entity: Entity) -> str:
        """The heart has no side."""
        return "the heart is in one place" if entity.location else check_place(entity, (), False)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Fill an ellipsoid round the heart."""
        words = settle(entity, rng)
        layer = float(rng.uniform(*FLUID_MM[words.severity]))
        x, y, z = body.marks.heart
        left, right, front, foot = body.marks.heart_reach
        lump = Lump(
            (x + 0.5 * (left - right), y, z + 0.12 * foot),
            (0.5 * (left + right) + layer, front + 0.5 * layer, 1.1 * foot + 0.6 * layer),
        )
        parameters = {"severity": words.severity, "layer_mm": layer}
        body.pericardium = grow(body, [lump], 1.02)
        return Change(parameters, body.pericardium, patient=_heart(body, layer), least_path=1.0)


def _heart(body: Body, layer: float) -> dict[str, float]:
    """What the patient's heart is to be, so that its shadow is as the words have it."""
    if body.patient.heart_ratio > WIDEST_NORMAL:
        return {"pericardial_fluid": layer}
    if "cardiomegaly" not in body.denied:
        return {}
    room = _NORMAL_RATIO - 2.0 * layer / body.marks.thorax_width
    return {"heart_ratio": min(body.sampled.heart_ratio, max(_NARROWEST, room))}


@dataclass(frozen=True)
class Pneumomediastinum:
    """Air round heart and great vessels.

    Dark strips along the heart's border under a fine white line of lifted pleura, and streaks up
    into the neck (Zylak et al., RadioGraphics 2000).
    """

    concept: str = "pneumomediastinum"

    area_cm2: ClassVar[Areas] = AIR_AREA_CM2

    def refuses(self, entity: Entity) -> str:
        """It has no side."""
        return "it has no side" if entity.location else check_place(entity, (), False)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Left border always, right border at times, neck."""
        width = float(rng.uniform(1.6, 2.6))
        sides = ("left", "right") if rng.random() < 0.5 else ("left",)
        shapes: list[Shape] = []
        for side in sides:
            shapes += _strip(body, side, width, rng)
        streaks = int(rng.integers(14, 26))
        shapes += [_streak(body, rng) for _ in range(streaks)]
        parameters = {"sides": list(sides), "width_mm": 2 * width, "streaks": streaks}
        return Change(parameters, shapes=tuple(shapes), least_path=0.05)


def _strip(body: Body, side: str, width: float, rng: np.random.Generator) -> list[Shape]:
    """Air just within the border of heart and mediastinum, pleura just beyond."""
    sign = 1.0 if side == "left" else -1.0
    y = body.marks.heart[1] + 8.0
    z, x = border(body, side, y)
    low = body.marks.dome + float(rng.uniform(14.0, 30.0))
    high = body.marks.apex - float(rng.uniform(25.0, 45.0))
    heights = np.arange(high, low, -16.0)
    edge = np.interp(heights, z, x)
    layers: list[Shape] = []
    for depth in (-14.0, -7.0, 0.0, 7.0, 14.0):
        line = through(
            np.stack([edge - 0.6 * sign * width, np.full_like(edge, y + depth), heights], 1)
        )
        swell = width * np.sin(np.pi * np.linspace(0.06, 0.94, len(line))) ** 0.5
        layers.append(Tube(line, swell.astype(np.float32), GAS))
    pleura = through(np.stack([edge + 0.6 * sign * width, np.full_like(edge, y), heights], 1))
    layers.append(Tube(pleura, 0.5, _PLEURA))
    return layers


def _streak(body: Body, rng: np.random.Generator) -> Tube:
    """Upwards beside the trachea, into the neck."""
    top: Points = body.courses.trachea[0]
    side = float(rng.choice([-1.0, 1.0]))
    x = top[0] + side * float(rng.uniform(9.0, 40.0))
    y = top[1] + float(rng.uniform(-14.0, 16.0))
    z = top[2] + float(rng.uniform(-45.0, 34.0))
    length = float(rng.uniform(14.0, 40.0))
    bend = float(rng.normal(0.0, 2.0))
    line = through(
        [(x, y, z), (x + bend, y, z - 0.5 * length), (x + 0.4 * bend, y, z - length)], 4.0
    )
    swell = float(rng.uniform(0.9, 2.4)) * np.sin(np.pi * np.linspace(0.08, 0.92, len(line)))
    return Tube(line, swell.astype(np.float32), GAS)


PERICARDIUM = (PericardialEffusion(), Pneumomediastinum())
