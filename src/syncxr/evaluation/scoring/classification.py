"""Scores of predictions with bootstrap intervals: the one scorer of every classification task."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from syncxr.evaluation.metrics.binary import accuracy_of, f1_of, mcc_of
from syncxr.evaluation.metrics.bootstrap import Resamples, Statistic, totals
from syncxr.evaluation.metrics.ranking import Ranking
from syncxr.evaluation.metrics.thresholds import Cut, Cuts, best_cuts
from syncxr.evaluation.scoring.predictions import Predictions, unit_words
from syncxr.evaluation.scoring.results import NAN, THRESHOLD_FREE
from syncxr.evaluation.scoring.sheet import About, Scored, Sheet

Floats = NDArray[np.float64]

HALF = Cuts(Cut(0.5, NAN), Cut(0.5, NAN))
"""The threshold where the affirming text fits better than the denying one."""

FIXED = "fixed 0.5"
"""``Result.protocol`` of scores cut at :data:`HALF`."""


@dataclass(frozen=True)
class _Measure:
    """One measure of one finding as a function of how often each unit counts."""

    protocol: str
    metric: str
    threshold: float
    statistic: Statistic


@dataclass(frozen=True)
class _Column:
    """One finding; ``reason`` says why it cannot be scored."""

    reason: str
    classes: Statistic
    measures: tuple[_Measure, ...]
    n: int
    positives: int
    units: int

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """What is taken in each bootstrap sample: weights of the classes, then every measure."""
        if self.reason:
            return ()
        return (self.classes, *(measure.statistic for measure in self.measures))


def choose_cuts(predictions: Predictions) -> tuple[Cuts, ...]:
    """The best thresholds of every finding on these predictions: those of validation data."""
    return tuple(
        best_cuts(predictions.labels[:, k], predictions.scores[:, k])
        for k in range(len(predictions.findings))
    )


def score(
    predictions: Predictions,
    about: About,
    *,
    cuts: Mapping[str, Sequence[Cuts]] | None = None,
    protocol: str = THRESHOLD_FREE,
    strata: NDArray[np.int64] | None = None,
    least_positives: int = 1,
    samples: int = 1000,
    seed: int = 0,
) -> Scored:
    """AUROC and average precision of every finding and, at given thresholds, F1, accuracy and MCC.

    A finding without a labelled positive or negative has no score: it is listed with NaN and left
    out of the means by name. Units are drawn once for all findings, so that means have intervals.
    Thresholds are not chosen anew in the samples: they are part of what is scored.

    Args:
        predictions: What to score.
        about: What the rows say beside it.
        cuts: Protocol to thresholds, one a finding: F1 and accuracy are taken at the threshold of
            the greatest F1, MCC at that of the greatest MCC.
        protocol: Name of AUROC's and average precision's rows.
        strata: (N,): AUROC compares items within a stratum only; average precision is not taken.
        least_positives: Findings with fewer stay out of the means.
        samples: Bootstrap samples.
        seed: Seed of the bootstrap.
    """
    resamples = Resamples(predictions.units, samples, seed)
    place = {"test_set": predictions.test_set, "split": predictions.split}
    sheet = Sheet(about, place, samples=samples, seed=seed, least_positives=least_positives)
    columns = []
    for number in range(len(predictions.findings)):
        chosen = {name: per_finding[number] for name, per_finding in (cuts or {}).items()}
        columns.append(_column(predictions, number, resamples, protocol, chosen, strata))
    # All findings in one pass over the samples, because drawing them costs as much as using them.
    drawn = iter(resamples.draw([s for column in columns for s in column.statistics]))
    everyone = np.ones((resamples.units, 1), np.uint8)
    for finding, column in zip(predictions.findings, columns, strict=True):
        whole = (next(drawn) > 0).all(1) if not column.reason else None
        for measure in column.measures:
            note, value, draws = column.reason, NAN, np.full(samples, np.nan)
            if whole is not None:
                draws = np.where(whole, next(drawn), np.nan)
                value = float(measure.statistic(everyone)[0])
            if not note and measure.metric in _AT_CUT and math.isnan(measure.threshold):
                note, value = "no threshold: its source lacks a class", NAN
                draws = np.full(samples, np.nan)
            sheet.add(
                finding,
                measure.protocol,
                measure.metric,
                value,
                draws,
                n=column.n,
                positives=column.positives,
                units=unit_words(column.units, predictions.by_patient),
                note=note,
                threshold=measure.threshold,
            )
    labelled = ~np.isnan(predictions.labels).all(1)
    units = len(np.unique(resamples.members[labelled]))
    return sheet.finish(
        predictions.measured_on,
        n=int(labelled.sum()),
        units=unit_words(units, predictions.by_patient),
    )


_AT_CUT: dict[str, tuple[str, Callable[[Floats], Floats]]] = {
    "F1": ("f1", f1_of),
    "accuracy": ("f1", accuracy_of),
    "MCC": ("mcc", mcc_of),
}
"""Metric to the threshold it is taken at and its formula."""


def _column(
    predictions: Predictions,
    place: int,
    resamples: Resamples,
    protocol: str,
    cuts: Mapping[str, Cuts],
    strata: NDArray[np.int64] | None,
) -> _Column:
    """Everything that is measured of one finding, on its labelled items."""
    labels = predictions.labels[:, place]
    known = np.flatnonzero(~np.isnan(labels))
    truth, values = labels[known] == 1, predictions.scores[known, place]
    members, inside = resamples.members[known], None if strata is None else strata[known]
    ranking = Ranking(truth, values, members, inside)
    measures = [_Measure(protocol, "AUROC", NAN, ranking.auroc)]
    if strata is None:
        measures.append(_Measure(protocol, "AP", NAN, ranking.average_precision))
    for name, chosen in cuts.items():
        for metric, (kind, formula) in _AT_CUT.items():
            threshold = getattr(chosen, kind).threshold
            tables = totals(_table(truth, values, threshold), members, resamples.units)
            measures.append(_Measure(name, metric, threshold, _then(tables, formula)))
    return _Column(
        reason=_reason(truth, inside),
        classes=totals(np.stack([truth, ~truth], 1), members, resamples.units),
        measures=tuple(measures),
        n=len(known),
        positives=int(truth.sum()),
        units=len(np.unique(members)),
    )


def _table(truth: NDArray[np.bool_], values: Floats, threshold: float) -> Floats:
    """Each item's cell of the confusion table, (N, 4)."""
    called = values >= threshold
    cells = (called & truth, called & ~truth, ~called & truth, ~called & ~truth)
    return np.stack(cells, 1).astype(np.float64)


def _then(sums: Statistic, formula: Callable[[Floats], Floats]) -> Statistic:
    return lambda counts: formula(sums(counts))


def _reason(truth: NDArray[np.bool_], strata: NDArray[np.int64] | None) -> str:
    """Why a finding cannot be scored; ``""`` if it can."""
    if not truth.any():
        return "no positive"
    if truth.all():
        return "no negative"
    if strata is not None and not np.intersect1d(strata[truth], strata[~truth]).size:
        return "no stratum with a positive and a negative"
    return ""
