"""AUROC and average precision of weighted items, from one sort for all weights.

A bootstrap sample is the same items with other weights. Both measures need only sums of weights
between the places where positives stand, so after one sort a sample costs one gather and one pass
of additions; samples are worked on side by side.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Ranking:
    """Labels sorted by score, to be weighted many times.

    Args:
        labels: (N,) bool.
        scores: (N,), finite.
        members: (N,), row of the weights that item i takes: its patient. ``None`` = row i.
        strata: (N,), whole numbers; AUROC compares pairs within a stratum only (a stratified
            Mann-Whitney statistic: strata weigh by their number of pairs).
    """

    def __init__(
        self,
        labels: NDArray[np.bool_],
        scores: NDArray[np.floating],
        members: NDArray[np.intp] | None = None,
        strata: NDArray[np.int64] | None = None,
    ) -> None:
        self._stratified = strata is not None
        stratum = np.zeros(len(scores), np.int64) if strata is None else strata
        order = np.lexsort((scores, stratum))
        positive, block, ranked = labels[order], stratum[order], scores[order]
        self._rows = order if members is None else members[order]
        # Runs of equal scores within a stratum: one threshold each.
        starts = np.flatnonzero(_changes(block) | _changes(ranked))
        ends = np.append(starts[1:], len(order))
        self._places = np.flatnonzero(positive)
        run = np.searchsorted(starts, self._places, side="right") - 1
        self._first = np.flatnonzero(_changes(run))
        held = run[self._first]  # Runs with a positive; the others move neither measure.
        base = np.searchsorted(block, block[starts[held]])
        top = np.searchsorted(block, block[starts[held]], side="right")
        self._edges, where = np.unique(
            np.r_[0, starts[held], ends[held], base, top], return_inverse=True
        )
        self._start, self._end, self._base, self._top = np.split(where[1:], 4)
        self._strata = _changes(base)

    def auroc(self, weights: NDArray[Any]) -> Floats:
        """AUROC where item i counts as often as its row of ``weights`` (rows, B) says.

        Returns:
            (B,), NaN where there is no pair of a positive and a negative.
        """
        positive, below = self._tally(weights, negatives=True)
        if not len(positive):
            return np.full(weights.shape[1], np.nan)
        base = below[self._base]
        won = (positive * ((below[self._start] + below[self._end]) / 2 - base)).sum(0)
        first = np.flatnonzero(self._strata)
        against = (below[self._top] - base)[first]
        pairs = (np.add.reduceat(positive, first, axis=0) * against).sum(0)
        return np.where(pairs == 0, np.nan, won / np.where(pairs == 0, 1, pairs))

    def average_precision(self, weights: NDArray[Any]) -> Floats:
        """Average precision with weights as for :meth:`auroc`; strata are not looked at.

        Returns:
            (B,), NaN where there is no positive.

        Raises:
            ValueError: The ranking has strata, in which thresholds have no common meaning.
        """
        if self._stratified:
            raise ValueError("average precision has no meaning across strata")
        positive, below = self._tally(weights, negatives=False)
        if not len(positive):
            return np.full(weights.shape[1], np.nan)
        hits = np.cumsum(positive[::-1], axis=0)[::-1]
        called = below[self._top] - below[self._start]
        total = hits[0]
        gained = (positive * hits / np.where(called == 0, 1, called)).sum(0)
        return np.where(total == 0, np.nan, gained / np.where(total == 0, 1, total))

    def _tally(self, weights: NDArray[Any], negatives: bool) -> tuple[Floats, Floats]:
        """Weight of positives, and weight below the edges.

        Returns:
            Of the positives in each run that has one, (R, B); of all items or only of the
            negatives before each edge, (E, B).
        """
        if not len(self._places):
            nothing = np.empty((0, weights.shape[1]))
            return nothing, nothing
        ranked = weights[self._rows]
        kind = np.float64 if ranked.dtype.kind == "f" else np.int64
        positive = np.add.reduceat(ranked[self._places], self._first, axis=0, dtype=kind)
        if negatives:
            ranked[self._places] = 0
        # An edge at the very end opens no segment.
        inner = self._edges[self._edges < len(ranked)]
        pieces = np.add.reduceat(ranked, inner, axis=0, dtype=kind)
        below = np.zeros((len(self._edges), weights.shape[1]))
        np.cumsum(pieces[: len(self._edges) - 1], axis=0, out=below[1:])
        return positive.astype(np.float64), below


def _changes(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether each value differs from the one before; True for the first."""
    changed = np.ones(len(values), np.bool_)
    changed[1:] = values[1:] != values[:-1]
    return changed
