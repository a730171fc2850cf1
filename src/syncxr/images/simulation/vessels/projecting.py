"""What the vessels add along every ray."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from syncxr.images.simulation.body import Body, load_body
from syncxr.images.simulation.ct import load_thorax
from syncxr.images.simulation.projection import Rays, Slabs
from syncxr.images.simulation.shapes.placing import View, place
from syncxr.images.simulation.thorax import SOURCE, Floats
from syncxr.images.simulation.vessels.tree import VARIANTS, grow

_LATTICE = 25.0
"""Between the places that are followed onto the film, mm; vessels between them are interpolated."""

_BLOOD = 1.05
"""g/cm³."""

_LEAST = 1e-3
"""Change of a vessel's contrast that is worth following, g/cm³."""

_CLASSES = (0.8, 1.5, 2.7)
"""Upper radius of each class of vessels, mm: one blur a class gives them their width."""


@dataclass(frozen=True)
class Laid:
    """A tree laid into a body, ready for any view.

    Attributes:
        lattice: Places that a view has to find, source mm, (L, 3).
        corners: The eight of them round each piece, (N, 8).
        weights: Their shares, (N, 8).
        cells: Cell of the body that each piece lies in, flat, (N,).
        mass: Volume of each piece, mm³, (N,).
        groups: Class of radius of each piece, (N,).
    """

    lattice: Tensor
    corners: Tensor
    weights: Tensor
    cells: Tensor
    mass: Tensor
    groups: Tensor


@lru_cache(maxsize=2 * VARIANTS)
def lay(resolution_mm: float, variant: int, anatomy: str = SOURCE) -> Laid:
    """Grow a variant and find out where its pieces lie."""
    body = load_body(resolution_mm, anatomy)
    tree = grow(load_thorax(resolution_mm, anatomy), body.marks, variant)
    low = tree.points.min(0) - 1.0
    shape = np.ceil((tree.points.max(0) - low) / _LATTICE).astype(int) + 1
    axes = [start + _LATTICE * np.arange(count) for start, count in zip(low, shape, strict=True)]
    lattice = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    at = (tree.points - low) / _LATTICE
    lower = np.minimum(at.astype(int), shape - 2)
    part = at - lower
    corners, weights = [], []
    for corner in np.ndindex(2, 2, 2):
        index = lower + corner
        corners.append((index[:, 0] * shape[1] + index[:, 1]) * shape[2] + index[:, 2])
        weights.append(np.where(corner, part, 1.0 - part).prod(1))
    return Laid(
        torch.from_numpy(lattice.astype(np.float32)),
        torch.from_numpy(np.stack(corners, 1)),
        torch.from_numpy(np.stack(weights, 1).astype(np.float32)),
        torch.from_numpy(_cells(body, tree.points)),
        torch.from_numpy(np.pi * tree.radii**2 * tree.lengths),
        torch.from_numpy(np.searchsorted(_CLASSES, tree.radii)),
    )


def _cells(body: Body, points: Floats) -> NDArray[np.int64]:
    """Flat index of the cell round each point."""
    slabs = body.slabs
    index = [
        np.clip(np.rint((points[:, axis] - grid[0]) / (grid[1] - grid[0])), 0, len(grid) - 1)
        for axis, grid in ((1, slabs.centres), (2, slabs.rows), (0, slabs.columns))
    ]
    cells = np.ravel_multi_index([i.astype(int) for i in index], body.water.shape)
    return np.asarray(cells, np.int64)


@dataclass(frozen=True)
class Seen:
    """A tree as a view shows it.

    A vessel is seen as far as it stands out from its surroundings: not in fluid or consolidated
    lung, nor in air outside the lung.

    Attributes:
        laid: The tree.
        film: Row, column and pitch (mm) of each piece, (N, 3).
        shape: Rows and columns of the film.
        pixel_mm: Side of a pixel at the detector.
    """

    laid: Laid
    film: Tensor
    shape: torch.Size
    pixel_mm: float

    @classmethod
    def of(cls, laid: Laid, slabs: Slabs, where: Tensor, rays: Rays, pixel_mm: float) -> Seen:
        """Find the pieces on the film.

        Args:
            laid: The tree.
            slabs: Of the view.
            where: Crossings of the rays with them.
            rays: Of the view.
            pixel_mm: Side of a pixel at the detector.
        """
        device = where.device
        placed = place(View.of(slabs, where, rays), laid.lattice.to(device))
        film = torch.cat([placed.pixel, placed.pitch[:, None]], dim=1)
        film = (film[laid.corners.to(device)] * laid.weights.to(device)[..., None]).sum(1)
        return cls(laid, film, where.shape[1:3], pixel_mm)

    def project(self, body: Body) -> Tensor:
        """Mass of the vessels along every ray, g/cm², (H, W).

        Args:
            body: With the findings in it.
        """
        return self._spread(self._contrast(body.water, body.perfusion))

    def change(self, body: Body, water: Floats | None, perfusion: Floats | None) -> Tensor | None:
        """What one finding adds to :meth:`project` by drowning, thinning or widening vessels.

        Args:
            body: With all findings in it.
            water: What this one added to each cell, g/cm³, (K, R, C).
            perfusion: By what it multiplied the contrast of vessels.

        Returns:
            g/cm², (H, W); ``None`` if it leaves the vessels alone.
        """
        if water is None and perfusion is None:
            return None
        without = body.water if water is None else body.water - water
        others = body.perfusion
        if perfusion is not None and others is not None:
            others = others / perfusion
        own = self._contrast(body.water, body.perfusion) - self._contrast(without, others)
        return self._spread(own) if bool((own.abs() > _LEAST).any()) else None

    def _contrast(self, water: Floats, perfusion: Floats | None) -> Tensor:
        """How far each piece stands out, g/cm³, (N,)."""
        device, cells = self.film.device, self.laid.cells
        around = torch.from_numpy(water.reshape(-1))[cells].to(device)
        contrast = (_BLOOD - around).clamp(min=0.0) * ((around - 0.02) / 0.06).clamp(0.0, 1.0)
        if perfusion is not None:
            contrast = contrast * torch.from_numpy(perfusion.reshape(-1))[cells].to(device)
        return contrast

    def _spread(self, contrast: Tensor) -> Tensor:
        """Pieces of a contrast on the film, each class blurred to its width."""
        device = self.film.device
        # mm³ × g/cm³ over the area of a pixel at the vessel, mm²: a tenth of it is g/cm².
        mass = 0.1 * self.laid.mass.to(device) * contrast / self.film[:, 2] ** 2
        total = torch.zeros(self.shape, device=device)
        for group, radius in enumerate(_CLASSES):
            own = self.laid.groups.to(device) == group
            spots = _deposited(self.film[own, :2], mass[own], total.shape)
            total += _blurred(spots, max(0.45 * radius / self.pixel_mm, 0.35))
        return total


def _deposited(pixel: Tensor, mass: Tensor, shape: torch.Size) -> Tensor:
    """Points shared among the four pixels around them."""
    height, width = shape
    lower = pixel.floor()
    part = pixel - lower
    row, column = lower.long().unbind(1)
    total = torch.zeros(height * width, device=pixel.device, dtype=torch.float64)
    for down, right in ((0, 0), (0, 1), (1, 0), (1, 1)):
        share = (part[:, 0] if down else 1.0 - part[:, 0]) * (
            part[:, 1] if right else 1.0 - part[:, 1]
        )
        r, c = row + down, column + right
        seen = (r >= 0) & (r < height) & (c >= 0) & (c < width)
        total.index_add_(0, (r * width + c)[seen], (share * mass)[seen].double())
    return total.reshape(height, width).float()


def _blurred(image: Tensor, sigma: float) -> Tensor:
    """Gaussian blur."""
    if sigma < 0.25:
        return image
    reach = int(np.ceil(3.0 * sigma))
    steps = torch.arange(-reach, reach + 1, device=image.device, dtype=image.dtype)
    kernel = torch.exp(-0.5 * (steps / sigma) ** 2)
    kernel = kernel / kernel.sum()
    spread = functional.conv2d(image[None, None], kernel[None, None, :, None], padding=(reach, 0))
    blurred: Tensor = functional.conv2d(spread, kernel[None, None, None], padding=(0, reach))[0, 0]
    return blurred
