"""Which result stands where: one layout, rendered by every writer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from syncxr.evaluation.scoring.results import MEAN, THRESHOLD_FREE, Result

MAIN_METRICS = ("AUROC", "F1", "pointing game", "IoU", "Dice", "Dice of positives")
"""Metrics of the paper's tables; those of the others follow after them."""

TASKS = (
    "zero-shot classification",
    "zero-shot grounding",
    "fine-tuned classification",
    "fine-tuned segmentation",
)


@dataclass(frozen=True)
class Figure:
    """One number of a table.

    Attributes:
        value: NaN where it has no meaning.
        low: Lower end of the 95 % interval; NaN without one.
        high: Upper end.
        best: Whether it is the greatest of the models compared; never under 50 items.
        point: Whether the value itself is shown; under 50 items the interval alone is.
        note: What a reader must know of it.
    """

    value: float
    low: float
    high: float
    best: bool
    point: bool
    note: str = ""

    @property
    def number(self) -> str:
        """As it is printed, without the interval."""
        return "–" if math.isnan(self.value) else f"{self.value:.3f}" if self.point else ""

    @property
    def interval(self) -> str:
        """As it is printed, ``""`` without one."""
        return "" if math.isnan(self.low) else f"[{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True)
class Column:
    """One column: a test set, or a finding of one.

    Attributes:
        head: What is measured on.
        sub: Share of the labels, ``""`` where none are involved.
        measured_on: Split, number of films and units.
    """

    head: str
    sub: str
    measured_on: str


@dataclass(frozen=True)
class ResultTable:
    """Models as rows, test sets (or findings) as columns.

    Attributes:
        task: As in results.
        metric: As in results.
        title: Task, metric, protocol.
        subtitle: Protocol, prompt set, preprocessing.
        columns: In order.
        rows: Model to its figures, None where it has none; models, then baselines, then published.
        models: How many of the rows are models; the others are never in bold.
        notes: What a reader must know.
        main: Whether it is among the first a reader should see.
    """

    task: str
    metric: str
    title: str
    subtitle: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, tuple[Figure | None, ...]], ...]
    models: int
    notes: tuple[str, ...]
    main: bool

    @property
    def remarks(self) -> list[str]:
        """What each column was measured on, once for columns of the same films; then notes."""
        grounds = [
            f"{column.head}: {column.measured_on}." for column in self.columns if column.measured_on
        ]
        return [*dict.fromkeys(grounds), *self.notes]


def tables(
    results: Iterable[Result], models: Sequence[str], published: Iterable[Result] = ()
) -> list[ResultTable]:
    """All tables: means over findings first, then the findings of each test set.

    Args:
        results: Of a suite; runs with single seeds are left to ``results.json`` where their mean
            is there.
        models: Names of the checkpoints, in order.
        published: Rows to place beside; their protocol is that of wherever they were published.
    """
    rows = _without_single_seeds(list(results))
    beside = list(published)
    found = []
    for key, group in _grouped(rows, models).items():
        means = [row for row in group if row.finding == MEAN]
        found.append(_table(key, means, models, beside, by_finding=False))
    for key, group in _grouped(rows, models).items():
        for test_set in dict.fromkeys(row.test_set for row in group):
            own = [r for r in group if r.test_set == test_set and r.finding != MEAN]
            if len({row.finding for row in own}) > 1:
                found.append(_table(key, own, models, beside, by_finding=True))
    return sorted(found, key=lambda table: not table.main)


_Key = tuple[str, str, str, str]


def _grouped(rows: Sequence[Result], models: Sequence[str]) -> dict[_Key, list[Result]]:
    """Rows that stand in one table, in the order of tasks and metrics."""
    found: dict[_Key, list[Result]] = {}
    for row in rows:
        if row.model in models:
            found.setdefault((*_kind(row), row.prompt_set), []).append(row)
    # Baselines know no prompts: they stand beside each model of their protocol or, where no model
    # has it, beside all protocols of their metric.
    for row in rows:
        if row.model not in models:
            same = [key for key in found if key[:3] == _kind(row)]
            for key in same or [key for key in found if key[:2] == _kind(row)[:2]]:
                found[key].append(row)
    return dict(sorted(found.items(), key=lambda pair: _rank(pair[0])))


def _kind(row: Result) -> tuple[str, str, str]:
    return row.task, row.metric, _protocol(row)


def _rank(key: _Key) -> tuple[int, int]:
    task = TASKS.index(key[0]) if key[0] in TASKS else len(TASKS)
    metric = MAIN_METRICS.index(key[1]) if key[1] in MAIN_METRICS else len(MAIN_METRICS)
    return task, metric


def _protocol(row: Result) -> str:
    return "" if row.protocol == THRESHOLD_FREE else row.protocol


def _without_single_seeds(rows: Sequence[Result]) -> list[Result]:
    """Runs of one seed go where there is their mean."""
    mark = "; mean of "
    merged = {
        (r.model, r.test_set, r.finding, r.metric, r.fraction, r.protocol.split(mark)[0])
        for r in rows
        if mark in r.protocol
    }

    def key(r: Result) -> tuple[object, ...]:
        return r.model, r.test_set, r.finding, r.metric, r.fraction, r.protocol

    return [row for row in rows if mark in row.protocol or key(row) not in merged]


def _table(
    key: _Key,
    rows: Sequence[Result],
    models: Sequence[str],
    published: Sequence[Result],
    *,
    by_finding: bool,
) -> ResultTable:
    task, metric, protocol, prompt_set = key
    # A published mean stands in the tables of means; a published finding in its set's table.
    sets = {row.test_set for row in rows}
    findings = {row.finding for row in rows}
    beside = [
        row
        for row in published
        if (row.task, row.metric) == (task, metric)
        and row.test_set in sets
        and row.finding in findings
    ]
    places: dict[tuple[str, float], list[Result]] = {}
    for row in (*rows, *beside):
        places.setdefault((row.finding if by_finding else row.test_set, _share(row)), []).append(
            row
        )
    names = list(dict.fromkeys(row.model for row in (*rows, *beside)))
    order = [n for n in models if n in names] + [n for n in names if n not in models]
    figures: dict[str, list[Figure | None]] = {name: [] for name in order}
    for own in places.values():
        by_model = {row.model: row for row in reversed(own)}
        top = _top([by_model[name] for name in models if name in by_model])
        for name in order:
            figures[name].append(_figure(by_model.get(name), top if name in models else None))
    first = rows[0]
    preparations = {r.model: r.preprocessing for r in rows if r.preprocessing}
    prepared = _prepared(preparations)
    title = f"{task}: {metric}" + (f", {protocol}" if protocol else "")
    title += f"; findings of {first.test_set}" if by_finding else ""
    about = [f"Prompt set “{prompt_set}”" if prompt_set else "", prepared]
    return ResultTable(
        task=task,
        metric=metric,
        title=_sentence(title),
        subtitle=_sentence("; ".join(filter(None, about))),
        columns=tuple(
            Column(head, f"{share:.3g} %" if share else "", _measured(own[0]))
            for (head, share), own in places.items()
        ),
        rows=tuple((name, tuple(figures[name])) for name in order),
        models=sum(name in models for name in order),
        notes=_notes(rows, beside, first, by_finding),
        main=not by_finding and metric in MAIN_METRICS,
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _share(row: Result) -> float:
    """Percent of the labels; 0 where none are involved, so that it compares equal to itself."""
    return 0.0 if math.isnan(row.fraction) else round(100 * row.fraction, 6)


def _top(rows: Sequence[Result]) -> float | None:
    """The greatest value where there is something to compare and enough to compare it on."""
    ranked = [row.value for row in rows if row.ranks]
    return max(ranked) if len(ranked) > 1 else None


def _figure(row: Result | None, top: float | None) -> Figure | None:
    if row is None:
        return None
    # Equal as printed is equally good.
    best = top is not None and row.ranks and f"{row.value:.3f}" == f"{top:.3f}"
    published = not row.n
    return Figure(row.value, row.low, row.high, best, row.ranks or published, row.note)


def _prepared(preparations: Mapping[str, str]) -> str:
    ways = set(preparations.values())
    if len(ways) <= 1:
        return f"films at {ways.pop()}" if ways else ""
    return "films at " + ", ".join(f"{way} ({name})" for name, way in preparations.items())


def _measured(row: Result) -> str:
    """On what a column was measured."""
    if not row.n:
        return ""
    # Grounding asks for each finding of a film: cases, all of them positive.
    kind = "cases" if row.task == TASKS[1] else "films"
    counted = row.finding != MEAN and kind == "films"
    number = f"{row.positives:,} of {row.n:,} films" if counted else f"{row.n:,} {kind}"
    return f"split {row.split}; {number}; {row.units} resampled"


def _notes(
    rows: Sequence[Result], published: Sequence[Result], first: Result, by_finding: bool
) -> tuple[str, ...]:
    """Intervals, then what single numbers need said, once for all models that share it."""
    found = []
    if first.samples:
        found.append(f"Brackets: 95 % interval of {first.samples:,} bootstrap samples.")
    by_note: dict[str, list[str]] = {}
    for row in rows:
        for note in filter(None, row.note.split("; ")):
            where = row.finding if by_finding else row.test_set
            share = "" if math.isnan(row.fraction) else f" {100 * row.fraction:.3g} %"
            # A spread belongs to one model; most notes to all.
            owner = f"{row.model}, " if note.startswith("standard deviation") else ""
            by_note.setdefault(note, []).append(f"{owner}{where}{share}")
    everywhere = {row.finding for row in rows}
    for note, owners in by_note.items():
        # What is true of the whole set need not name its findings.
        whole = by_finding and len(everywhere) > 1 and everywhere == {*owners}
        found.append(f"{first.test_set if whole else ', '.join(dict.fromkeys(owners))}: {note}.")
    found += [f"{row.model}: {row.note}." for row in published if row.note]
    return tuple(dict.fromkeys(found))
