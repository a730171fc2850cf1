"""A bone broken in a body: where, the step between its fragments, the gap or the callus."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from syncxr.images.simulation.body import Body, Box
from syncxr.images.simulation.findings.curves import Points
from syncxr.images.simulation.findings.finding import smooth_step
from syncxr.images.simulation.shapes import Ellipsoid, Material, Plate
from syncxr.images.simulation.thorax import Floats

_APART = 36.0
"""Between two breaks of one rib, mm: the fragment between them moves as one."""

CALLUS = (1.25, 1.6)
"""Width of a healed rib at the callus, over that of the rib."""

FRAGMENT = 32.0
"""Length over which the outer fragment returns to its place, mm."""

_HALF = 9.0
"""Half the height of a rib with its margin, mm: the next one lies 2 cm away."""

_SOFT = 1.05
"""Tissue that takes the place of bone, g/cm³."""

_CORTEX = 0.35
"""Bone that a ray meets in a rib, over the rib's depth."""


class Break(NamedTuple):
    """Where a bone breaks.

    Attributes:
        at: Of the break, (3,).
        along: Unit vector outwards along the bone, (3,).
        beyond: Its middle line from there on, (N, 3).
    """

    at: Points
    along: Points
    beyond: Points


def places(
    line: Points, count: int, rng: np.random.Generator, span: tuple[float, float]
) -> list[Break]:
    """Places along the bone, where it runs across the beam rather than along it.

    Fewer than ``count`` where they would lie too close to each other.
    """
    line = np.asarray(line, np.float64)
    steps = np.gradient(line, axis=0)
    steps /= np.linalg.norm(steps, axis=1, keepdims=True)
    share = np.linspace(0.0, 1.0, len(line))
    # Not in profile on the side of the chest, where ribs lie one behind the other.
    open_ = np.abs(line[:, 0]) < 0.87 * np.abs(line[:, 0]).max()
    fits = (share > span[0]) & (share < span[1]) & open_
    fits = fits if fits.any() else share > 0.0
    made: list[Break] = []
    while len(made) < count and fits.any():
        across = np.where(fits, 1.0 - np.abs(steps[:, 1]), -1.0)
        best = np.flatnonzero(across >= np.sort(across)[-max(3, len(line) // 4)])
        best = best[fits[best]]
        index = int(best[rng.integers(len(best))])
        made.append(Break(line[index], steps[index], line[index:]))
        fits &= np.linalg.norm(line - line[index], axis=1) > _APART
    return made


def displace(body: Body, where: Break, step: Points, extent: Floats) -> None:
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


def gap(where: Break, rng: np.random.Generator) -> Plate:
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


def callus(where: Break, width: float, rng: np.random.Generator) -> Ellipsoid:
    """A spindle of new bone."""
    x, y, z = (float(value) for value in where.at)
    turn = float(np.rad2deg(np.arctan2(where.along[2], where.along[0])))
    radii = (float(rng.uniform(11.0, 15.0)), 5.0, 6.0 * width)
    return Ellipsoid((x, y, z), radii, Material(bone=float(rng.uniform(0.14, 0.22))), turn)
