"""Arrays of the cache, one row a film: whole or absent, several filled in one pass."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import DTypeLike, NDArray

from syncxr.dataset.files import write_text
from syncxr.errors import SyncxrError
from syncxr.progress import bar

_MARK = 256
"""Rows between two marks of how far an array is filled: a kill loses no more."""

Blocks = Iterator[Sequence[NDArray[Any]]]
"""Consecutive rows, a block of each array at a time."""

Make = Callable[[int, Sequence[int]], Blocks]
"""Called with the first row and the places of the wanted arrays; gives blocks of their rows."""


@dataclass(frozen=True)
class Kept:
    """An array of the cache.

    Attributes:
        store: ``KEY.npy``; what it is of is all in the key.
        row: Shape of one film's row.
        dtype: Of the values.
    """

    store: Path
    row: tuple[int, ...]
    dtype: DTypeLike

    def read(self, count: int) -> NDArray[Any] | None:
        """The array, read-only and memory-mapped; None if it is absent or damaged."""
        try:
            found = np.load(self.store, mmap_mode="r")
        except (OSError, ValueError, EOFError):
            return None
        whole = found.shape == (count, *self.row) and found.dtype == np.dtype(self.dtype)
        return found if whole else None


def bring(
    arrays: Sequence[Kept], count: int, make: Make, label: str, align: int = 1
) -> tuple[list[NDArray[Any]], int]:
    """Arrays as they lie in the cache; all that are not there are made in one pass.

    Args:
        arrays: What is wanted.
        count: Number of films.
        make: Gives the rows; an interrupted pass is gone on with.
        label: For progress.
        align: A pass starts at a multiple of it: the size of a batch on which last bits depend.

    Returns:
        The arrays in order, and how many rows were made.

    Raises:
        SyncxrError: There is no film.
    """
    if not count:
        raise SyncxrError(f"{label}: the set holds no film; check its path")
    with ExitStack() as locks:
        for store in sorted({array.store for array in arrays}):
            store.parent.mkdir(parents=True, exist_ok=True)
            locks.enter_context(FileLock(store.with_suffix(".lock")))
        # Two that are the same are made once.
        places = {array.store: place for place, array in enumerate(arrays)}
        missing = [place for place in places.values() if arrays[place].read(count) is None]
        made = _fill([arrays[p] for p in missing], missing, count, make, label, align)
        found = [array.read(count) for array in arrays]
    whole = [array for array in found if array is not None]
    if len(whole) < len(arrays):
        raise SyncxrError(f"{arrays[0].store.parent} cannot be read back; check the disk")
    return whole, made


def _fill(
    arrays: Sequence[Kept],
    places: Sequence[int],
    count: int,
    make: Make,
    label: str,
    align: int,
) -> int:
    """Fill arrays under temporary names, noting how far they are, then rename them."""
    if not arrays:
        return 0
    growing = [_Growing(array, count) for array in arrays]
    start = done = min(one.done for one in growing) // align * align
    with bar(label, count, done=done) as progress:
        for blocks in make(done, places):
            first = done
            for one, block in zip(growing, blocks, strict=True):
                one.array[first : first + len(block)] = block
            done += len(blocks[0])
            progress.advance(done - first)
            if done // _MARK > first // _MARK:
                for one in growing:
                    one.mark(done)
    for one in growing:
        one.finish()
    return count - start


class _Growing:
    """An array that is being filled from its first row on."""

    def __init__(self, kept: Kept, count: int) -> None:
        self._store = kept.store
        self._partial = kept.store.with_suffix(".partial")
        self._mark = kept.store.with_suffix(".done")
        self.done = self._earlier(kept, count)
        self.array = np.lib.format.open_memmap(
            self._partial,
            mode="r+" if self.done else "w+",
            dtype=None if self.done else kept.dtype,
            shape=None if self.done else (count, *kept.row),
        )
        if not self.done and hasattr(os, "posix_fallocate"):
            # A full disk is told now; found out later, by a write through the map, it would kill.
            with self._partial.open("rb+") as stream:
                os.posix_fallocate(stream.fileno(), 0, self._partial.stat().st_size)

    def _earlier(self, kept: Kept, count: int) -> int:
        """Rows that an interrupted pass has left."""
        if not self._mark.exists() or Kept(self._partial, kept.row, kept.dtype).read(count) is None:
            return 0
        return int(self._mark.read_text())

    def mark(self, done: int) -> None:
        """Note that the first ``done`` rows are on disk."""
        if done > self.done:
            self.array.flush()
            write_text(self._mark, str(done))
            self.done = done

    def finish(self) -> None:
        """Make it whole."""
        self.array.flush()
        del self.array  # Windows renames nothing that is mapped
        with self._partial.open("rb+") as stream:
            os.fsync(stream.fileno())
        self._partial.replace(self._store)
        self._mark.unlink(missing_ok=True)
