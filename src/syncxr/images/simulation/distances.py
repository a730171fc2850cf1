"""How far a place in the lungs lies from chest wall, surface and fissures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError

from syncxr.images.simulation.projection import Slabs
from syncxr.images.simulation.thorax import LEFT_LUNG, LUNGS, RIGHT_LUNG, Floats, Structure, Thorax


def wall_distance(thorax: Thorax) -> Floats:
    """Distance of each voxel to the chest wall, mm, slice by slice.

    Both lungs' convex hull in an axial slice is the inner outline of the rib cage, whatever
    mediastinum and diaphragm do inside it; outside the hull the distance is 0.
    """
    lungs = thorax.mask(*LUNGS)
    distance = np.zeros(lungs.shape, np.float32)
    for z in np.flatnonzero(lungs.any((0, 2))):
        hull = _convex(lungs[:, z, :])
        distance[:, z, :] = ndimage.distance_transform_edt(hull) * thorax.spacing
    return distance


def _convex(shape: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Convex hull of a 2-D mask; the mask itself where it is too small to have one."""
    try:
        sides = ConvexHull(np.argwhere(shape)).equations
    except QhullError:
        return shape
    rows, columns = np.indices(shape.shape)
    offsets = sides[:, 0, None, None] * rows + sides[:, 1, None, None] * columns
    return np.asarray(np.all(offsets + sides[:, 2, None, None] <= 1e-6, axis=0))


def surface_distance(lungs: Iterable[Floats], slabs: Slabs) -> Floats:
    """Distance of each cell within a lung to that lung's surface, mm."""
    step = float(slabs.rows[1] - slabs.rows[0])
    inside = [
        ndimage.distance_transform_edt(lung > 0.5, (slabs.thickness, step, step)) for lung in lungs
    ]
    return np.asarray(sum(inside), np.float32)


def fissures(lobes: Mapping[Structure, Floats]) -> Floats:
    """Where the blurred shares of two lobes of a lung are alike."""
    meeting = []
    for side in (LEFT_LUNG, RIGHT_LUNG):
        blurred = [ndimage.uniform_filter(lobes[lobe], (1, 3, 3)) for lobe in side]
        meeting += [4.0 * one * other for one, other in combinations(blurred, 2)]
    return np.asarray(sum(meeting), np.float32).clip(0.0, 1.0)
