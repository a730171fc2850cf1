"""Where places of the source body come to lie on the film and in the patient.

A view knows where each ray meets each slab of the source body, deformation included
(:func:`~syncxr.images.simulation.projection.intersections`). Inverting that map puts a place on the
film; following the pixel's ray to the same slab puts it into the patient.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from syncxr.images.simulation.projection import Rays, Slabs

_NODES = 9
"""Nodes a side of the grid that first guesses are taken from."""

_STEPS = 4
"""Newton's; two suffice away from the heart's border, where the map bends most."""


@dataclass(frozen=True)
class View:
    """A camera over a deformed body, on one device.

    Attributes:
        slabs: Geometry of the source body, and how it is stretched in the patient.
        where: Crossings of rays and slabs, source mm, (K, H, W, 2).
        source: Focal spot, patient's mm, (3,).
        direction: Of each pixel's ray, unit vectors, (H, W, 3).
    """

    slabs: Slabs
    where: Tensor
    source: Tensor
    direction: Tensor

    @classmethod
    def of(cls, slabs: Slabs, where: Tensor, rays: Rays) -> View:
        """The view of ``rays``, on the device of ``where``."""
        source, direction = (
            torch.as_tensor(array, dtype=where.dtype, device=where.device)
            for array in (rays.source, rays.direction)
        )
        return cls(slabs, where, source, direction)


@dataclass(frozen=True)
class Placed:
    """Places on the film and in the patient.

    Attributes:
        pixel: Row and column, whole numbers at pixel centres, (N, 2).
        position: In the patient, mm, (N, 3).
        ray: Unit vector along the ray, (N, 3).
        down: Step in the patient, mm, from a row to the next, across the ray, (N, 3).
        right: The same from a column to the next, (N, 3).
    """

    pixel: Tensor
    position: Tensor
    ray: Tensor
    down: Tensor
    right: Tensor

    @property
    def pitch(self) -> Tensor:
        """Root of the area that a pixel covers across its ray, mm, (N,)."""
        area: Tensor = torch.linalg.cross(self.down, self.right).norm(dim=-1)
        return area.sqrt()


def place(view: View, points: Tensor) -> Placed:
    """Find ``points`` (N, 3), source mm, on the film; beyond its edge by extrapolation."""
    slabs, where = view.slabs, view.where
    count, height, width = where.shape[:3]
    depth = points[:, slabs.axis]
    step = (depth - float(slabs.centres[0])) / slabs.thickness
    lower = step.floor().clamp(0, max(count - 2, 0)).long()
    upper = (lower + 1).clamp(max=count - 1)
    between = (step - lower)[:, None]
    target = points[:, [slabs.across, 2]]

    def crossing(rows: Tensor, columns: Tensor) -> Tensor:
        below, above = where[lower, rows, columns], where[upper, rows, columns]
        return below + between * (above - below)

    pixel = _guess(view, lower, target)
    limits = torch.tensor([height, width], dtype=points.dtype, device=points.device)
    for _ in range(_STEPS):
        at, jacobian = _sample(crossing, pixel, (height, width))
        move = _solve(jacobian, target - at).clamp(-0.25 * height, 0.25 * height)
        pixel = torch.minimum(torch.maximum(pixel + move, -limits), 2.0 * limits)
    return _follow(view, pixel, slabs.stretch * depth)


def _guess(view: View, lower: Tensor, target: Tensor) -> Tensor:
    """The nearest of a coarse grid's nodes."""
    height, width = view.where.shape[1:3]
    device = target.device
    rows = torch.linspace(0, height - 1, _NODES, device=device).round().long()
    columns = torch.linspace(0, width - 1, _NODES, device=device).round().long()
    nodes = view.where[lower[:, None, None], rows[:, None], columns[None, :]]
    nearest = (nodes - target[:, None, None]).square().sum(-1).flatten(1).argmin(1)
    return torch.stack([rows[nearest // _NODES], columns[nearest % _NODES]], 1).to(target.dtype)


_Lookup = Callable[[Tensor, Tensor], Tensor]


def _sample(lookup: _Lookup, pixel: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Bilinear value (N, C) and its derivative by row and column, (N, 2, C)."""
    row = pixel[:, 0].floor().clamp(0, size[0] - 2)
    column = pixel[:, 1].floor().clamp(0, size[1] - 2)
    down, right = (pixel[:, 0] - row)[:, None], (pixel[:, 1] - column)[:, None]
    r, c = row.long(), column.long()
    a, b, d, e = lookup(r, c), lookup(r, c + 1), lookup(r + 1, c), lookup(r + 1, c + 1)
    by_row = (d - a) + right * ((e - b) - (d - a))
    by_column = (b - a) + down * ((e - d) - (b - a))
    value = a + right * (b - a) + down * by_row
    return value, torch.stack([by_row, by_column], 1)


def _solve(jacobian: Tensor, residual: Tensor) -> Tensor:
    """Newton's step (N, 2) in rows and columns."""
    (a, b), (c, d) = jacobian[:, 0].unbind(1), jacobian[:, 1].unbind(1)
    determinant = a * d - b * c
    determinant = torch.where(determinant.abs() < 1e-9, torch.full_like(a, 1e-9), determinant)
    x, y = residual.unbind(1)
    return torch.stack([(d * x - c * y) / determinant, (a * y - b * x) / determinant], 1)


def _follow(view: View, pixel: Tensor, depth: Tensor) -> Placed:
    """Go along the pixels' rays as far as ``depth`` in the patient, (N,)."""
    axis = view.slabs.axis
    size = (view.where.shape[1], view.where.shape[2])
    ray, by_pixel = _sample(lambda r, c: view.direction[r, c], pixel, size)
    ray = ray / ray.norm(dim=-1, keepdim=True)
    distance = (depth - view.source[axis]) / ray[:, axis]
    steps = by_pixel * distance[:, None, None]
    # Only what leads across the ray is seen as a step on the film.
    steps = steps - (steps * ray[:, None]).sum(-1, keepdim=True) * ray[:, None]
    position = view.source + distance[:, None] * ray
    return Placed(pixel, position, ray, steps[:, 0], steps[:, 1])
