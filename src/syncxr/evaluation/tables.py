"""Scores of one scoring as a table: for the screen, the report and JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.table import Table

from syncxr.evaluation.mask_metrics import OVERLAPS
from syncxr.evaluation.results import FEWEST_ITEMS, MEAN, NAN, Result
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

    def to_rich(self) -> Table:
        """For the screen."""
        table = Table(title=self.title, caption=self.caption, title_justify="left")
        for name in ("finding", "AUROC", "95 % interval", "F1", "positives", "negatives"):
            table.add_column(name, justify="left" if name == "finding" else "right")
        for row in self.rows:
            name = f"{row.finding} *" if row.finding in self.left_out else row.finding
            table.add_row(
                name,
                _point(row.auroc, row.positives + row.negatives),
                f"{shown(row.low)} – {shown(row.high)}",
                _point(row.f1, row.positives + row.negatives),
                str(row.positives),
                str(row.negatives),
            )
        table.add_section()
        mean = _point(self.mean, self.films)
        table.add_row("mean", mean, f"{shown(self.low)} – {shown(self.high)}")
        return table

    @property
    def caption(self) -> str:
        """What it was measured on, in words."""
        parts = [f"{self.test_set}, split {self.split}; {self.films} films, {self.units} resampled"]
        if self.prompt_set:
            parts.append(f"prompt set “{self.prompt_set}”")
        if self.cut:
            parts.append(f"F1 at thresholds {self.cut}")
        parts.append(f"{self.samples} bootstrap samples, seed {self.seed}")
        lines = ["; ".join(parts)]
        lines += [f"* {finding}: {reason}" for finding, reason in self.left_out.items()]
        return "\n".join([*lines, *self.notes])


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

    def to_rich(self) -> Table:
        """For the screen."""
        caption = (
            f"{self.test_set}, split {self.split}; {self.units} resampled; prompt set "
            f"“{self.prompt_set}”; {self.samples} bootstrap samples, seed {self.seed}"
        )
        table = Table(
            title="Zero-shot grounding: pointing game",
            caption="\n".join([caption, *self.notes]),
            title_justify="left",
        )
        for name in ("finding", "hits", "95 % interval", "blind point", "CNR (signed)", "cases"):
            table.add_column(name, justify="left" if name == "finding" else "right")
        for row in self.rows:
            low_high = f"{shown(row.low)} – {shown(row.high)}"
            hits = _point(row.rate, row.cases)
            cnr = _point(row.cnr, row.cases)
            table.add_row(row.finding, hits, low_high, shown(row.chance), cnr, str(row.cases))
        table.add_section()
        low_high = f"{shown(self.low)} – {shown(self.high)}"
        cases = sum(row.cases for row in self.rows)
        mean = _point(self.mean, cases)
        table.add_row("mean", mean, low_high, shown(self.mean_chance), "", str(cases))
        return table


def score_table(
    title: str,
    results: Sequence[Result],
    *,
    least_positives: int = 1,
    notes: Sequence[str] = (),
) -> ScoreTable:
    """The rows of one scoring of one model on one set.

    Args:
        title: What was done.
        results: As :func:`syncxr.evaluation.scoring.score` gives them.
        least_positives: As was given there.
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
    left_out = {
        row.finding: row.note or "not scored"
        if math.isnan(row.value)
        else f"{row.positives} positives, fewer than {least_positives}: not in the mean"
        for row in ranked.values()
        if math.isnan(row.value) or row.positives < least_positives
    }
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


def overlap_table(results: Sequence[Result], chance: Sequence[Result]) -> Table:
    """Overlaps of grounding at each threshold for the screen; IoU of the whole film beside."""
    rows = [row for row in results if row.metric in OVERLAPS]
    cells = {(row.finding, row.protocol, row.metric): row for row in rows}
    whole = {row.finding: row.value for row in chance if row.metric == "IoU"}
    first = rows[0]
    table = Table(
        title="Zero-shot grounding: overlap",
        caption=f"{first.test_set}, split {first.split}; prompt set “{first.prompt_set}”; "
        f"{first.samples} bootstrap samples, seed {first.seed}\n{first.note}",
        title_justify="left",
    )
    for name in ("finding", "threshold", *OVERLAPS, "IoU, 95 %", "IoU of whole film", "cases"):
        table.add_column(name, justify="left" if name == "finding" else "right")
    for finding, protocol in dict.fromkeys((row.finding, row.protocol) for row in rows):
        own = [cells[finding, protocol, metric] for metric in OVERLAPS]
        cut = "" if math.isnan(own[0].threshold) else f" ({own[0].threshold:.2f})"
        table.add_row(
            finding,
            protocol if protocol.startswith("fixed") else f"{protocol}{cut}",
            *(_point(row.value, row.n) for row in own),
            f"{shown(own[0].low)} – {shown(own[0].high)}",
            shown(whole.get(finding, NAN)),
            str(own[0].n),
        )
    return table


def shown(value: float) -> str:
    """A score as it is printed."""
    return "–" if math.isnan(value) else f"{value:.3f}"


def _point(value: float, items: int) -> str:
    """A point estimate, in brackets where there are too few items to rank anything by it."""
    return shown(value) if items >= FEWEST_ITEMS or math.isnan(value) else f"({shown(value)})"
