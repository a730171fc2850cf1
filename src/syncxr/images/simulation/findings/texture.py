"""Textures of lung tissue, made once a process and cut out anew for every finding.

A finding takes a window at a random place of a larger block, mirrored at random: no noise is made
for a film, and no two films share a pattern.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from syncxr.images.simulation.thorax import Floats

_SIZE_MM = (288.0, 340.0, 200.0)
"""Depth, height and width of a block: somewhat more than one lung."""

LAYER_MM = 8.0
"""Thickness of a layer of a pattern, along the beam."""

_DEEP = 2
"""Layers that a wall of the net goes through: septa are planes, not threads."""

_SEED = 20080611


def clouds(shape: tuple[int, ...], cell_mm: float, rng: np.random.Generator) -> Floats:
    """Smooth noise of about unit variance within ±1.5, correlated over some 3 cm."""
    return _window("clouds", shape, cell_mm, rng)


def grain(shape: tuple[int, ...], cell_mm: float, rng: np.random.Generator) -> Floats:
    """Noise of unit variance within ±2 at the size of acini, some 7 mm (Itoh et al., 1978)."""
    return _window("grain", shape, cell_mm, rng)


def reticulum(shape: tuple[int, ...], cell_mm: float, rng: np.random.Generator) -> Floats:
    """Net of septa, 0 to 1: cells of 6 to 12 mm, walls of 1 to 2 mm.

    Secondary lobules are 10 to 25 mm wide; what a film shows as reticulation is finer, the sum of
    many nets behind each other and of intralobular lines.
    """
    return _window("reticulum", shape, cell_mm, rng)


def _window(kind: str, shape: tuple[int, ...], cell_mm: float, rng: np.random.Generator) -> Floats:
    """A random window of a block; always the same number of draws."""
    draws = rng.random(3)
    flips = rng.integers(2, size=2)
    steps = (LAYER_MM, cell_mm, cell_mm)
    size = [max(n, int(mm / step)) for n, mm, step in zip(shape, _SIZE_MM, steps, strict=True)]
    block = _block(kind, tuple(size), round(cell_mm, 3))
    cut = tuple(
        slice(start, start + n)
        for start, n in (
            (int(draw * (big - n + 1)), n)
            for draw, big, n in zip(draws, block.shape, shape, strict=True)
        )
    )
    window = block[cut]
    if flips[0]:
        window = window[:, ::-1]
    return window[:, :, ::-1] if flips[1] else window


@cache
def _block(kind: str, shape: tuple[int, ...], cell_mm: float) -> Floats:
    """The whole of a texture, read-only."""
    rng = np.random.default_rng(_SEED)
    block: Floats = {"clouds": _clouds, "grain": _grain, "reticulum": _reticulum}[kind](
        shape, cell_mm, rng
    )
    block.setflags(write=False)
    return block


def _clouds(shape: tuple[int, ...], cell_mm: float, rng: np.random.Generator) -> Floats:
    """Coarse noise, interpolated; bounded, so that noise never eats a whole cloud."""
    step = 26.0 / cell_mm
    coarse = rng.standard_normal((shape[0] // 3, int(shape[1] / step), int(shape[2] / step)))
    fine = ndimage.zoom(coarse, [n / m for n, m in zip(shape, coarse.shape, strict=True)], order=1)
    return np.clip(fine * 1.4, -1.5, 1.5).astype(np.float32)


def _grain(shape: tuple[int, ...], cell_mm: float, rng: np.random.Generator) -> Floats:
    noise = ndimage.gaussian_filter(
        rng.standard_normal(shape, np.float32), (0.4, 2.8 / cell_mm, 2.8 / cell_mm)
    )
    bounded: Floats = np.clip(noise / noise.std(), -2.0, 2.0).astype(np.float32)
    return bounded


def _reticulum(shape: tuple[int, ...], cell_mm: float, rng: np.random.Generator) -> Floats:
    """Edges of Voronoi cells of random points, slab by slab."""
    rows, columns = np.indices(shape[1:], np.float32)
    cells = np.stack([rows.ravel(), columns.ravel()], axis=1)
    net = np.empty(shape, np.float32)
    count = int(shape[1] * shape[2] * cell_mm**2 / 90.0)
    for first in range(0, shape[0], _DEEP):
        points = rng.uniform((-4, -4), (shape[1] + 4, shape[2] + 4), (count, 2))
        near = np.asarray(cKDTree(points).query(cells, k=2)[0])
        gap = (near[:, 1] - near[:, 0]).reshape(shape[1:])
        # Walls come and go: a net of even strength looks like a fabric.
        strength = ndimage.zoom(rng.random((8, 8)), (shape[1] / 8, shape[2] / 8), order=1)
        net[first : first + _DEEP] = np.clip(1.0 - gap * cell_mm / 1.8, 0.0, 1.0) * strength
    return net
