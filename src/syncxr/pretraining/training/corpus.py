"""Pairs in memory, in batches."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from syncxr.pretraining.captions import candidates, pick
from syncxr.pretraining.options import PretrainingOptions
from syncxr.pretraining.pairs import Pair, Pairs
from syncxr.sample import derive_seed


class Batch(NamedTuple):
    """Films, uint8 (n, S, S), and a text for each."""

    ids: list[str]
    films: NDArray[np.uint8]
    texts: list[str]


class Corpus:
    """One side of the division between training and validation."""

    def __init__(self, pairs: list[Pair], options: PretrainingOptions) -> None:
        self.ids = [pair.id for pair in pairs]
        self._films = options.preprocessing.stack(pair.image for pair in pairs)
        self._captions = [
            candidates(pair.findings, pair.impression, options.caption) for pair in pairs
        ]

    def __len__(self) -> int:
        return len(self.ids)

    def batches(
        self, seed: int, epoch: int, batch_size: int, start: int = 0, rank: int = 0, world: int = 1
    ) -> Iterator[Batch]:
        """Whole batches of an epoch from ``start`` on; of each, the share of one process."""
        order = np.random.default_rng(
            derive_seed(str(seed), "pretraining order", epoch)
        ).permutation(len(self))
        count = len(self) // batch_size
        for index in range(start, count):
            rows = order[index * batch_size : (index + 1) * batch_size]
            step = derive_seed(str(seed), "pretraining step", epoch * count + index)
            share = len(rows) // world
            yield self._batch(rows[rank * share : (rank + 1) * share], step)

    def in_order(self, seed: int, batch_size: int) -> Iterator[Batch]:
        """All pairs once, in their order, always with the same captions."""
        rows = iter(range(len(self)))
        fixed = derive_seed(str(seed), "pretraining validation", 0)
        while batch := list(islice(rows, batch_size)):
            yield self._batch(np.array(batch), fixed)

    def _batch(self, rows: NDArray[np.int64], seed: int) -> Batch:
        texts = []
        for row in rows:
            generator = np.random.default_rng([seed, int(row)])
            texts.append(pick(self._captions[row], generator))
        return Batch([self.ids[row] for row in rows], self._films[rows], texts)


def divide(pairs: Pairs, options: PretrainingOptions) -> tuple[Corpus, Corpus]:
    """Training and validation side."""
    sides: tuple[list[Pair], list[Pair]] = ([], [])
    for pair in pairs:
        sides[kept_out(pair.id, options.validation_fraction)].append(pair)
    return Corpus(sides[0], options), Corpus(sides[1], options)


def kept_out(id: str, fraction: float) -> bool:
    """Whether a pair belongs to the validation side; adding pairs moves none across."""
    return derive_seed(id, "pretraining validation", 0) < fraction * 2**63
