"""The scapula of a standing patient: the CT's own, turned as a rigid body."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from syncxr.images.simulation.preparation.grid import Grid
from syncxr.images.simulation.thorax import Floats, Structure

_SCAPULA = ((-140.0, -2.0, -34.0), (-122.0, -58.0, -160.0), (-80.0, -54.0, -38.0))
"""Of the right scapula: glenoid, lower angle, upper inner angle; z above the apices."""


def take_scapula(grid: Grid, apex: float, scale: float) -> Floats | None:
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
