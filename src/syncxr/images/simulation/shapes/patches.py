"""Small squares of pixels round small things, worked on many at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

_LEAST = 4
"""Side of the smallest squares, pixels."""


def groups(reach: Tensor) -> Iterator[tuple[Tensor, int]]:
    """Sort things by the square they need, in powers of two.

    Args:
        reach: Half the side that each thing needs, pixels, (N,).

    Yields:
        Indices of the things that share a size, and that size.
    """
    side = torch.exp2((2.0 * reach + 2.0).clamp(_LEAST, 4096.0).log2().ceil()).long()
    for value in sorted(set(side.tolist())):
        yield torch.nonzero(side == value).flatten(), int(value)


class Deposit(NamedTuple):
    """Path to be added to single pixels, all (M,).

    Attributes:
        row: Of the pixel.
        column: Of the pixel.
        path: Mean over the pixel, mm.
        thing: Whose path it is.
    """

    row: Tensor
    column: Tensor
    path: Tensor
    thing: Tensor


def squares(path: Tensor, rows: Tensor, columns: Tensor) -> Deposit:
    """Whole squares (N, S, S) at pixels from :func:`offsets`."""
    piece, row, column = (path > 0.0).nonzero(as_tuple=True)
    return Deposit(rows[piece, row, 0], columns[piece, 0, column], path[piece, row, column], piece)


def offsets(centre: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Pixels of a square round each ``centre`` (N, 2): rows (N, side, 1), columns (N, 1, side)."""
    corner = centre.round() - side // 2
    steps = torch.arange(side, dtype=centre.dtype, device=centre.device)
    return corner[:, 0, None, None] + steps[:, None], corner[:, 1, None, None] + steps[None, :]


def deposit(total: Tensor, what: Deposit, amounts: Tensor) -> None:
    """Add to ``total`` (4, H, W) the paths times the things' ``amounts`` (N, 4), a cm."""
    height, width = total.shape[1:]
    on_film = (what.row >= 0) & (what.row < height) & (what.column >= 0) & (what.column < width)
    index = (what.row * width + what.column).long()[on_film]
    added = (0.1 * what.path[on_film]).to(total.dtype) * amounts.T.to(total.dtype)[
        :, what.thing[on_film]
    ]
    total.view(4, -1).index_add_(1, index, added)
