"""The spine: curvature and wear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.curves import Points
from syncxr.images.simulation.findings.finding import SEVERITIES, Areas, Change, check_place, settle
from syncxr.images.simulation.shapes import Material, Shape, Tube
from syncxr.sample import Entity

BOWS = {"mild": (10.0, 17.0), "moderate": (21.0, 28.0), "severe": (31.0, 38.0)}
"""Sideways bow, mm, over the height of the lungs.

A half sine wave of amplitude a over a height h has a Cobb angle of 2 arctan(π a / h): 13 to 22, 27
to 35 and 39 to 46 degrees. Scoliosis begins at 10 degrees (Kim et al., RadioGraphics 2010); 25 and
40, where braces and operations are considered, are the usual steps.
"""

HUNCHES = {"mild": (11.0, 13.0), "moderate": (15.0, 17.0), "severe": (19.0, 21.0)}
"""Backward bow of the spine beyond the source's, mm; the same formula gives 14 to 26 degrees more
than normal thoracic kyphosis of 20 to 45 degrees."""

LEVELS = ("T6", "T7", "T8", "T9", "T10", "T11", "T12")
"""Where the thoracic spine wears most: osteophytes are largest at T9 to T11 (Simonovich et al.,
Clin Anat 2021)."""

SPURS_MM = {"mild": (2.5, 4.5), "moderate": (4.5, 7.5), "severe": (7.5, 12.0)}
"""Reach of osteophytes beyond the body, mm; Nathan's degrees 1 to 4 run from a mere rim to bridges
between the bodies (Nathan, J Bone Joint Surg Am 1962); the millimetres are own reading."""

_HALF_WIDTH = 26.0
"""Of the spine with its transverse processes, mm (own reading of films)."""

SPINE_AREA_CM2 = dict.fromkeys(SEVERITIES, (90.0, 230.0))
"""On the film: that width over some 22 to 30 cm."""

SPUR_AREA_CM2 = {"mild": (0.8, 45.0), "moderate": (2.5, 55.0), "severe": (3.5, 75.0)}
"""On the film: end plates of some 3 cm by 3 mm and spurs at four to seven levels."""

_SPUR = Material(bone=0.7)
_END_PLATE = Material(bone=0.65)


@dataclass(frozen=True)
class Curvature:
    """The whole trunk bows: scoliosis to one side, kyphosis backwards.

    Mask: the shadow of the thoracic spine with its transverse processes.

    Attributes:
        concept: Of the lexicon.
        field: Of the patient.
        bows: By severity, mm.
        either: Whether to either side.
    """

    concept: str
    field: str
    bows: Mapping[str, tuple[float, float]]
    either: bool

    area_cm2: ClassVar[Areas] = SPINE_AREA_CM2

    def refuses(self, entity: Entity) -> str:
        """A spine has no side."""
        return "the spine is in one place" if entity.location else check_place(entity, (), False)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Ask for a bow."""
        words = settle(entity, rng)
        bow = float(rng.uniform(*self.bows[words.severity]))
        if self.either and rng.random() < 0.5:
            bow = -bow
        parameters = {"severity": words.severity, f"{self.field}_mm": bow}
        shapes = (Tube(_column(body), _HALF_WIDTH, Material()),)
        return Change(parameters, shapes=shapes, patient={self.field: bow}, least_path=0.5)


def _column(body: Body) -> Points:
    """Middles of the thoracic bodies, downwards, (N, 3)."""
    bodies = body.courses.vertebrae
    names = [f"T{n}" for n in range(2, 13) if f"T{n}" in bodies]
    return np.array([bodies[name] for name in names], np.float32)


@dataclass(frozen=True)
class Wear:
    """Degenerative spine: spurs at the corners of the bodies, dense end plates.

    Spurs grow sideways from the end plates and turn towards the disc, more on the right, where no
    aorta beats against them (Nathan, J Bone Joint Surg Am 1962).

    Attributes:
        concept: Of the lexicon.
        plates: Whether end plates are dense, too.
    """

    concept: str
    plates: bool

    area_cm2: ClassVar[Areas] = SPUR_AREA_CM2

    def refuses(self, entity: Entity) -> str:
        """A spine has no side."""
        return "the spine is in one place" if entity.location else check_place(entity, (), False)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Grow spurs at four to seven neighbouring levels, or at as many as the words say."""
        words = settle(entity, rng)
        names = [name for name in LEVELS if name in body.courses.vertebrae]
        count = 4 + SEVERITIES.index(words.severity) + int(rng.integers(0, 3))
        # Levels may be counted; of osteophytes a level has several.
        count = body.count or count if self.plates else max(body.count or 0, count)
        count = min(len(names), count)
        first = int(rng.integers(0, len(names) - count + 1))
        reach = SPURS_MM[words.severity]
        shapes: list[Shape] = []
        for name in names[first : first + count]:
            middle, size = body.courses.vertebrae[name], body.courses.vertebra_size[name]
            for end in (-1.0, 1.0):
                if self.plates:
                    shapes.append(_end_plate(middle, size, end))
                for sign, chance in ((-1.0, 0.85), (1.0, 0.5)):
                    length = float(rng.uniform(*reach))
                    if rng.random() < chance:
                        shapes.append(_spur(middle, size, end, sign, length))
        parameters: dict[str, Any] = {
            "severity": words.severity,
            "levels": names[first : first + count],
            "reach_mm": list(reach),
        }
        least = 0.13 if self.plates else 0.06
        return Change(parameters, shapes=tuple(shapes), least_path=least)


def _end_plate(middle: Points, size: Points, end: float) -> Tube:
    """A dense line across the body's upper or lower end."""
    half, z = 0.46 * float(size[0]), float(middle[2]) + end * 0.47 * float(size[2])
    x = np.linspace(middle[0] - half, middle[0] + half, 6)
    bow = -end * 1.0 * (1.0 - ((x - middle[0]) / half) ** 2)
    return Tube(
        np.stack([x, np.full_like(x, middle[1]), z + bow], 1).astype(np.float32), 1.6, _END_PLATE
    )


def _spur(middle: Points, size: Points, end: float, sign: float, length: float) -> Tube:
    """A beak from a corner of the body, out and round the disc."""
    share = np.linspace(0.0, 1.0, 6)
    x = middle[0] + sign * (0.44 * float(size[0]) + length * np.sin(0.5 * np.pi * share))
    z = middle[2] + end * (0.40 * float(size[2]) + 0.55 * length * share**2)
    y = np.full_like(x, middle[1] + 2.0)
    radius = (0.4 + 0.32 * min(length, 9.0)) * (1.0 - 0.75 * share)
    return Tube(np.stack([x, y, z], 1).astype(np.float32), radius.astype(np.float32), _SPUR)


SPINE = (
    Curvature("scoliosis", "scoliosis", BOWS, either=True),
    Curvature("kyphosis", "kyphosis", HUNCHES, either=False),
    Wear("degenerative changes", plates=True),
    Wear("osteophyte", plates=False),
)
