"""Path lengths through folds: layers that end in an edge."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from syncxr.images.simulation.shapes.forms import Fold
from syncxr.images.simulation.shapes.patches import Deposit, deposit
from syncxr.images.simulation.shapes.placing import View, place


def add_folds(total: Tensor, view: View, folds: Sequence[Fold]) -> None:
    """Add folds to ``total``: path, water, bone, metal, (4, H, W).

    A fold lies flat across the beam: a ray's path is its thickness where the ray meets it, averaged
    over the pixel across the edge. That rays are a few degrees aslant (less than 1.5 % of path) is
    left out.
    """
    for fold in folds:
        device = total.device
        points = np.concatenate([fold.edge, fold.foot]).astype(np.float32)
        edge, foot = place(view, torch.as_tensor(points, device=device)).pixel.chunk(2)
        thickness = torch.as_tensor(fold.thickness, dtype=edge.dtype, device=device)
        rows, columns = _around(torch.cat([edge, foot]), total.shape[1:])
        if not (len(rows) and len(columns)):
            continue
        path = _paths(torch.cartesian_prod(rows, columns), edge, foot, thickness)
        path = path.view(1, len(rows), len(columns))
        piece, row, column = (path > 0.0).nonzero(as_tuple=True)
        found = Deposit(rows[row], columns[column], path[piece, row, column], piece)
        material = fold.material
        amounts = (1.0, material.water, material.bone, material.metal)
        deposit(total, found, torch.tensor([amounts], device=device))


def _around(places: Tensor, size: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Rows and columns of the film that hold all ``places`` (N, 2), with a pixel beside."""
    low, high = places.amin(0).floor() - 1.0, places.amax(0).ceil() + 1.0
    ranges = [
        torch.arange(
            int(low[axis].clamp(0, size[axis])),
            int(high[axis].clamp(-1, size[axis] - 1)) + 1,
            dtype=places.dtype,
            device=places.device,
        )
        for axis in range(2)
    ]
    return ranges[0], ranges[1]


def _paths(pixels: Tensor, edge: Tensor, foot: Tensor, thickness: Tensor) -> Tensor:
    """Mean thickness over each of ``pixels`` (M, 2), mm."""
    step = edge[1:] - edge[:-1]
    offset = pixels[:, None] - edge[:-1]
    along = (offset * step).sum(-1) / step.square().sum(-1).clamp_min(1e-9)
    share = along.clamp(0.0, 1.0)
    away = (offset - share[..., None] * step).norm(dim=-1)
    nearest = away.argmin(1)
    which = torch.arange(len(pixels), device=pixels.device)
    beyond = (along[:, 0] < 0.0) & (nearest == 0)
    beyond |= (along[:, -1] > 1.0) & (nearest == len(step) - 1)
    share, away = share[which, nearest], away[which, nearest]
    thin = _between(thickness, nearest, share)
    across = foot - edge
    wide = _between(across.norm(dim=-1), nearest, share).clamp_min(1.0)
    inside = _cross(step[nearest], offset[which, nearest]) * _cross(step[nearest], across[nearest])
    depth = torch.where(inside >= 0.0, away, -away)
    path = thin * wide * (_sum((depth + 0.5) / wide) - _sum((depth - 0.5) / wide))
    return path.masked_fill(beyond, 0.0)


def _between(values: Tensor, start: Tensor, share: Tensor) -> Tensor:
    """Values (N,) at points, between a point and the next."""
    return values[start] + share * (values[start + 1] - values[start])


def _cross(a: Tensor, b: Tensor) -> Tensor:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def _sum(share: Tensor) -> Tensor:
    """Integral of the profile (1 - u)² from the edge (0) to ``share`` of the way to the foot."""
    return (1.0 - (1.0 - share.clamp(0.0, 1.0)) ** 3) / 3.0
