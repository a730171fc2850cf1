"""Broken and healed ribs and clavicles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from scipy import ndimage

from syncxr.images.simulation.body import Body, Box
from syncxr.images.simulation.findings.curves import Points
from syncxr.images.simulation.findings.finding import (
    SEVERITIES,
    Change,
    check_place,
    settle,
    smooth_step,
)
from syncxr.images.simulation.shapes import Ellipsoid, Material, Plate, Shape
from syncxr.images.simulation.thorax import Floats
from syncxr.sample import Entity

RIBS = (4, 9)
"""Ribs four to nine break most often (Talbot et al., RadioGraphics 2017)."""

DISPLACEMENT = {"rib": (4.0, 8.0), "clavicle": (6.0, 12.0)}
"""Step between the fragments, mm: half to a whole thickness of the bone."""

HEALED_STEP = (1.0, 2.5)
"""What is left of it under the callus, mm."""

CALLUS = (1.25, 1.6)
"""Width of a healed rib at the callus, over that of the rib."""

FRAGMENT = 32.0
"""Length over which the outer fragment returns to its place, mm."""

AREA_CM2 = {"rib": (1.0, 24.0), "clavicle": (1.5, 14.0), "healed": (0.5, 20.0)}
"""On the film: up to three ribs of 1.3 cm, clavicle of 1.5 cm height, each over 1 to 4 cm."""

_HALF = 9.0
"""Half the height of a rib with its margin, mm: the next one lies 2 cm away."""

_SOFT = 1.05
"""Tissue that takes the place of bone, g/cm³."""

_CORTEX = 0.35
"""Bone that a ray meets in a rib, over the rib's depth."""


class _Break(NamedTuple):
    """Where a bone breaks.

    Attributes:
        at: Of the break, (3,).
        along: Unit vector outwards along the bone, (3,).
        beyond: Its middle line from there on, (N, 3).
    """

    at: Points
    along: Points
    beyond: Points


@dataclass(frozen=True)
class Fracture:
    """A break across a bone with a gap and a step, or the callus that is left of one.

    A fresh one: a dark line across the bone, its outer fragment displaced by some millimetres. A
    healed one: a spindle of new bone round the old break, which no longer shows (Talbot et al.,
    RadioGraphics 2017). Breaks are put where the bone runs across the beam and can be seen.

    Attributes:
        concept: Of the lexicon.
        bone: Which bones break.
        healed: Whether long ago.
    """

    concept: str
    bone: Literal["rib", "clavicle"]
    healed: bool = False

    @property
    def area_cm2(self) -> dict[str, tuple[float, float]]:
        """Area by severity; fractures have none."""
        return dict.fromkeys(SEVERITIES, AREA_CM2["healed" if self.healed else self.bone])

    def refuses(self, entity: Entity) -> str:
        """A side at most."""
        return check_place(entity, (), False)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Break one bone, or up to three neighbouring ribs, a side."""
        words = settle(entity, rng)
        extent = np.zeros_like(body.water)
        shapes: list[Shape] = []
        placed: dict[str, Any] = {}
        for side in ("left", "right"):
            seed = int(rng.integers(2**32))
            if side in words.sides:
                chance = np.random.default_rng(seed)
                for name, line in self._lines(body, side, chance):
                    one = self._break(body, line, extent, shapes, chance)
                    placed[f"{side} {name}".strip()] = one
        body.claim(extent)
        return Change({"broken": placed}, extent, tuple(shapes), least_path=0.12)

    def _lines(self, body: Body, side: str, rng: np.random.Generator) -> list[tuple[str, Points]]:
        """Names and middle lines of the bones to break."""
        if self.bone == "clavicle":
            return [("clavicle", body.courses.clavicles[side])]
        count = body.count or int(rng.integers(1, 4))
        first = int(rng.integers(RIBS[0], max(RIBS[0], RIBS[1] - count + 1) + 1))
        numbers = range(first, min(first + count, RIBS[1] + 1))
        return [(f"rib {n}", body.courses.ribs[f"{side} {n}"]) for n in numbers]

    def _break(
        self,
        body: Body,
        line: Points,
        extent: Floats,
        shapes: list[Shape],
        rng: np.random.Generator,
    ) -> dict[str, Any]:
        """Break one bone; what was sampled."""
        where = _place(line, rng, (0.35, 0.65) if self.bone == "clavicle" else (0.15, 0.85))
        low, high = HEALED_STEP if self.healed else DISPLACEMENT[self.bone]
        step = float(rng.uniform(low, high))
        # The outer fragment of a clavicle sinks with the arm; a rib's goes either way.
        down = self.bone == "clavicle" or rng.random() < 0.6
        across = np.array([-where.along[2], 0.0, where.along[0]])
        across /= np.linalg.norm(across)
        across *= -np.sign(across[2]) if down else np.sign(across[2])
        _displace(body, where, step * across, extent)
        if self.healed:
            shapes.append(_callus(where, float(rng.uniform(*CALLUS)), rng))
        else:
            shapes.append(_gap(where, rng))
        return {"step_mm": step, "at_mm": [float(value) for value in where.at]}


def _place(line: Points, rng: np.random.Generator, span: tuple[float, float]) -> _Break:
    """A place along the bone, where it runs across the beam rather than along it."""
    line = np.asarray(line, np.float64)
    steps = np.gradient(line, axis=0)
    steps /= np.linalg.norm(steps, axis=1, keepdims=True)
    share = np.linspace(0.0, 1.0, len(line))
    # Not in profile on the side of the chest, where ribs lie one behind the other.
    open_ = np.abs(line[:, 0]) < 0.87 * np.abs(line[:, 0]).max()
    fits = (share > span[0]) & (share < span[1]) & open_
    across = np.where(fits, 1.0 - np.abs(steps[:, 1]), -1.0)
    best = np.flatnonzero(across >= np.sort(across)[-max(3, len(line) // 4)])
    index = int(best[rng.integers(len(best))])
    return _Break(line[index], steps[index], line[index:])


def _displace(body: Body, where: _Break, step: Points, extent: Floats) -> None:
    """Move the bone beyond the break by ``step``, mm, less and less with distance."""
    slabs = body.slabs
    far = np.linalg.norm(where.beyond - where.at, axis=1) < FRAGMENT
    line = where.beyond[far]
    box = _box(body, line, _HALF + 8.0)
    y, z, x = slabs.centres[box[0]], slabs.rows[box[1]], slabs.columns[box[2]]
    near = np.full((len(y), len(z), len(x)), np.inf, np.float32)
    for point in line:
        squared = (
            # A slab is as thick as a rib: let it belong to the rib that crosses it.
            (0.7 * (y[:, None, None] - point[1])) ** 2
            + (z[None, :, None] - point[2]) ** 2
            + (x[None, None, :] - point[0]) ** 2
        )
        np.minimum(near, squared, out=near)
    along = (
        where.along[0] * (x[None, None, :] - where.at[0])
        + where.along[1] * (y[:, None, None] - where.at[1])
        + where.along[2] * (z[None, :, None] - where.at[2])
    )
    share = 1.0 - smooth_step(np.sqrt(near), _HALF - 1.5, _HALF + 1.5)
    share *= smooth_step(along, -0.5, 0.5) * (1.0 - smooth_step(along, 0.3 * FRAGMENT, FRAGMENT))
    taken = body.bone[box] * share
    cell = float(slabs.rows[1] - slabs.rows[0])
    by = (0.0, float(step[2]) / cell, float(step[0]) / cell)
    put = ndimage.shift(taken, by, order=1)
    body.bone[box] += put - taken
    # Where bone goes soft tissue comes, and the other way round.
    body.water[box] += _SOFT * (taken - put)
    extent[box] = np.maximum(extent[box], np.clip(3.0 * np.abs(put - taken), 0.0, 1.0))


def _box(body: Body, line: Points, margin: float) -> Box:
    """Cells round a line."""
    low, high = line.min(0) - margin, line.max(0) + margin
    sides = []
    for axis, cells in ((1, body.slabs.centres), (2, body.slabs.rows), (0, body.slabs.columns)):
        first = int(np.searchsorted(cells, low[axis]))
        last = int(np.searchsorted(cells, high[axis]))
        sides.append(slice(min(first, len(cells) - 1), max(last, first + 1)))
    return sides[0], sides[1], sides[2]


def _gap(where: _Break, rng: np.random.Generator) -> Plate:
    """The dark line between the fragments: no bone there."""
    wide, tall = float(rng.uniform(0.9, 1.8)), 7.5
    slant = float(rng.uniform(-2.5, 2.5))
    outline = np.array(
        [
            (-wide + slant, tall),
            (wide + slant, tall),
            (wide - slant, -tall),
            (-wide - slant, -tall),
        ],
        np.float32,
    )
    turn = float(np.rad2deg(np.arctan2(where.along[2], where.along[0])))
    lack = Material(water=_CORTEX, bone=-_CORTEX)
    x, y, z = (float(value) for value in where.at)
    return Plate((x, y, z), outline, 7.0, lack, turn=turn)


def _callus(where: _Break, width: float, rng: np.random.Generator) -> Ellipsoid:
    """A spindle of new bone."""
    x, y, z = (float(value) for value in where.at)
    turn = float(np.rad2deg(np.arctan2(where.along[2], where.along[0])))
    radii = (float(rng.uniform(11.0, 15.0)), 5.0, 6.0 * width)
    return Ellipsoid((x, y, z), radii, Material(bone=float(rng.uniform(0.14, 0.22))), turn)


FRACTURES = (
    Fracture("rib fracture", "rib"),
    Fracture("healed rib fracture", "rib", healed=True),
    Fracture("clavicle fracture", "clavicle"),
)
