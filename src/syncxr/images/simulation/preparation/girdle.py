"""Shoulders as on a PA film: arms down, shoulders rolled forward.

A CT is taken with raised arms and cuts the shoulders off. Here the scapula is taken out and put
back, turned as a rigid body, to where a standing patient has it, clear of the lungs; clavicles and
humeri, which no chest CT holds whole, are tubes with a cortex along their usual course; skin and
muscle follow. Places are given for a chest of 250 mm inner width and scaled to the body's, from
the apices downwards (proportions: Gray's Anatomy, 42nd ed., ch. 48; PA position: Merrill's Atlas).
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from syncxr.images.simulation.preparation.grid import Grid
from syncxr.images.simulation.preparation.scapula import take_scapula
from syncxr.images.simulation.preparation.shoulders import blur_above, flesh
from syncxr.images.simulation.thorax import LUNGS, Floats, Structure

WIDE_MM = 215.0
"""Half width of the prepared body: the upper arms are in it, the elbows are not."""

_CLAVICLE = ((13, 58, -26), (46, 64, -17), (90, 40, -3), (120, 12, 0), (143, -4, -4))
"""Right clavicle: x outwards, y, z above the apices, mm; from sternum to acromion."""

_HUMERUS = ((160, 0, -32), (168, 3, -60), (188, 10, -140), (206, 18, -250), (226, 24, -400))
"""Humerus, from the middle of its head downwards; the arm hangs a little abducted."""

_ACROMION = ((128, -36, -16), (148, -22, -4), (158, 0, -3))

_MUSCLE = 1.04
"""g/cm³ (ICRU-44)."""


def pose_arms(grid: Grid) -> None:
    """Lower the arms of a body, in place."""
    x, _, z = grid.axes()
    lungs = grid.of(*LUNGS)
    apex = float(z[0, lungs.any((0, 2)), 0].max())
    inner = np.flatnonzero(lungs.any((0, 1)))
    scale = (inner[-1] - inner[0]) * grid.spacing / 250.0
    scapula = take_scapula(grid, apex, scale)
    _remove(grid)
    wide = max(0, round((WIDE_MM * scale - float(np.abs(x).min() + x.max())) / grid.spacing))
    left = max(0, wide)
    grid.pad(left, 0)
    flesh(grid, apex, scale, np.array(_HUMERUS, np.float32))
    blur_above(grid, apex)
    if scapula is not None:
        bone = np.pad(scapula, ((0, 0), (0, 0), (left, left)))
        _place(grid, np.maximum(bone, bone[:, :, ::-1]))
    lines = []
    for side in (1.0, -1.0):
        place = np.array([side * scale, scale, scale], np.float32)
        for course, radii in (
            (_CLAVICLE, (8.5, 6.0, 5.5, 6.0, 7.0)),
            (_HUMERUS, (25.0, 15.0, 11.5, 11.0, 12.0)),
            (_ACROMION, (6.0, 7.5, 7.0)),
        ):
            points = np.array(course, np.float32) * place + (0.0, 0.0, apex)
            line, radius = _round(points, np.array(radii) * scale)
            _place(grid, tube(grid, line, radius))
            if course is _CLAVICLE:
                lines.append(line)
    grid.clavicles = np.stack(lines).astype(np.float32)


def _round(points: Floats, radii: Floats) -> tuple[Floats, Floats]:
    """A polygon as a curve with rounded corners, and its radius along it."""
    knots = np.arange(len(points))
    share = np.linspace(0, len(points) - 1, 12 * (len(points) - 1) + 1)
    line = np.stack([np.interp(share, knots, points[:, i]) for i in range(3)], axis=1)
    smooth = ndimage.gaussian_filter1d(line, 5.0, axis=0, mode="nearest")
    radius = ndimage.gaussian_filter1d(np.interp(share, knots, radii), 4.0, mode="nearest")
    return smooth.astype(np.float32), radius.astype(np.float32)


def tube(grid: Grid, line: Floats, radius: Floats, cortex_mm: float = 1.8) -> Floats:
    """Bone along a line: dense outside, spongy inside; fraction of cortical bone, (Y, Z, X)."""
    inside = np.full(grid.water.shape, -np.inf, np.float32)
    axes = [a.ravel() for a in grid.axes()]
    for centre, reach in zip(line, radius, strict=True):
        box = [
            slice(*np.searchsorted(axis, (c - reach - 3, c + reach + 3)))
            for axis, c in zip(axes, centre, strict=True)
        ]
        dx, dy, dz = (axis[s] - c for axis, s, c in zip(axes, box, centre, strict=True))
        distance = np.sqrt(dx[None, None, :] ** 2 + dy[:, None, None] ** 2 + dz[None, :, None] ** 2)
        part = inside[box[1], box[2], box[0]]
        np.maximum(part, reach - distance, out=part)
    edge = np.clip(inside / grid.spacing + 0.5, 0.0, 1.0)
    spongy = np.clip((inside - cortex_mm) / grid.spacing + 0.5, 0.0, 1.0)
    fraction: Floats = (0.85 * (edge - spongy) + 0.13 * spongy).astype(np.float32)
    return fraction


def _remove(grid: Grid) -> None:
    """Muscle where the girdle's bones were."""
    reach = max(1, round(3.0 / grid.spacing))
    old = ndimage.binary_dilation(grid.of(Structure.SCAPULA, Structure.SHOULDER), iterations=reach)
    old &= ~grid.of(Structure.RIBS, Structure.SPINE, *LUNGS)
    grid.bone[old] = 0.0
    grid.water[old] = np.maximum(grid.water[old], 1.0)
    grid.labels[grid.of(Structure.SCAPULA, Structure.SHOULDER)] = Structure.BODY


def _place(grid: Grid, bone: Floats) -> None:
    """Add a bone where there is none yet."""
    bone = bone * ~grid.of(*LUNGS)
    grid.bone = np.maximum(grid.bone, bone)
    grid.water = np.where(bone > 0.02, _MUSCLE * (1.0 - np.clip(bone, 0, 1)), grid.water)
    grid.labels[bone > 0.1] = Structure.SHOULDER
