"""From a CT's voxels to the simulator's cubes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from syncxr.images.simulation.thorax import Floats


def _area_weights(count: int, step: float, size: float, new: float) -> Floats:
    """Matrix (cells, count) averaging ``count`` cells of ``step`` mm into ``new`` mm ones."""
    cells = int(size // new)
    edges = np.arange(cells + 1) * new
    old = np.arange(count + 1) * step
    overlap = np.minimum(edges[1:, None], old[None, 1:]) - np.maximum(
        edges[:-1, None], old[None, :-1]
    )
    weights = np.clip(overlap, 0.0, None)
    normalised: Floats = (weights / weights.sum(1, keepdims=True)).astype(np.float32)
    return normalised


def resample(volume: Floats, spacing: tuple[float, float, float], new: float) -> Floats:
    """Area-average (X, Y, Z) to ``new`` mm and reorder to (Y, Z, X)."""
    result = volume
    for axis in range(3):
        count = volume.shape[axis]
        weights = _area_weights(count, spacing[axis], count * spacing[axis], new)
        result = np.moveaxis(np.tensordot(weights, result, axes=(1, axis)), 0, axis)
    return np.ascontiguousarray(result.transpose(1, 2, 0), dtype=np.float32)


def nearest(
    labels: NDArray[np.uint8], spacing: tuple[float, float, float], new: float
) -> NDArray[np.uint8]:
    """Nearest-neighbour companion of :func:`resample`."""
    picks = []
    for axis in range(3):
        count = labels.shape[axis]
        cells = int(count * spacing[axis] // new)
        centres = (np.arange(cells) + 0.5) * new / spacing[axis]
        picks.append(np.minimum(centres.astype(int), count - 1))
    return np.ascontiguousarray(labels[np.ix_(*picks)].transpose(1, 2, 0))
