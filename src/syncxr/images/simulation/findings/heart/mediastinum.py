"""Mediastinum: wide, with a mass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.finding import (
    Areas,
    Change,
    check_place,
    settle,
    smooth_step,
)
from syncxr.images.simulation.findings.heart.deviation import TRACHEA_MM, Deviation
from syncxr.images.simulation.findings.heart.hernia import HiatalHernia
from syncxr.images.simulation.findings.heart.lumps import (
    TISSUE,
    Lump,
    border,
    grow,
)
from syncxr.sample import Entity

WIDENING = {"mild": (9.0, 13.0), "moderate": (16.0, 22.0), "severe": (26.0, 34.0)}
"""Beyond the patient's own border, a side, mm: from 8 cm in all at the arch a mediastinum is called
wide, the usual limit after trauma; the source's measures 6 to 7."""

WIDENING_AREA_CM2 = {"mild": (6.0, 50.0), "moderate": (12.0, 75.0), "severe": (22.0, 110.0)}
"""On the film: two strips of that width over 7 to 11 cm."""

MASS_MM = {"mild": (17.0, 21.0), "moderate": (24.0, 31.0), "severe": (36.0, 46.0)}
"""Radius of a mediastinal mass."""

MASS_AREA_CM2 = {"mild": (2.0, 20.0), "moderate": (5.0, 40.0), "severe": (12.0, 90.0)}
"""On the film: the part beyond the mediastinum's border."""


def _nowhere(entity: Entity) -> str:
    return "it has no side" if entity.location else check_place(entity, (), False)


@dataclass(frozen=True)
class Widening:
    """The upper mediastinum's borders move outwards, straight and smooth, on both sides."""

    concept: str = "mediastinal widening"

    area_cm2: ClassVar[Areas] = WIDENING_AREA_CM2

    def refuses(self, entity: Entity) -> str:
        """It has no side."""
        return _nowhere(entity)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Replace lung beside the mediastinum, from the hila to above the arch."""
        words = settle(entity, rng)
        total = float(rng.uniform(*WIDENING[words.severity]))
        lean = float(rng.uniform(0.75, 1.25))
        extent = np.zeros_like(body.water)
        slabs, (_, cy, cz) = body.slabs, body.marks.carina
        depth = 1.0 - smooth_step(np.abs(slabs.centres - cy - 14.0), 34.0, 50.0)
        for side, sign, more in (
            ("left", 1.0, total * lean),
            ("right", -1.0, total * (2.0 - lean)),
        ):
            z, x = border(body, side)
            edge = np.interp(slabs.rows, z, x)
            tall = smooth_step(slabs.rows, cz - 38.0, cz + 4.0)
            tall *= 1.0 - smooth_step(slabs.rows, body.marks.apex - 38.0, body.marks.apex - 2.0)
            reach = edge + sign * more * tall
            inside = smooth_step(sign * (reach[:, None] - slabs.columns[None, :]), -2.0, 2.0)
            inside *= tall[:, None] > 0.02
            share = body.lungs[side] * inside[None] * depth[:, None, None]
            body.fill(share.astype(np.float32), TISSUE)
            extent += share
        body.claim(extent)
        parameters = {"severity": words.severity, "widening_mm": total}
        return Change(parameters, extent, least_path=1.0)


@dataclass(frozen=True)
class MediastinalMass:
    """A rounded mass that bulges from the mediastinum into one lung, with an obtuse angle."""

    concept: str = "mediastinal mass"

    area_cm2: ClassVar[Areas] = MASS_AREA_CM2

    def refuses(self, entity: Entity) -> str:
        """It has no side."""
        return _nowhere(entity)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Put it before or beside the great vessels."""
        words = settle(entity, rng)
        radius = float(rng.uniform(*MASS_MM[words.severity]))
        side = ("left", "right")[int(rng.integers(2))]
        height = body.marks.carina[2] + float(rng.uniform(-25.0, 28.0))
        y = body.marks.carina[1] + float(rng.uniform(10.0, 40.0))
        z, x = border(body, side, y)
        edge = float(np.interp(height, z, x))
        stretch = float(rng.uniform(1.0, 1.3))
        sign = 1.0 if side == "left" else -1.0
        lump = Lump(
            (edge + sign * 0.15 * radius, y, height), (0.85 * radius, radius, stretch * radius)
        )
        parameters = {"severity": words.severity, "radius_mm": radius, "side": side}
        return Change(parameters, grow(body, [lump]), least_path=0.8)


@dataclass(frozen=True)
class Goiter:
    """A thyroid that grows down behind the sternum.

    The upper mediastinum is wide on one side and the trachea bows away from it, from the neck to
    the arch.
    """

    concept: str = "thyroid goiter"

    area_cm2: ClassVar[Areas] = MASS_AREA_CM2

    def refuses(self, entity: Entity) -> str:
        """It has no side."""
        return _nowhere(entity)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """A mass at the inlet, the trachea away from it."""
        words = settle(entity, rng)
        radius = 0.8 * float(rng.uniform(*MASS_MM[words.severity]))
        push = float(rng.uniform(*TRACHEA_MM[words.severity]))
        side = ("left", "right")[int(rng.integers(2))]
        sign = 1.0 if side == "left" else -1.0
        height = body.marks.apex - float(rng.uniform(22.0, 32.0))
        y = body.marks.carina[1] + 22.0
        z, x = border(body, side, y)
        edge = float(np.interp(height, z, x))
        lump = Lump((edge, y, height), (0.85 * radius, radius, 1.4 * radius))
        parameters = {"severity": words.severity, "radius_mm": radius, "side": side}
        wanted = {} if "tracheal deviation" in body.denied else {"upper_shift": -sign * push}
        return Change(parameters, grow(body, [lump]), patient=wanted, least_path=0.8)


MEDIASTINUM = (
    Deviation("mediastinal shift", whole=True),
    Deviation("tracheal deviation", whole=False),
    Widening(),
    MediastinalMass(),
    Goiter(),
    HiatalHernia(),
)
