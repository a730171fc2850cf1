"""Projecting what is nothing in most places: what findings changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from syncxr.images.simulation.projection import Slabs, integrate
from syncxr.images.simulation.thorax import Floats


@dataclass(frozen=True)
class Part:
    """Volumes that are nothing in most places, cut down to where there is something.

    Pairs of slabs are joined: half the depth's fineness will do.

    Attributes:
        slabs: Geometry of the whole volumes.
        deep: Slabs with something in them.
        rows: First and last row with something in it, mm.
        columns: First and last column, mm.
        channels: (K, N, R, C).
    """

    slabs: Slabs
    deep: slice
    rows: tuple[float, float]
    columns: tuple[float, float]
    channels: Tensor

    @classmethod
    def of(cls, slabs: Slabs, volumes: Sequence[Floats]) -> Part | None:
        """Cut volumes (K, R, C) down; ``None`` if there is nothing in them."""
        # Cells with something in them, seen from the side and from the front.
        sides = np.any([volume.any(axis=2) for volume in volumes], axis=0)
        if not sides.any():
            return None
        deep, rows = (np.flatnonzero(sides.any(axis=axis)) for axis in (1, 0))
        within = slice(int(deep[0]), int(deep[-1]) + 1)
        front = np.any([volume[within].any(axis=(0, 1)) for volume in volumes], axis=0)
        columns = np.flatnonzero(front)
        stacked = torch.from_numpy(np.stack([volume[within] for volume in volumes], axis=1))
        return cls(
            slabs,
            within,
            (float(slabs.rows[rows[0]]), float(slabs.rows[rows[-1]])),
            (float(slabs.columns[columns[0]]), float(slabs.columns[columns[-1]])),
            paired(stacked),
        )

    def integrate(self, where: Tensor, lengths: Tensor) -> Tensor:
        """Sum along the rays, looking only at the part of the film where there is something.

        Args:
            where: Crossings of all slabs, (K, H, W, 2).
            lengths: Of a ray within a slab, mm, (H, W).

        Returns:
            Line integrals, in the volumes' unit times cm, (N, H, W).
        """
        total = where.new_zeros((self.channels.shape[1], *where.shape[1:3]))
        rows, columns = self._touched(where[self.deep])
        if rows.start < rows.stop and columns.start < columns.stop:
            there = where[self.deep, rows, columns]
            half = (there[0 : len(there) // 2 * 2 : 2] + there[1::2]) * 0.5
            between = torch.cat([half, there[-1:]]) if len(there) % 2 else half
            channels = self.channels.to(where.device)
            total[:, rows, columns] = integrate(
                self.slabs, channels, between, 2.0 * lengths[rows, columns]
            )
        return total

    def _touched(self, where: Tensor) -> tuple[slice, slice]:
        """Part of the film whose rays cross the cells."""
        seen = where[:, ::_STRIDE, ::_STRIDE]
        margin = 4.0 * abs(float(self.slabs.columns[1] - self.slabs.columns[0])) + 4.0
        inside = (seen[..., 0] > self.columns[0] - margin) & (
            seen[..., 0] < self.columns[1] + margin
        )
        inside &= seen[..., 1] > self.rows[0] - margin
        inside &= seen[..., 1] < self.rows[1] + margin
        front = inside.any(0)
        found = []
        for hit, size in ((front.any(1), where.shape[1]), (front.any(0), where.shape[2])):
            at = hit.nonzero()
            if not len(at):
                return slice(0, 0), slice(0, 0)
            first, last = int(at[0]) * _STRIDE, int(at[-1]) * _STRIDE
            found.append(slice(max(0, first - _STRIDE), min(size, last + _STRIDE + 1)))
        return found[0], found[1]


_STRIDE = 4
"""Pixels between those that are looked at to find the part of the film that changed."""


def paired(channels: Tensor) -> Tensor:
    """Neighbouring slabs as one; an odd last one at half its weight, for rays twice as long."""
    even = len(channels) - len(channels) % 2
    paired = 0.5 * (channels[0:even:2] + channels[1:even:2])
    return torch.cat([paired, 0.5 * channels[-1:]]) if len(channels) % 2 else paired
