"""Scores with everything they were measured on, as data and as a table on the screen."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from syncxr.evaluation.metrics import (
    accuracy,
    auroc,
    bootstrap_auroc,
    confusion,
    f1,
    interval,
    mcc,
)
from syncxr.figures import json_values

THRESHOLD = 0.5
"""Where F1, accuracy and MCC are taken: the affirming text fits better than the denying one."""


@dataclass(frozen=True)
class Column:
    """One finding to be scored.

    Attributes:
        finding: Name.
        labels: (N,) bool.
        scores: (N,), higher = more likely positive.
        units: (N,) what is resampled: patients, or films where no patient is known.
        strata: (N,) whole numbers: films are compared within a stratum only.
    """

    finding: str
    labels: NDArray[np.bool_]
    scores: NDArray[np.floating]
    units: Sequence[Hashable]
    strata: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class FindingScore:
    """Scores of one finding.

    Attributes:
        finding: Name.
        auroc: NaN with one class only.
        low: Lower end of the 95 % interval of ``auroc``.
        high: Upper end.
        f1: At :data:`THRESHOLD`; NaN for scores that are no probabilities.
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
        prompt_set: With which texts; ``""`` where none are involved.
        films: Number of films.
        units: Number and kind of what was resampled, e.g. ``"357 patients"``.
        samples: Bootstrap samples.
        seed: Seed of the bootstrap.
        rows: One a finding.
        mean: Mean AUROC of the findings that count.
        low: Lower end of its 95 % interval.
        high: Upper end.
        left_out: Finding to the reason why it is not in the mean.
        notes: What a reader must know.
    """

    title: str
    test_set: str
    prompt_set: str
    films: int
    units: str
    samples: int
    seed: int
    rows: tuple[FindingScore, ...]
    mean: float
    low: float
    high: float
    left_out: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON values; NaN becomes None."""
        plain: dict[str, Any] = json_values(asdict(self))
        return plain

    def to_rich(self) -> Table:
        """For the screen."""
        table = Table(title=self.title, caption=self.caption, title_justify="left")
        for name in ("finding", "AUROC", "95 % interval", "F1", "positives", "negatives"):
            table.add_column(name, justify="left" if name == "finding" else "right")
        for row in self.rows:
            name = f"{row.finding} *" if row.finding in self.left_out else row.finding
            table.add_row(
                name,
                shown(row.auroc),
                f"{shown(row.low)} – {shown(row.high)}",
                shown(row.f1),
                str(row.positives),
                str(row.negatives),
            )
        table.add_section()
        table.add_row("mean", shown(self.mean), f"{shown(self.low)} – {shown(self.high)}")
        return table

    @property
    def caption(self) -> str:
        """What it was measured on, in words."""
        parts = [f"{self.test_set}; {self.films} films, {self.units}"]
        if self.prompt_set:
            parts.append(f"prompt set “{self.prompt_set}”")
        parts.append(f"{self.samples} bootstrap samples, seed {self.seed}")
        lines = ["; ".join(parts)]
        lines += [f"* {finding}: {reason}" for finding, reason in self.left_out.items()]
        return "\n".join([*lines, *self.notes])


def score_table(
    title: str,
    columns: Sequence[Column],
    *,
    test_set: str,
    prompt_set: str = "",
    units: str,
    probabilities: bool = True,
    least_positives: int = 1,
    samples: int = 1000,
    seed: int = 0,
    notes: Sequence[str] = (),
) -> ScoreTable:
    """Score findings and their mean in the same bootstrap samples.

    Args:
        title: What was done.
        columns: What to score.
        test_set: Name of the films.
        prompt_set: Name of the texts.
        units: Kind of ``Column.units``: ``"patients"`` or ``"films"``.
        probabilities: Whether scores are probabilities, so that a threshold of .5 means something.
        least_positives: Findings with fewer positives stay out of the mean.
        samples: Bootstrap samples.
        seed: Seed of the bootstrap.
        notes: What a reader must know.
    """
    drawn = bootstrap_auroc(
        [column.labels for column in columns],
        [column.scores for column in columns],
        [column.units for column in columns],
        [column.strata for column in columns],
        samples,
        seed,
    )
    rows = tuple(
        _row(column, drawn[:, index], probabilities) for index, column in enumerate(columns)
    )
    left_out = {row.finding: reason for row in rows if (reason := _reason(row, least_positives))}
    counted = [index for index, row in enumerate(rows) if row.finding not in left_out]
    mean, (low, high) = float("nan"), interval([])
    if counted:
        mean = float(np.mean([rows[index].auroc for index in counted]))
        # A sample that lacks a class says nothing of the mean: it becomes NaN and is passed over.
        low, high = interval(drawn[:, counted].mean(1))
    names = {name for column in columns for name in column.units}
    return ScoreTable(
        title=title,
        test_set=test_set,
        prompt_set=prompt_set,
        films=max((len(column.labels) for column in columns), default=0),
        units=f"{len(names)} {units}",
        samples=samples,
        seed=seed,
        rows=rows,
        mean=mean,
        low=low,
        high=high,
        left_out=left_out,
        notes=tuple(notes),
    )


def _row(column: Column, drawn: NDArray[np.float64], probabilities: bool) -> FindingScore:
    positives = int(column.labels.sum())
    low, high = interval(drawn)
    counts = confusion(column.labels, column.scores, THRESHOLD)
    nan = float("nan")
    return FindingScore(
        finding=column.finding,
        auroc=auroc(column.labels, column.scores, column.strata),
        low=low,
        high=high,
        f1=f1(counts) if probabilities else nan,
        accuracy=accuracy(counts) if probabilities else nan,
        mcc=mcc(counts) if probabilities else nan,
        positives=positives,
        negatives=len(column.labels) - positives,
    )


def _reason(row: FindingScore, least_positives: int) -> str:
    """Why a finding stays out of the mean; ``""`` if it does not."""
    if row.positives == 0:
        return "no positive film, not scored"
    if row.negatives == 0:
        return "no negative film, not scored"
    if np.isnan(row.auroc):
        return "no stratum with both a positive and a negative film, not scored"
    if row.positives < least_positives:
        return f"{row.positives} positives, fewer than {least_positives}: not in the mean"
    return ""


def shown(value: float) -> str:
    """A score as it is printed."""
    return "–" if np.isnan(value) else f"{value:.3f}"
