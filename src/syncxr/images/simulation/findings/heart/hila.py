"""The hila: nodes, masses, wide vessels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from syncxr.entities.location import Location
from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.finding import SEVERITIES, Areas, Change, numbers, settle
from syncxr.images.simulation.findings.heart.lumps import Lump, grow
from syncxr.images.simulation.shapes import Ellipsoid, Shape
from syncxr.images.simulation.shapes.materials import CALCIUM
from syncxr.sample import Entity

NODES_MM = {"mild": (8.0, 10.5), "moderate": (12.0, 15.0), "severe": (17.0, 21.0)}
"""Radius of enlarged nodes: beyond 1 cm across, seen on a film from about 1.5 cm (Fraser & Paré,
4th ed., ch. 1: hilar enlargement)."""

MASSES_MM = {"mild": (16.0, 19.0), "moderate": (21.0, 25.0), "severe": (28.0, 34.0)}
"""Radius of a mass: more than 3 cm wide (Fleischner Society glossary, 2008)."""

ARTERIES = {"mild": (1.28, 1.36), "moderate": (1.44, 1.54), "severe": (1.64, 1.76)}
"""Width of the hilar arteries against the source's: the right descending artery is wide above 16 mm
in men, 15 mm in women, a good quarter more than in most (own reading)."""

AREA_CM2 = {"mild": (1.0, 22.0), "moderate": (2.5, 34.0), "severe": (5.0, 60.0)}
"""On the film, a side: one to five of these nodes, half of them beyond the heart's shadow."""

CALCIFIED_AREA_CM2 = dict.fromkeys(SEVERITIES, (0.3, 8.0))
"""On the film: one to three nodes of up to 1.5 cm."""


def _refuse(entity: Entity) -> str:
    """Hila have sides and lie at the hilum."""
    place = Location.parse(entity.location)
    if place.zone not in ("", "hilum"):
        return f"{place.zone!r} is no place this finding can be drawn at"
    return ""


def hilum_of(body: Body, side: str) -> tuple[float, float, float]:
    """Where vessels leave the mediastinum; the left hilum lies 1 to 2 cm higher."""
    x, y, z = body.marks.carina
    return (x + 41.0, y - 4.0, z - 4.0) if side == "left" else (x - 38.0, y + 2.0, z - 15.0)


@dataclass(frozen=True)
class Nodes:
    """A lobulated hilum: enlarged nodes, or a mass, of rounded outline against the lung.

    Attributes:
        concept: Of the lexicon.
        radii: By severity, mm.
        count: Fewest and most a side.
        both: Share on both sides where no side is named: nodes in sarcoidosis and infection
            mostly are, tumours are not.
    """

    concept: str
    radii: Mapping[str, tuple[float, float]]
    count: tuple[int, int]
    both: float
    area_cm2: Mapping[str, tuple[float, float]] = field(default_factory=lambda: AREA_CM2)

    def refuses(self, entity: Entity) -> str:
        """Hila have sides."""
        return _refuse(entity)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Let nodes grow into the lung."""
        words = settle(entity, rng)
        both = rng.random() < self.both and not Location.parse(entity.location).side
        lumps: list[Lump] = []
        placed: dict[str, Any] = {}
        for side in ("left", "right"):
            seed = int(rng.integers(2**32))
            if side not in words.sides and not both:
                continue
            found = self._side(body, side, words.severity, np.random.default_rng(seed))
            lumps += found
            placed[side] = [{"centre_mm": list(n.centre), "radii_mm": list(n.radii)} for n in found]
        parameters = {"severity": words.severity, "nodes": placed}
        return Change(parameters, grow(body, lumps), least_path=0.6)

    def _side(self, body: Body, side: str, severity: str, rng: np.random.Generator) -> list[Lump]:
        """Nodes round one hilum."""
        sign = 1.0 if side == "left" else -1.0
        x, y, z = hilum_of(body, side)
        count = int(rng.integers(self.count[0], self.count[1] + 1))
        lumps = []
        for number in range(count):
            share = float(rng.random())
            low, high = self.radii[severity]
            radius = (low + share * (high - low)) * (1.0 if number == 0 else 0.75)
            turn = float(rng.uniform(0.0, 2.0 * np.pi))
            off = 0.0 if number == 0 else 0.9 * radius
            centre = (
                x + sign * min(0.7 * radius, 13.0) + off * 0.6 * np.cos(turn),
                y + float(rng.uniform(-8.0, 8.0)),
                z + 1.2 * off * np.sin(turn),
            )
            stretch = rng.uniform(0.88, 1.15, 3)
            lumps.append(
                Lump(
                    (float(centre[0]), float(centre[1]), float(centre[2])),
                    (float(radius * stretch[0]), float(radius), float(radius * stretch[2])),
                )
            )
        return lumps


@dataclass(frozen=True)
class WideArteries:
    """Wide pulmonary arteries: full, smooth hila and a bulging left border above the heart.

    Mask: the bulge of the main artery and the hila.
    """

    concept: str = "pulmonary artery enlargement"

    area_cm2: ClassVar[Areas] = AREA_CM2

    def refuses(self, entity: Entity) -> str:
        """Hila have sides."""
        return _refuse(entity)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Widen the hila and let the main artery bulge."""
        words = settle(entity, rng)
        value = float(rng.uniform(*ARTERIES[words.severity]))
        side = Location.parse(entity.location).side
        sides = words.sides if side else ("left", "right")
        x, y, z = body.marks.carina
        lumps = []
        if "left" in sides:
            bulge = 42.0 * (value - 1.0)
            lumps.append(
                Lump((x + 32.0, y + 28.0, z - 20.0), (10.0 + bulge, 20.0, 15.0 + 0.4 * bulge))
            )
        for one in sides:
            sign = 1.0 if one == "left" else -1.0
            hx, hy, hz = hilum_of(body, one)
            wide = 9.0 * value
            lumps.append(Lump((hx + sign * 4.0, hy, hz - 12.0), (wide, wide, 1.9 * wide)))
        wanted = {f"{one}_hilum": min(value, 1.7) for one in sides}
        parameters = {"severity": words.severity, "width": value, "sides": list(sides)}
        return Change(parameters, grow(body, lumps), patient=wanted, least_path=0.6)


@dataclass(frozen=True)
class CalcifiedNodes:
    """One to three small, dense, lumpy nodes at the hilum or below the carina: old infection."""

    concept: str = "calcified lymph node"

    area_cm2: ClassVar[Areas] = CALCIFIED_AREA_CM2

    def refuses(self, entity: Entity) -> str:
        """Hila have sides."""
        return _refuse(entity)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Put them at the hilum."""
        words = settle(entity, rng)
        shapes: list[Shape] = []
        placed: list[list[float]] = []
        for side, count in numbers(body, words, int(rng.integers(1, 4))).items():
            x, y, z = hilum_of(body, side)
            for _ in range(count):
                middle = np.array([x, y, z]) + rng.normal(0.0, 1.0, 3) * (7.0, 6.0, 9.0)
                radius = float(rng.uniform(2.8, 5.0))
                placed.append([float(value) for value in middle])
                for _ in range(4):
                    cx, cy, cz = (float(v) for v in middle + rng.normal(0.0, 0.4 * radius, 3))
                    radii = rng.uniform(0.45, 0.8, 3) * radius
                    shapes.append(
                        Ellipsoid(
                            (cx, cy, cz),
                            (float(radii[0]), float(radii[1]), float(radii[2])),
                            CALCIUM,
                        )
                    )
        return Change({"nodes_mm": placed}, shapes=tuple(shapes), least_path=0.05)


HILA = (
    WideArteries(),
    Nodes("hilar enlargement", NODES_MM, (2, 3), 0.4),
    Nodes("lymphadenopathy", NODES_MM, (3, 5), 0.7),
    Nodes("hilar mass", MASSES_MM, (1, 1), 0.0),
    CalcifiedNodes(),
)
