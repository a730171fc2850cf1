"""A volume cut into slabs."""

from __future__ import annotations

import numpy as np
import torch

from syncxr.images.simulation.projection import Slabs
from syncxr.images.simulation.thorax import Floats, Thorax

SLAB_MM = 8.0
"""Slab thickness: half of it times a ray's slope of 0.1 is 0.4 mm, a quarter of a pixel at 224."""

FINE_SLAB_MM = 4.0
"""The same for bodies of voxels below 2 mm, whose films are large: at 512 pixels ribs show slabs of
8 mm as steps where the rays of an AP film are steepest (a slope of 0.2)."""


def slab_of(resolution_mm: float) -> float:
    """Thickness that a body is cut into, mm."""
    return FINE_SLAB_MM if resolution_mm < 2.0 else SLAB_MM


def cut(volume: Floats, thorax: Thorax, axis: int, thickness: float) -> Floats:
    """Average (Y, Z, X) into slabs along y (axis 1) or x (axis 0): (K, Z, X) or (K, Z, Y)."""
    stack = volume if axis == 1 else volume.transpose(2, 1, 0)
    step = max(1, round(thickness / thorax.spacing))
    count = stack.shape[0] // step
    cells = stack[: count * step].reshape(count, step, *stack.shape[1:])
    mean: Floats = cells.mean(1, dtype=np.float32)
    return mean


def geometry(thorax: Thorax, axis: int, thickness: float) -> Slabs:
    """Slabs that :func:`cut` makes."""
    stacked = thorax.axis("y" if axis == 1 else "x")
    step = max(1, round(thickness / thorax.spacing))
    count = len(stacked) // step
    centres = stacked[: count * step].reshape(count, step).mean(1)
    columns = thorax.axis("x" if axis == 1 else "y")
    return Slabs(axis, centres, step * thorax.spacing, thorax.axis("z"), columns)


def stack(*channels: Floats) -> torch.Tensor:
    """Channels (K, R, C) as one tensor (K, N, R, C)."""
    return torch.from_numpy(np.stack(channels, axis=1))
