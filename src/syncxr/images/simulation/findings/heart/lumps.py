"""Rounded tissue that takes the place of lung beside the mediastinum."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from syncxr.images.simulation.body import Body, Box
from syncxr.images.simulation.findings.finding import smooth_step
from syncxr.images.simulation.thorax import Floats

_SEEN = 12.0
"""Lung along the beam that is seen as lung, mm."""

_NEAR = 12.0
"""Half the depth within which a border is looked for, mm."""

TISSUE = 1.04
"""Of nodes, vessels and tumours, g/cm³."""


@dataclass(frozen=True)
class Lump:
    """An ellipsoid.

    Attributes:
        centre: x, y, z, mm.
        radii: Half axes along x, y and z, mm.
    """

    centre: tuple[float, float, float]
    radii: tuple[float, float, float]


def both_lungs(body: Body, box: Box) -> Floats:
    """Share of lung in the cells of a box."""
    return body.lungs["left"][box] + body.lungs["right"][box]


def around(body: Body, lump: Lump, margin: float = 0.0) -> Box:
    """The cells that hold a lump."""
    cells = (body.slabs.centres, body.slabs.rows, body.slabs.columns)
    sides = []
    for axis, along in zip((1, 2, 0), cells, strict=True):
        half = lump.radii[axis] + margin
        first = int(np.searchsorted(along, lump.centre[axis] - half))
        last = int(np.searchsorted(along, lump.centre[axis] + half))
        sides.append(slice(min(first, len(along) - 1), max(last, first + 1)))
    return sides[0], sides[1], sides[2]


def distance(body: Body, lump: Lump, box: Box) -> Floats:
    """0 in the middle of a lump, 1 at its surface, for the cells of a box."""
    slabs = body.slabs
    x = (slabs.columns[box[2]] - lump.centre[0]) / lump.radii[0]
    y = (slabs.centres[box[0]] - lump.centre[1]) / lump.radii[1]
    z = (slabs.rows[box[1]] - lump.centre[2]) / lump.radii[2]
    far: Floats = np.sqrt(
        x[None, None, :] ** 2 + y[:, None, None] ** 2 + z[None, :, None] ** 2
    ).astype(np.float32)
    return far


def grow(body: Body, lumps: Iterable[Lump], density: float = TISSUE) -> Floats:
    """Put lumps into the lung; the share of each cell that they took, (K, R, C)."""
    extent = np.zeros_like(body.water)
    for lump in lumps:
        box = around(body, lump, 3.0)
        soft = 2.0 / min(lump.radii)
        share = 1.0 - smooth_step(distance(body, lump, box), 1.0 - soft, 1.0 + soft)
        share = share * both_lungs(body, box)
        body.fill(share, density, box)
        extent[box] = np.maximum(extent[box], share)
    return body.claim(extent)


def border(body: Body, side: str, y: float | None = None) -> tuple[Floats, Floats]:
    """Where, seen from the front, lung begins beside heart and mediastinum.

    Args:
        body: Whose.
        side: Of the chest.
        y: Depth to look at; by default where there is lung at any, as behind the heart.

    Returns:
        Heights and x of the border, mm, from the foot of the heart to the apex, smoothed over 1 cm.
    """
    slabs = body.slabs
    middle = int(np.searchsorted(slabs.columns, body.marks.carina[0]))
    near = np.ones(len(slabs.centres), bool) if y is None else np.abs(slabs.centres - y) < _NEAR
    seen = body.lungs[side][near].sum(0) * slabs.thickness > _SEEN
    half = seen[:, middle:] if side == "left" else seen[:, : middle + 1][:, ::-1]
    rows = np.flatnonzero(half.any(1) & (slabs.rows > body.marks.dome - 5.0))
    first = half[rows].argmax(1)
    columns = middle + first if side == "left" else middle - first
    step = float(slabs.rows[1] - slabs.rows[0])
    x = ndimage.gaussian_filter1d(slabs.columns[columns].astype(np.float64), 5.0 / step)
    return slabs.rows[rows], x.astype(np.float32)
