"""Batches of pairs: the same ones whenever asked, from any point of an epoch, for any rank."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from syncxr.pretraining.data.captions import CaptionMode, candidates
from syncxr.pretraining.data.mixture import Numbers, epoch_order, quotas
from syncxr.pretraining.data.store.decoded import Decoded
from syncxr.pretraining.data.store.layout import FINDINGS, ID, IMPRESSION
from syncxr.sample import derive_seed


@dataclass(frozen=True, slots=True)
class Batch:
    """A step's pairs.

    Attributes:
        ids: Names of the pairs within their sources.
        films: (n, S, S) uint8, the caller's own.
        texts: What stands beside each film.
        epoch: Number of the epoch, from 0.
        index: Number of the global batch within the epoch, from 0.
    """

    ids: list[str]
    films: NDArray[np.uint8]
    texts: list[str]
    epoch: int
    index: int

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.ids)


@dataclass(frozen=True)
class Part:
    """Some pairs of a decoded source.

    Attributes:
        decoded: The source.
        rows: Which of its pairs, ascending.
    """

    decoded: Decoded
    rows: Numbers


class Loader:
    """One side of the data: what is trained on, or what is kept out.

    Args:
        parts: Pairs of each source.
        caption: Which words stand beside a film.
        weights: Share of an epoch that is drawn from each source; none = every pair once.
    """

    def __init__(
        self, parts: Sequence[Part], caption: CaptionMode, weights: Sequence[float] = ()
    ) -> None:
        self._parts, self._caption = list(parts), caption
        self._counts = [len(part.rows) for part in self._parts]
        self.shares = quotas(self._counts, weights or None)
        """Pairs of each source in an epoch."""

    def __len__(self) -> int:
        """Pairs in an epoch: as many as there are, whatever the weights."""
        return sum(self.shares)

    def steps(self, batch_size: int) -> int:
        """Whole batches in an epoch."""
        return len(self) // batch_size

    def batches(
        self,
        seed: int,
        epoch: int,
        batch_size: int,
        start: int = 0,
        rank: int = 0,
        world: int = 1,
    ) -> Iterator[Batch]:
        """Whole batches of an epoch; all that is random in them follows from seed and epoch.

        Args:
            seed: Of the run.
            epoch: Number of the epoch, from 0.
            batch_size: Pairs of a batch over all ranks together.
            start: Global batches that were already taken.
            rank: Whose part; parts follow one another within the global batch.
            world: How many ranks share a batch; must divide ``batch_size``.

        Raises:
            ValueError: ``world`` does not divide ``batch_size``, or ``rank`` is not below it.
        """
        if batch_size % world or not 0 <= rank < world:
            raise ValueError(f"rank {rank} of {world} has no whole part of {batch_size} pairs")
        sources, rows = epoch_order(self._counts, self.shares, seed, epoch)
        # By the place in the epoch, so that a pair drawn twice need not say the same twice.
        draws = self._draws("pretraining captions", seed, epoch)
        own = batch_size // world
        for index in range(start, self.steps(batch_size)):
            begin = index * batch_size + rank * own
            cut = slice(begin, begin + own)
            yield self._batch(sources[cut], rows[cut], draws[cut], epoch, index)

    def in_order(self, seed: int, batch_size: int) -> Iterator[Batch]:
        """Every pair once, source by source, always with the same captions; the last may be short.

        Args:
            seed: Of the run.
            batch_size: Pairs of a batch.
        """
        sources = np.repeat(np.arange(len(self._counts)), self._counts)
        rows = np.concatenate([np.arange(count) for count in self._counts])
        draws = self._draws("pretraining validation", seed, 0)
        for index, begin in enumerate(range(0, len(rows), batch_size)):
            cut = slice(begin, begin + batch_size)
            yield self._batch(sources[cut], rows[cut], draws[cut], 0, index)

    def _draws(self, stage: str, seed: int, epoch: int) -> NDArray[np.float64]:
        generator = np.random.default_rng(derive_seed(str(seed), stage, epoch))
        return generator.random(sum(self._counts))

    def _batch(
        self, sources: Numbers, rows: Numbers, draws: NDArray[np.float64], epoch: int, index: int
    ) -> Batch:
        if len(self._parts) == 1:
            ids, films, texts = self._read(0, rows, draws)
            return Batch(ids, films, texts, epoch, index)
        ids, texts = [""] * len(rows), [""] * len(rows)
        films = np.empty((len(rows), *self._parts[0].decoded.films.shape[1:]), np.uint8)
        for source in np.unique(sources):
            places = np.flatnonzero(sources == source)
            some = self._read(int(source), rows[places], draws[places])
            films[places] = some[1]
            for place, id, text in zip(places.tolist(), some[0], some[2], strict=True):
                ids[place], texts[place] = id, text
        return Batch(ids, films, texts, epoch, index)

    def _read(
        self, source: int, numbers: Numbers, draws: NDArray[np.float64]
    ) -> tuple[list[str], NDArray[np.uint8], list[str]]:
        part = self._parts[source]
        rows, decoded = part.rows[numbers], part.decoded
        words = decoded.words
        return (
            words.column(rows, ID),
            decoded.films.take(rows, 0),
            self._texts(decoded, rows, draws),
        )

    def _texts(self, decoded: Decoded, rows: Numbers, draws: NDArray[np.float64]) -> list[str]:
        if self._caption == "sentence":
            return decoded.words.sentences(rows, draws)
        findings = decoded.words.column(rows, FINDINGS)
        impressions = decoded.words.column(rows, IMPRESSION)
        pairs = zip(findings, impressions, strict=True)
        return [candidates(*pair, self._caption)[0] for pair in pairs]
