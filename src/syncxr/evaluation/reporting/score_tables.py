"""Scores of one model on one set as a table: for the demo's screen, its report and JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from syncxr.evaluation.scoring.results import MEAN, NAN, Result
from syncxr.figures import json_values

_CUT_METRICS = ("F1", "accuracy", "MCC")


@dataclass(frozen=True)
class FindingScore:
    """Scores of one finding.

    Attributes:
        finding: Name.
        auroc: NaN with one class only.
        low: Lower end of the 95 % interval of ``auroc``.
        high: Upper end.
        f1: At the threshold of the table's ``cut``; NaN without one.
        accuracy: As ``f1``.
        mcc: As ``f1``.
        positives: Films that show it.
        negatives: Films it is scored against.
    """

    finding: str
    auroc: float
    low: float
    high: float
    f1: float
    accuracy: float
    mcc: float
    positives: int
    negatives: int


@dataclass(frozen=True)
class ScoreTable:
    """AUROC by finding, with what it was measured on.

    Attributes:
        title: What was done.
        test_set: On which films.
        split: Which of them.
        prompt_set: Name and hash of the texts; ``""`` where none are involved.
        films: Number of films.
        units: Number and kind of what was resampled, e.g. ``"357 patients"``.
        samples: Bootstrap samples.
        seed: Seed of the bootstrap.
        cut: Protocol of the thresholds; ``""`` where nothing is cut.
        rows: One a finding.
        mean: Mean AUROC of the findings that count.
        low: Lower end of its 95 % interval.
        high: Upper end.
        left_out: Finding to the reason why it is not in the mean.
        notes: What a reader must know.
    """

    title: str
    test_set: str
    split: str
    prompt_set: str
    films: int
    units: str
    samples: int
    seed: int
    cut: str
    rows: tuple[FindingScore, ...]
    mean: float
    low: float
    high: float
    left_out: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON values; NaN becomes None."""
        plain: dict[str, Any] = json_values(asdict(self))
        return plain


@dataclass(frozen=True)
class PointingScore:
    """Pointing game of one finding.

    Attributes:
        finding: Name.
        hits: Cases whose maximum lies inside the mask; ties count in part.
        cases: All cases.
        rate: ``hits / cases``.
        low: Lower end of the 95 % interval.
        high: Upper end.
        chance: Mean share of the film that the mask covers: the rate of a blind point.
        cnr: Mean signed contrast-to-noise ratio.
    """

    finding: str
    hits: float
    cases: int
    rate: float
    low: float
    high: float
    chance: float
    cnr: float


@dataclass(frozen=True)
class PointingTable:
    """Pointing game by finding, with what it was measured on; fields as in :class:`ScoreTable`."""

    test_set: str
    split: str
    prompt_set: str
    units: str
    samples: int
    seed: int
    rows: tuple[PointingScore, ...]
    mean: float
    low: float
    high: float
    mean_chance: float
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON values; NaN becomes None."""
        plain: dict[str, Any] = json_values(asdict(self))
        return plain


def score_table(title: str, results: Sequence[Result], notes: Sequence[str] = ()) -> ScoreTable:
    """The rows of one scoring of one model on one set.

    Args:
        title: What was done.
        results: As :func:`syncxr.evaluation.scoring.classification.score` gives them.
        notes: What a reader must know.
    """
    ranked = {row.finding: row for row in results if row.metric == "AUROC"}
    cut = next((row.protocol for row in results if row.metric in _CUT_METRICS), "")
    at_cut = {(r.finding, r.metric): r.value for r in results if r.protocol == cut}
    mean = ranked.pop(MEAN)
    rows = tuple(
        FindingScore(
            row.finding,
            row.value,
            row.low,
            row.high,
            f1=at_cut.get((row.finding, "F1"), NAN),
            accuracy=at_cut.get((row.finding, "accuracy"), NAN),
            mcc=at_cut.get((row.finding, "MCC"), NAN),
            positives=row.positives,
            negatives=row.n - row.positives,
        )
        for row in ranked.values()
    )
    left_out = {row.finding: row.note for row in ranked.values() if math.isnan(row.value)}
    return ScoreTable(
        title=title,
        test_set=mean.test_set,
        split=mean.split,
        prompt_set=mean.prompt_set,
        films=mean.n,
        units=mean.units,
        samples=mean.samples,
        seed=mean.seed,
        cut=cut,
        rows=rows,
        mean=mean.value,
        low=mean.low,
        high=mean.high,
        left_out=left_out,
        notes=tuple(notes),
    )


def pointing_table(
    results: Sequence[Result], chance: Sequence[Result], notes: Sequence[str] = ()
) -> PointingTable:
    """The pointing game out of the rows of a model and of :func:`.grounding.score_chance`."""
    game = {row.finding: row for row in results if row.metric == "pointing game"}
    blind = {row.finding: row.value for row in chance if row.metric == "pointing game"}
    contrast = {row.finding: row.value for row in results if row.metric == "CNR (signed)"}
    mean = game.pop(MEAN)
    return PointingTable(
        test_set=mean.test_set,
        split=mean.split,
        prompt_set=mean.prompt_set,
        units=mean.units,
        samples=mean.samples,
        seed=mean.seed,
        rows=tuple(
            PointingScore(
                row.finding,
                row.value * row.n,
                row.n,
                row.value,
                row.low,
                row.high,
                blind[row.finding],
                contrast[row.finding],
            )
            for row in game.values()
        ),
        mean=mean.value,
        low=mean.low,
        high=mean.high,
        mean_chance=blind[MEAN],
        notes=tuple(notes),
    )
