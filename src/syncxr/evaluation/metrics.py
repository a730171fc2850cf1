"""Scores of binary findings and of grounding maps, and their bootstrap intervals.

Every function on labels takes ``labels`` (N,) of 0/1 or bool and ``scores`` (N,), higher = more
likely positive. Where a score has no meaning (one class only), it is NaN.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.bool_]


class Interval(NamedTuple):
    """Percentile interval of a bootstrap."""

    low: float
    high: float


class Confusion(NamedTuple):
    """Counts at one threshold."""

    tp: int
    fp: int
    fn: int
    tn: int


def auroc(labels: ArrayLike, scores: ArrayLike, strata: NDArray[np.int64] | None = None) -> float:
    """Area under the ROC curve: the chance that a positive scores above a negative, ties half.

    With ``strata`` (N,) only pairs within one stratum are compared.
    """
    order = Order(labels, scores, strata)
    return order.auroc(np.ones(order.count))


class Order:
    """Labels and scores sorted once, so that each bootstrap sample costs one pass.

    Args:
        labels: (N,), 0/1.
        scores: (N,), finite.
        strata: (N,), whole numbers; pairs are compared within a stratum only (a stratified
            Mann-Whitney statistic: strata weigh by their number of pairs).

    Raises:
        ValueError: Lengths differ, a label is not 0/1, or a score is not finite.
    """

    def __init__(
        self, labels: ArrayLike, scores: ArrayLike, strata: NDArray[np.int64] | None = None
    ) -> None:
        truth, values = _check(labels, scores)
        self.count = len(values)
        stratum = np.zeros(self.count, np.int64) if strata is None else strata
        self._order = np.lexsort((values, stratum))
        self._positive = truth[self._order].astype(np.float64)
        ranked, block = values[self._order], stratum[self._order]
        new_block = _changes(block)
        # First place of each run of equal scores within a stratum, and each run's stratum.
        self._starts = np.flatnonzero(new_block | _changes(ranked))
        self._first_run = np.searchsorted(self._starts, np.flatnonzero(new_block))

    def auroc(self, weights: Floats) -> float:
        """AUROC where sample i counts ``weights[i]`` times; NaN when there is no pair."""
        if not self.count:
            return float("nan")
        ranked = weights[self._order]
        positive = np.add.reduceat(ranked * self._positive, self._starts)
        negative = np.add.reduceat(ranked * (1 - self._positive), self._starts)
        blocks = np.add.reduceat(positive, self._first_run)
        against = np.add.reduceat(negative, self._first_run)
        pairs = float(blocks @ against)
        if pairs == 0:
            return float("nan")
        runs = np.diff(np.r_[self._first_run, len(positive)])
        before = np.repeat(np.cumsum(against) - against, runs)
        below = np.cumsum(negative) - negative / 2 - before
        return float(positive @ below) / pairs


def resamples(
    count: int, groups: Sequence[Hashable] | None = None, samples: int = 1000, seed: int = 0
) -> Iterator[Floats]:
    """How often each of ``count`` items occurs in each bootstrap sample.

    Args:
        count: Number of items.
        groups: Patient of each item; whole patients are drawn. ``None`` = items are drawn.
        samples: Number of samples.
        seed: Decides the draws.
    """
    generator = np.random.default_rng(seed)
    names = range(count) if groups is None else groups
    number = {name: i for i, name in enumerate(dict.fromkeys(names))}
    member = np.array([number[name] for name in names], np.int64)
    for _ in range(samples):
        drawn = generator.integers(len(number), size=len(number))
        yield np.bincount(drawn, minlength=len(number))[member].astype(np.float64)


def interval(values: ArrayLike, level: float = 0.95) -> Interval:
    """Percentile interval of bootstrap values; NaN ones (a class was not drawn) are passed over."""
    kept = np.asarray(values, np.float64)
    kept = kept[np.isfinite(kept)]
    if not len(kept):
        return Interval(float("nan"), float("nan"))
    low, high = np.quantile(kept, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


def bootstrap_auroc(
    labels: Sequence[ArrayLike],
    scores: Sequence[ArrayLike],
    groups: Sequence[Sequence[Hashable]],
    strata: Sequence[NDArray[np.int64] | None],
    samples: int = 1000,
    seed: int = 0,
) -> Floats:
    """AUROC of several findings in the same bootstrap samples.

    Args:
        labels: One (N_k,) a finding; the findings may be scored on different items.
        scores: As ``labels``.
        groups: Unit of resampling of each item, e.g. its patient or its own name; units with
            the same name are drawn together across findings.
        strata: As ``labels``: see :class:`Order`; ``None`` = one stratum.
        samples: Number of samples.
        seed: Decides the draws.

    Returns:
        (samples, K), NaN where a finding had one class only.
    """
    every = list(dict.fromkeys(name for names in groups for name in names))
    place = {name: i for i, name in enumerate(every)}
    orders = [Order(*given) for given in zip(labels, scores, strata, strict=True)]
    rows = [np.array([place[name] for name in names], np.int64) for names in groups]
    result = np.full((samples, len(orders)), np.nan)
    for sample, weights in enumerate(resamples(len(every), None, samples, seed)):
        for finding, (order, members) in enumerate(zip(orders, rows, strict=True)):
            result[sample, finding] = order.auroc(weights[members])
    return result


def confusion(labels: ArrayLike, scores: ArrayLike, threshold: float) -> Confusion:
    """Counts when scores ≥ ``threshold`` are called positive."""
    truth, values = _check(labels, scores)
    called = values >= threshold
    return Confusion(
        tp=int((called & truth).sum()),
        fp=int((called & ~truth).sum()),
        fn=int((~called & truth).sum()),
        tn=int((~called & ~truth).sum()),
    )


def f1(counts: Confusion) -> float:
    """F1 of the positive class; NaN when there is neither a positive nor a call."""
    below = 2 * counts.tp + counts.fp + counts.fn
    return 2 * counts.tp / below if below else float("nan")


def accuracy(counts: Confusion) -> float:
    """Share of right calls; NaN for no items."""
    total = sum(counts)
    return (counts.tp + counts.tn) / total if total else float("nan")


def mcc(counts: Confusion) -> float:
    """Matthews correlation; 0 when a row or column is empty (scikit-learn's rule)."""
    tp, fp, fn, tn = (float(value) for value in counts)
    below = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    return (tp * tn - fp * fn) / below**0.5 if below else 0.0


def best_threshold(labels: ArrayLike, scores: ArrayLike) -> float:
    """Threshold of the greatest F1, found with one sort; the highest of equally good ones.

    NaN where there is no positive.
    """
    truth, values = _check(labels, scores)
    if not truth.any():
        return float("nan")
    order = np.argsort(-values, kind="stable")
    hits = np.cumsum(truth[order])
    called = np.arange(1, len(values) + 1)
    scored = 2 * hits / (called + truth.sum())
    # Equal scores are called together: only the last of a run is a possible threshold.
    ends = np.r_[values[order][1:] != values[order][:-1], True]
    return float(values[order][np.where(ends, scored, -1).argmax()])


def pointing_hit(heat: NDArray[np.floating], mask: Labels) -> bool:
    """Whether the maximum of a map lies in the mask; with several maxima, the first in rows.

    Raises:
        ValueError: Shapes differ.
    """
    if heat.shape != mask.shape:
        raise ValueError(f"map {heat.shape} and mask {mask.shape} differ in shape")
    return bool(mask.ravel()[int(np.argmax(heat))])


def _check(labels: ArrayLike, scores: ArrayLike) -> tuple[Labels, Floats]:
    truth, values = np.asarray(labels), np.asarray(scores, np.float64)
    if truth.ndim != 1 or truth.shape != values.shape:
        raise ValueError(f"labels {truth.shape} and scores {values.shape} must both be (N,)")
    if not np.isin(truth, (0, 1)).all():
        raise ValueError("labels must be 0 or 1")
    if not np.isfinite(values).all():
        raise ValueError("scores must be finite")
    return truth.astype(np.bool_), values


def _changes(values: NDArray[Any]) -> Labels:
    """Whether each value differs from the one before; True for the first."""
    changed = np.ones(len(values), np.bool_)
    changed[1:] = values[1:] != values[:-1]
    return changed
