"""The thresholds of the greatest F1 and of the greatest MCC, from one sort."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from syncxr.evaluation.metrics.binary import Floats, f1_of, labelled, mcc_of


class Cut(NamedTuple):
    """A threshold and what it reaches where it was chosen; scores ≥ it are called positive."""

    threshold: float
    value: float


class Cuts(NamedTuple):
    """The best thresholds of one finding."""

    f1: Cut
    mcc: Cut


NO_CUT = Cut(float("nan"), float("nan"))
"""Where no threshold can be chosen."""


def best_cuts(labels: ArrayLike, scores: ArrayLike) -> Cuts:
    """The best of all thresholds, found in O(N log N): one sort and cumulative counts.

    Of equally good thresholds the highest is taken. NaN labels are left out
    (:func:`~syncxr.evaluation.metrics.binary.labelled`).

    Returns:
        For F1 NaN where no positive is labelled, for MCC where one of the classes is missing.
    """
    truth, values, _ = labelled(labels, scores)
    if not truth.any():
        return Cuts(NO_CUT, NO_CUT)
    order = np.argsort(-values, kind="stable")
    ranked = values[order]
    # Equal scores are called together: only the last of a run is a possible threshold.
    ends = np.flatnonzero(np.r_[ranked[1:] != ranked[:-1], True])
    tp = np.cumsum(truth[order])[ends].astype(np.float64)
    called = ends + 1.0
    positives, items = float(truth.sum()), float(len(truth))
    tables = np.stack([tp, called - tp, positives - tp, items - called - positives + tp], axis=-1)

    def best(reached: Floats) -> Cut:
        # Equally good up to the last bits, which depend on the order of operations.
        place = int((reached >= reached.max() - 1e-12).argmax())
        return Cut(float(ranked[ends[place]]), float(reached[place]))

    both = positives < items
    return Cuts(best(f1_of(tables)), best(mcc_of(tables)) if both else NO_CUT)
