"""A decoded source, ready to be drawn from."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from syncxr.errors import SyncxrError
from syncxr.pretraining.data.entry import Source
from syncxr.pretraining.data.store.building import THREADS, Identity, build
from syncxr.pretraining.data.store.decoding import Prepared, prepare
from syncxr.pretraining.data.store.layout import (
    FILMS,
    INDEX,
    PAIR_BOUNDS,
    SENTENCES,
    TEXT,
    TEXT_BOUNDS,
    Index,
)
from syncxr.pretraining.data.store.tally import Tally, check
from syncxr.pretraining.preprocessing import Preprocessing

Rows = NDArray[np.int64]


class Words:
    """Strings of pairs, looked up for many rows at once.

    Args:
        strings: Of all pairs, one after the other.
        bounds: Where those of each pair begin and the last ones end, (N + 1,).
    """

    def __init__(self, strings: pa.LargeStringArray, bounds: Rows) -> None:
        self._strings, self._bounds = strings, bounds

    def column(self, rows: Rows, place: int) -> list[str]:
        """One of the named strings (``layout.ID`` …) of each row."""
        return self._take(self._bounds[rows] + place)

    def sentences(self, rows: Rows, draws: NDArray[np.float64]) -> list[str]:
        """A sentence of each row; ``draws`` in [0, 1) decide which."""
        begins = self._bounds[rows] + SENTENCES
        counts = self._bounds[rows + 1] - begins
        return self._take(begins + (draws * counts).astype(np.int64))

    def _take(self, places: Rows) -> list[str]:
        found: list[str] = self._strings.take(pa.array(places)).to_pylist()
        return found


@dataclass(frozen=True)
class Decoded:
    """Films and words of one source.

    Attributes:
        films: (N, S, S) uint8, read-only; in the page cache and not in this process's memory.
        words: Theirs.
        index: What it holds, what was skipped.
    """

    films: NDArray[np.uint8]
    words: Words
    index: Index

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.films)


def decode(
    source: Source, preprocessing: Preprocessing, cache: Path, corrupt_limit: float
) -> Decoded:
    """A source from the cache, decoded first where it does not lie there.

    Args:
        source: What to decode.
        preprocessing: How films are prepared.
        cache: Folder of decoded sources, one folder each, named by its key.
        corrupt_limit: Share of corrupt samples that is put up with.

    Raises:
        SyncxrError: The source cannot be read, holds no pair, or too much of it is corrupt.
    """
    identity = Identity(source.state(), preprocessing)
    folder = cache / identity.key[:32]
    if not (folder / INDEX).exists():
        build(source, identity, folder, corrupt_limit)
    with suppress(OSError):  # a cache that others look after
        (folder / INDEX).touch()  # when it was last used
    index = Index.model_validate_json((folder / INDEX).read_text("utf-8"))
    # The same files may have been decoded under another name.
    index = index.model_copy(update={"name": source.name, "terms": source.terms})
    check(source.name, index.skipped, index.seen, corrupt_limit)
    if not index.count:
        raise SyncxrError(f"{source.name} holds no pair to train on ({_why(index)})")
    text, ends = pa.memory_map(str(folder / TEXT)), pa.memory_map(str(folder / TEXT_BOUNDS))
    strings = pa.LargeStringArray.from_buffers(
        ends.size() // 8 - 1, ends.read_buffer(), text.read_buffer()
    )
    shape = (index.count, index.size, index.size)
    films = np.memmap(folder / FILMS, np.uint8, "r", shape=shape).view(np.ndarray)
    bounds = np.memmap(folder / PAIR_BOUNDS, np.int64, "r").view(np.ndarray)
    return Decoded(films, Words(strings, bounds), index)


def decode_in_memory(source: Source, preprocessing: Preprocessing, corrupt_limit: float) -> Decoded:
    """The same without a cache, for pairs that are in memory anyhow.

    Raises:
        SyncxrError: As :func:`decode`.
    """
    identity = Identity(source.state(), preprocessing)
    kept: list[Prepared] = []
    tally = Tally()
    for entry in chain.from_iterable(prepare(source.entries(), preprocessing, THREADS)):
        if isinstance(entry, Prepared):
            kept.append(entry)
        else:
            tally.add(entry)
    index = Index(
        name=source.name,
        key=identity.key,
        count=len(kept),
        size=preprocessing.size,
        fingerprint=hashlib.sha256(b"".join(entry.digest for entry in kept)).hexdigest(),
        seen=len(kept) + len(tally.corrupt),
        skipped=tuple(tally.corrupt),
        left_out=dict(sorted(tally.left_out.items())),
        state=identity.state,
        preprocessing=preprocessing.model_dump(mode="json"),
        terms=source.terms,
    )
    check(source.name, index.skipped, index.seen, corrupt_limit)
    if not kept:
        raise SyncxrError(f"{source.name} holds no pair to train on ({_why(index)})")
    texts = [text.decode() for entry in kept for text in entry.strings]
    bounds = np.cumsum([0, *(len(entry.strings) for entry in kept)], dtype=np.int64)
    return Decoded(
        np.stack([entry.film for entry in kept]),
        Words(pa.array(texts, pa.large_string()), bounds),
        index,
    )


def _why(index: Index) -> str:
    """What became of what there was."""
    reasons = [f"{rule}: {count:,}" for rule, count in index.left_out.items()]
    reasons += [f"{item.id}: {item.reason}" for item in index.skipped[:1]]
    return "; ".join(reasons) or "it is empty"
