"""Shoulders as on a PA film: arms down, shoulders rolled forward.

A CT is taken with raised arms and cuts the shoulders off. Here the scapula is taken out and put
back, turned as a rigid body, to where a standing patient has it, clear of the lungs; clavicles and
humeri, which no chest CT holds whole, are tubes with a cortex along their usual course; skin and
muscle follow. Places are given for a chest of 250 mm inner width and scaled to the body's, from
the apices downwards (proportions: Gray's Anatomy, 42nd ed., ch. 48; PA position: Merrill's Atlas).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from syncxr.images.simulation.preparation.grid import Grid
from syncxr.images.simulation.thorax import LUNGS, Floats, Structure

WIDE_MM = 215.0
"""Half width of the prepared body: the upper arms are in it, the elbows are not."""

_CLAVICLE = ((13, 58, -26), (46, 64, -17), (90, 40, -3), (120, 12, 0), (143, -4, -4))
"""Right clavicle: x outwards, y, z above the apices, mm; from sternum to acromion."""

_HUMERUS = ((160, 0, -32), (168, 3, -60), (188, 10, -140), (206, 18, -250), (226, 24, -400))
"""Humerus, from the middle of its head downwards; the arm hangs a little abducted."""

_ACROMION = ((128, -36, -16), (148, -22, -4), (158, 0, -3))

_SCAPULA = ((-140.0, -2.0, -34.0), (-122.0, -58.0, -160.0), (-80.0, -54.0, -38.0))
"""Of the right scapula: glenoid, lower angle, upper inner angle; z above the apices."""

_MUSCLE = 1.04
"""g/cm³ (ICRU-44)."""


def pose_arms(grid: Grid) -> None:
    """Lower the arms of a body, in place."""
    x, _, z = grid.axes()
    lungs = grid.of(*LUNGS)
    apex = float(z[0, lungs.any((0, 2)), 0].max())
    inner = np.flatnonzero(lungs.any((0, 1)))
    scale = (inner[-1] - inner[0]) * grid.spacing / 250.0
    scapula = _take_scapula(grid, apex, scale)
    _remove(grid)
    wide = max(0, round((WIDE_MM * scale - float(np.abs(x).min() + x.max())) / grid.spacing))
    left = max(0, wide)
    grid.pad(left, 0)
    _flesh(grid, apex, scale)
    _smooth(grid, apex)
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


def _take_scapula(grid: Grid, apex: float, scale: float) -> Floats | None:
    """The fuller scapula as the right one of a standing patient, (Y, Z, X); None if it is cut."""
    shoulder = grid.of(Structure.SCAPULA)
    x, y, z = (np.broadcast_to(a, shoulder.shape) for a in grid.axes())
    sides = [shoulder & (x < 0), shoulder & (x > 0)]
    fuller = int(sides[1].sum() > sides[0].sum())
    own = sides[fuller]
    if own.sum() * grid.spacing**3 < 25e3 * scale**3:
        return None
    places = np.stack([x[own], y[own], z[own]], axis=1)
    bone = np.where(ndimage.binary_dilation(own), grid.bone, 0.0)
    if fuller:
        places[:, 0] *= -1
    source = _angles(places)
    target = np.array(_SCAPULA, np.float64) * scale + (0.0, 0.0, apex)
    turn, offset = _rigid(target, source)
    wanted = np.stack(np.broadcast_arrays(*grid.axes()), axis=-1).reshape(-1, 3)
    near = (wanted[:, 0] < -60 * scale) & (wanted[:, 2] > apex - 200 * scale)
    there = wanted[near] @ turn.T + offset
    if fuller:
        there[:, 0] *= -1
    origin = np.array(grid.origin())
    index = ((there - origin) / grid.spacing)[:, [1, 2, 0]].T
    posed = np.zeros(bone.size, np.float32)
    posed[near] = ndimage.map_coordinates(bone, index, order=1)
    return posed.reshape(bone.shape)


def _angles(places: NDArray[np.float32]) -> NDArray[np.float64]:
    """Glenoid, lower and upper inner angle of a right scapula, raised arm: its extreme points."""
    x, _, z = places.T
    low = places[z < z.min() + 8].mean(0)
    inner = places[x > x.max() - 6].mean(0)
    # The glenoid is the farthest from both angles.
    reach = np.linalg.norm(places - low, axis=1) + np.linalg.norm(places - inner, axis=1)
    glenoid = places[reach > np.quantile(reach, 0.97)].mean(0)
    return np.stack([glenoid, low, inner]).astype(np.float64)


def _rigid(
    start: NDArray[np.float64], end: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rotation and offset that bring ``start`` nearest to ``end`` (Kabsch 1976)."""
    a, b = start - start.mean(0), end - end.mean(0)
    u, _, v = np.linalg.svd(a.T @ b)
    flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(v.T @ u.T))])
    turn = v.T @ flip @ u.T
    return turn, end.mean(0) - turn @ start.mean(0)


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


def _smooth(grid: Grid, apex: float) -> None:
    """Blur the soft tissue above the lungs, where pieces of three makes meet."""
    z = grid.axes()[2]
    weight = np.clip((z - apex - 6.0) / 10.0, 0.0, 1.0).astype(np.float32)
    airway = grid.of(Structure.AIRWAY)
    above = slice(int(np.searchsorted(z.ravel(), apex)), None)
    water, air = grid.water[:, above], airway[:, above]
    solid = np.where(air, 1.0, water + grid.bone[:, above])
    blurred = ndimage.gaussian_filter(solid, [s / grid.spacing for s in (4.0, 7.0, 5.0)])
    blurred = np.clip(blurred - grid.bone[:, above], 0.0, 1.05)
    mixed = water + weight[:, above] * (blurred - water)
    grid.water[:, above] = np.where(air, water, mixed)


def _flesh(grid: Grid, apex: float, scale: float) -> None:
    """Cut the raised arms off and shape neck, trapezius, deltoid and upper arm."""
    x, y, z = (a / np.float32(scale) for a in grid.axes())
    z = z - np.float32(apex / scale)
    wide = np.abs(x)
    # Upper outline: neck, the slope of the trapezius, the round of the deltoid.
    slope = np.clip((168.0 - wide) / 110.0, 0.0, 1.0)
    outline = 10.0 + 56.0 * slope**1.8 + np.where(wide < 58.0, 500.0, 0.0)
    round_off = np.sqrt(np.clip(48.0**2 - (wide - 166.0) ** 2, 0.0, None)) - 48.0
    outline = np.where(wide > 166.0, outline + round_off, outline)
    outline = np.where(wide > 214.0, -500.0, outline)
    under = np.clip((outline - z) / 4.0, 0.0, 1.0)
    outside = (under <= 0.0) & (z > -60.0)
    outside = np.broadcast_to(outside, grid.water.shape) & ~grid.of(*LUNGS)
    grid.water[outside] = 0.0
    soft = np.where((z > -60.0) & ~grid.of(*LUNGS), under, 1.0)
    grid.water *= soft.astype(np.float32)
    grid.bone[outside & ~grid.of(Structure.SPINE, Structure.RIBS)] = 0.0
    grid.labels[outside] = Structure.OUTSIDE
    # What the raised arm left at the edge of the scan gives way to the shoulder.
    edge = np.clip((184.0 - wide) / 34.0, 0.0, 1.0)
    edge = 1.0 - (1.0 - edge) * np.clip((z + 190.0) / 40.0, 0.0, 1.0)
    grid.water *= edge.astype(np.float32)
    half = np.interp(wide, [40.0, 100.0, 165.0, 214.0], [72.0, 66.0, 52.0, 30.0])
    middle = np.interp(wide, [40.0, 160.0], [-14.0, 2.0])
    low = np.interp(wide, [40.0, 110.0, 160.0], [15.0, -35.0, -75.0])
    below = np.clip((10.0 + 56.0 * slope**1.8 - z) / 4.0, 0.0, 1.0)
    shoulder = under * below * np.clip((half - np.abs(y - middle)) / 6.0, 0.0, 1.0)
    shoulder = shoulder * np.clip((z - low) / 6.0, 0.0, 1.0)
    # The neck has its own tissue: fade in beside it, or a collar shows.
    shoulder = shoulder * np.clip((wide - 30.0) / 30.0, 0.0, 1.0)
    # The arm: a capsule along the humerus.
    along = np.array(_HUMERUS, np.float32)
    axis_x = np.interp(-z, -along[:, 2], along[:, 0])
    axis_y = np.interp(-z, -along[:, 2], along[:, 1])
    thick = np.interp(-z, [36.0, 100.0, 250.0], [48.0, 46.0, 40.0])
    distance = np.hypot(wide - axis_x, y - axis_y)
    arm = np.clip((thick - distance) / 5.0, 0.0, 1.0) * np.clip(-(z + 25.0) / 6.0, 0.0, 1.0)
    flesh = (np.maximum(shoulder, arm) * 1.0).astype(np.float32) * ~grid.of(
        *LUNGS, Structure.AIRWAY
    )
    grown = flesh > grid.water
    grid.water[grown] = flesh[grown]
    grid.labels[(flesh > 0.5) & (grid.labels == Structure.OUTSIDE)] = Structure.BODY
