"""Air in the soft tissues."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.curves import Points
from syncxr.images.simulation.findings.finding import Areas, Change, check_place, settle
from syncxr.images.simulation.shapes import Shape, Tube
from syncxr.images.simulation.shapes.materials import GAS
from syncxr.sample import Entity

STREAKS = {"mild": (30, 45), "moderate": (80, 110), "severe": (190, 250)}
"""A side; few round one wound, to fans through pectoral muscles and neck: grades go by such extent
(Aghajanzadeh et al., Indian J Surg 2015), the numbers were set while looking at films."""

AREA_CM2 = {"mild": (6.0, 60.0), "moderate": (18.0, 140.0), "severe": (45.0, 300.0)}
"""On the film, a side: chest wall of 2 to 5 cm over 10 to 25 cm, then the whole pectoral muscle."""


@dataclass(frozen=True)
class SubcutaneousEmphysema:
    """Dark streaks in the chest wall, along the fibres of pectoral muscles, and in the neck.

    Air parts the fat and the bundles of muscle: lucent lines and bubbles that run beyond the lung
    (ginkgo leaf sign over the pectoral muscle; Ho and Gutierrez, AJR 2009).
    """

    concept: str = "subcutaneous emphysema"

    area_cm2: ClassVar[Areas] = AREA_CM2

    def refuses(self, entity: Entity) -> str:
        """A side at most."""
        return check_place(entity, (), False)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Blow air in, side by side."""
        words = settle(entity, rng)
        shapes: list[Shape] = []
        counts: dict[str, Any] = {}
        for side in ("left", "right"):
            share, seed = float(rng.random()), int(rng.integers(2**32))
            if side not in words.sides:
                continue
            low, high = STREAKS[words.severity]
            count = round(low + share * (high - low))
            # One sequence of streaks a seed: a severer case has those of the milder one, and more.
            shapes += _streaks(body, side, count, np.random.default_rng(seed))
            counts[side] = count
        parameters = {**words.to_dict(), "streaks": counts}
        return Change(parameters, shapes=tuple(shapes), least_path=0.03)


def _streaks(body: Body, side: str, count: int, rng: np.random.Generator) -> list[Shape]:
    """Streaks in the order in which air spreads: side wall, pectoral muscle, neck."""
    made: list[Shape] = []
    for number in range(count):
        spread = number / STREAKS["severe"][1]
        pick = float(rng.random())
        seed = int(rng.integers(2**32))
        chance = np.random.default_rng(seed)
        if pick < 0.75 - spread:
            line = _side_wall(body, side, spread, chance)
        elif pick < 0.92 - 0.2 * spread:
            line = _pectoral(body, side, chance)
        else:
            line = _neck(body, side, chance)
        radius = float(chance.uniform(1.0, 3.0))
        taper = radius * np.sin(np.pi * np.linspace(0.08, 0.92, len(line)))
        made.append(Tube(line.astype(np.float32), taper.astype(np.float32), GAS))
    return made


def _wavy(start: Points, end: Points, rng: np.random.Generator) -> Points:
    """A slightly bent line of six points."""
    share = np.linspace(0.0, 1.0, 6)[:, None]
    line = (1.0 - share) * start + share * end
    bend = rng.normal(0.0, 2.0, 3) * np.sin(np.pi * share)
    bent: Points = line + bend + rng.normal(0.0, 0.4, line.shape)
    return bent


def _side_wall(body: Body, side: str, spread: float, rng: np.random.Generator) -> Points:
    """Along the ribs' outer side, between skin and muscle."""
    sign = 1.0 if side == "left" else -1.0
    number = int(rng.integers(3, 6 + round(4 * spread) + 1))
    rib = body.courses.ribs[f"{side} {number}"]
    outer = rib[np.abs(rib[:, 0]).argmax()]
    start = np.array(
        [
            outer[0] + sign * rng.uniform(7.0, 26.0),
            outer[1] + rng.uniform(-28.0, 28.0),
            outer[2] + rng.uniform(-14.0, 14.0),
        ]
    )
    reach = float(rng.uniform(8.0, 34.0))
    return _wavy(start, np.add(start, (sign * rng.uniform(-4.0, 6.0), 0.0, reach)), rng)


def _pectoral(body: Body, side: str, rng: np.random.Generator) -> Points:
    """A piece of a fibre between axilla and sternum: all of them spread from the axilla."""
    sign = 1.0 if side == "left" else -1.0
    marks = body.marks
    axilla = np.array([sign * (marks.half_width + 12.0), 0.0, marks.apex - 48.0])
    origin = np.array([sign * rng.uniform(18.0, 60.0), 0.0, marks.apex - rng.uniform(15.0, 125.0)])
    begin = float(rng.uniform(0.0, 0.75))
    length = float(rng.uniform(0.1, 0.25))
    line = _wavy(
        axilla + begin * (origin - axilla), axilla + (begin + length) * (origin - axilla), rng
    )
    for point in line:
        point[1] = body.courses.skin(point[0], point[2]) - 13.0
    return line


def _neck(body: Body, side: str, rng: np.random.Generator) -> Points:
    """Along the muscles of the neck."""
    sign = 1.0 if side == "left" else -1.0
    x, y, z = body.courses.trachea[0]
    start = np.array(
        [
            x + sign * rng.uniform(14.0, 62.0),
            y + rng.uniform(-12.0, 18.0),
            z + rng.uniform(-24.0, 44.0),
        ]
    )
    reach = float(rng.uniform(10.0, 32.0))
    return _wavy(start, np.add(start, (sign * rng.uniform(0.0, 0.5) * reach, 0.0, -reach)), rng)
