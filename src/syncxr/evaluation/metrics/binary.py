"""Scores of binary findings.

Every function takes ``labels`` (N,) of 0, 1 or NaN and ``scores`` (N,), higher = more likely
positive. An item whose label is NaN is unlabelled: it is neither positive nor negative and left
out. A score that is not finite is refused, labelled or not. Where a measure has no meaning (one
class only), it is NaN.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from syncxr.evaluation.metrics.ranking import Ranking

Floats = NDArray[np.float64]
Labels = NDArray[np.bool_]


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
    truth, values, known = labelled(labels, scores)
    ranking = Ranking(truth, values, strata=None if strata is None else strata[known])
    return float(ranking.auroc(np.ones((len(truth), 1)))[0])


def average_precision(labels: ArrayLike, scores: ArrayLike) -> float:
    """Area under the steps of the precision-recall curve; NaN where there is no positive.

    Sum over thresholds of precision times gain in recall, as in scikit-learn; equal scores are
    called together.
    """
    truth, values, _ = labelled(labels, scores)
    return float(Ranking(truth, values).average_precision(np.ones((len(truth), 1)))[0])


def confusion(labels: ArrayLike, scores: ArrayLike, threshold: float) -> Confusion:
    """Counts when scores ≥ ``threshold`` are called positive."""
    truth, values, _ = labelled(labels, scores)
    called = values >= threshold
    return Confusion(
        tp=int((called & truth).sum()),
        fp=int((called & ~truth).sum()),
        fn=int((~called & truth).sum()),
        tn=int((~called & ~truth).sum()),
    )


def f1(counts: Confusion) -> float:
    """F1 of the positive class; NaN when there is neither a positive nor a call."""
    return float(f1_of(np.array(counts, np.float64)))


def accuracy(counts: Confusion) -> float:
    """Share of right calls; NaN for no items."""
    return float(accuracy_of(np.array(counts, np.float64)))


def mcc(counts: Confusion) -> float:
    """Matthews correlation; 0 when a row or column is empty (scikit-learn's rule)."""
    return float(mcc_of(np.array(counts, np.float64)))


def f1_of(counts: Floats) -> Floats:
    """:func:`f1` of many tables, (…, 4) in the order of :class:`Confusion`."""
    tp, fp, fn, _ = np.moveaxis(counts, -1, 0)
    return _ratio(2 * tp, 2 * tp + fp + fn, np.nan)


def accuracy_of(counts: Floats) -> Floats:
    """:func:`accuracy` of many tables, (…, 4)."""
    tp, _, _, tn = np.moveaxis(counts, -1, 0)
    return _ratio(tp + tn, counts.sum(-1), np.nan)


def mcc_of(counts: Floats) -> Floats:
    """:func:`mcc` of many tables, (…, 4)."""
    tp, fp, fn, tn = np.moveaxis(counts, -1, 0)
    # Two roots, because the product of all four margins leaves the exact range of floats early.
    below = np.sqrt((tp + fp) * (tp + fn)) * np.sqrt((tn + fp) * (tn + fn))
    return _ratio(tp * tn - fp * fn, below, 0.0)


def labelled(labels: ArrayLike, scores: ArrayLike) -> tuple[Labels, Floats, Labels]:
    """Labels and scores of the labelled items, and which items those are, (N,).

    Raises:
        ValueError: Lengths differ, a label is not 0, 1 or NaN, or a score is not finite.
    """
    truth, values = np.asarray(labels, np.float64), np.asarray(scores, np.float64)
    if truth.ndim != 1 or truth.shape != values.shape:
        raise ValueError(f"labels {truth.shape} and scores {values.shape} must both be (N,)")
    known = ~np.isnan(truth)
    if not np.isin(truth[known], (0, 1)).all():
        raise ValueError("labels must be 0, 1 or NaN")
    if not np.isfinite(values).all():
        raise ValueError("scores must be finite")
    return truth[known] == 1, values[known], known


def _ratio(above: Floats, below: Floats, otherwise: float) -> Floats:
    """``above / below``, ``otherwise`` where ``below`` is 0."""
    empty = below == 0
    return np.where(empty, otherwise, above / np.where(empty, 1, below))
