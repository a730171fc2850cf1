"""Masks out of what people drew: boxes, run lengths, mask files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from syncxr.corpora.films import read_mask
from syncxr.errors import SyncxrError
from syncxr.sample import Mask

Box = tuple[float, float, float, float]
"""x, y, width and height in pixels."""


def filled_boxes(boxes: Iterable[Box], size: tuple[int, int], where: str) -> Mask:
    """Filled boxes, several together; corners are rounded to the nearest pixel.

    Args:
        boxes: ``(x, y, width, height)`` in pixels of the film.
        size: Height and width of the film.
        where: Table and row, for the message.

    Raises:
        SyncxrError: A box is empty or lies wholly outside the film.
    """
    mask = np.zeros(size, bool)
    for x, y, width, height in boxes:
        rows = slice(max(0, round(y)), max(0, round(y + height)))
        columns = slice(max(0, round(x)), max(0, round(x + width)))
        if not mask[rows, columns].size:
            raise SyncxrError(
                f"{where}: box {x:g},{y:g},{width:g},{height:g} lies outside the film "
                f"{size[0]}×{size[1]} or is empty; mend it"
            )
        mask[rows, columns] = True
    return mask


def scaled(boxes: Iterable[Box], side: int, size: tuple[int, int]) -> list[Box]:
    """Boxes drawn on square films of ``side`` pixels, on a resized film of ``size``."""
    down, across = size[0] / side, size[1] / side
    return [(x * across, y * down, w * across, h * down) for x, y, w, h in boxes]


def relative_run_lengths(text: str, size: tuple[int, int], where: str) -> Mask:
    """Decode the run lengths of SIIM-ACR.

    Pairs of *gap* and *length*: unlike COCO's or Kaggle's usual encoding, each start is counted
    from the end of the run before. Pixels run down the columns, left to right.

    Args:
        text: ``"gap length gap length …"``.
        size: Height and width of the film.
        where: Table and row, for the message.

    Raises:
        SyncxrError: It is no such list, or runs past the film.
    """
    try:
        numbers: NDArray[np.int64] = np.array(text.split(), np.int64)
    except (ValueError, OverflowError):
        numbers = np.array([-1])
    if not numbers.size or numbers.size % 2 or (numbers < 0).any():
        raise SyncxrError(f"{where}: {text.strip()[:40]!r} is no run-length mask; mend it")
    edges = np.cumsum(numbers)
    height, width = size
    if edges[-1] > height * width:
        raise SyncxrError(
            f"{where}: the mask runs to pixel {edges[-1]:,} of a film of {height}×{width}; "
            "masks are for films in their original size"
        )
    steps = np.zeros(height * width + 1, np.int8)
    # A run of no length starts and ends on one pixel: add, so that both count.
    np.add.at(steps, edges[::2], 1)
    np.add.at(steps, edges[1::2], -1)
    return np.asarray(np.cumsum(steps[:-1], dtype=np.int8).reshape(width, height).T > 0)


def mask_file(path: Path, size: tuple[int, int], where: str) -> Mask:
    """A mask file of its film's size.

    Raises:
        SyncxrError: It is missing, does not open, or is of another size.
    """
    mask = read_mask(path, where)
    if mask.shape != size:
        raise SyncxrError(
            f"{where}: mask {path} is {mask.shape[0]}×{mask.shape[1]}, its film "
            f"{size[0]}×{size[1]} (height×width); resample the mask to its film"
        )
    return mask
