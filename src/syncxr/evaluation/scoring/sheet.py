"""Results with their bootstrap draws, so that two models can be compared sample by sample."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from syncxr.errors import SyncxrError
from syncxr.evaluation.metrics.bootstrap import interval, p_value
from syncxr.evaluation.scoring.results import FEWEST_ITEMS, MEAN, NAN, Result

Floats = NDArray[np.float64]

FEW = f"fewer than {FEWEST_ITEMS} items: interval only, no ranking"


@dataclass(frozen=True)
class About:
    """What all results of one scoring have in common.

    Attributes:
        task: As :attr:`Result.task`.
        model: Name of the checkpoint or baseline.
        prompt_set: Name and hash of the texts.
        preprocessing: How films were prepared.
        fraction: Share of the training labels.
        seed: Of training; None = that of the bootstrap is told.
    """

    task: str
    model: str
    prompt_set: str = ""
    preprocessing: str = ""
    fraction: float = NAN
    seed: int | None = None


@dataclass(frozen=True)
class Scored:
    """Rows, and what each was in every bootstrap sample.

    Attributes:
        results: The rows.
        draws: One (samples,) a row, NaN where the sample says nothing.
        measured_on: Hash of the items, their units and labels, and of the bootstrap's seed.
    """

    results: tuple[Result, ...]
    draws: tuple[Floats, ...]
    measured_on: str

    def noted(self, *notes: str) -> Scored:
        """The same rows, each with more notes; empty ones add nothing."""
        rows = (
            replace(row, note="; ".join(filter(None, (row.note, *notes)))) for row in self.results
        )
        return replace(self, results=tuple(rows))


class Sheet:
    """Collects the rows of one scoring.

    Args:
        about: What they have in common.
        place: The other fields that are the same in all rows (``test_set``, ``split``).
        samples: Bootstrap samples.
        seed: Seed of the bootstrap.
        least_positives: Findings with fewer stay out of means.
    """

    def __init__(
        self,
        about: About,
        place: Mapping[str, Any],
        *,
        samples: int,
        seed: int,
        least_positives: int = 1,
    ) -> None:
        self._common = {
            "task": about.task,
            "model": about.model,
            "prompt_set": about.prompt_set,
            "preprocessing": about.preprocessing,
            "fraction": about.fraction,
            "seed": seed if about.seed is None else about.seed,
            **place,
        }
        self._samples, self._seed, self._least = samples, seed, least_positives
        self._rows: list[tuple[Result, Floats]] = []

    def add(
        self,
        finding: str,
        protocol: str,
        metric: str,
        value: float,
        draws: Floats,
        *,
        n: int,
        positives: int,
        units: str,
        note: str = "",
        threshold: float = NAN,
    ) -> None:
        """One finding. ``draws`` (samples,) is NaN where a sample says nothing."""
        missing = int(np.isnan(draws).sum())
        notes = [note, FEW if n < FEWEST_ITEMS else ""]
        if missing and not math.isnan(value):
            notes.append(f"{missing} of {len(draws)} bootstrap samples drew none of a class")
        low, high = interval(draws if not math.isnan(value) else ())
        row = Result(
            **self._common,
            finding=finding,
            protocol=protocol,
            metric=metric,
            value=value,
            low=low,
            high=high,
            n=n,
            positives=positives,
            units=units,
            note="; ".join(filter(None, notes)),
            samples=self._samples,
            threshold=threshold,
        )
        self._rows.append((row, draws))

    def finish(self, measured_on: str, *, n: int, units: str) -> Scored:
        """All rows, each metric of each protocol followed by its mean over findings.

        Args:
            measured_on: Hash of items, units and labels.
            n: Items of the test set.
            units: Number and kind of its units.
        """

        def kind(pair: tuple[Result, Floats]) -> tuple[str, str]:
            return pair[0].protocol, pair[0].metric

        order = {key: place for place, key in enumerate(dict.fromkeys(map(kind, self._rows)))}
        rows = []
        for _, group in groupby(sorted(self._rows, key=lambda pair: order[kind(pair)]), key=kind):
            members = list(group)
            rows += [*members, self._mean(members, n, units)]
        results, draws = zip(*rows, strict=True) if rows else ((), ())
        mark = f"{measured_on} {self._samples} {self._seed}"
        return Scored(tuple(results), tuple(draws), mark)

    def _mean(
        self, rows: Sequence[tuple[Result, Floats]], n: int, units: str
    ) -> tuple[Result, Floats]:
        """Mean over the findings that count; the others are named with the reason."""
        reasons = {row.finding: self._reason(row) for row, _ in rows}
        counted = [pair for pair in rows if not reasons[pair[0].finding]]
        out = [f"{finding} ({reason})" for finding, reason in reasons.items() if reason]
        notes = [f"left out: {', '.join(out)}" if out else "", FEW if n < FEWEST_ITEMS else ""]
        value, draws = NAN, np.full(self._samples, np.nan)
        if counted:
            value = float(np.mean([row.value for row, _ in counted]))
            table = np.stack([drawn for _, drawn in counted])
            # A sample that lacks a class of one finding still says something of the others.
            known = ~np.isnan(table)
            sums, counts = np.where(known, table, 0).sum(0), known.sum(0)
            draws = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
        low, high = interval(draws)
        mean = replace(
            rows[0][0],
            finding=MEAN,
            value=value,
            low=low,
            high=high,
            n=n,
            positives=len(counted),
            units=units,
            note="; ".join(filter(None, notes)),
            threshold=NAN,
        )
        return mean, draws

    def _reason(self, row: Result) -> str:
        """Why a finding stays out of the mean; ``""`` if it does not."""
        if math.isnan(row.value):
            return row.note.split(";")[0] or "no value"
        if row.positives < self._least:
            return f"{row.positives} positives, fewer than {self._least}"
        return ""


def difference(first: Scored, second: Scored) -> list[Result]:
    """Paired comparison of two models: first minus second, in the same bootstrap samples.

    Returns:
        A row ``"… difference"`` for each finding, protocol and metric that both have, with the
        interval of the difference and a two-sided p (:func:`~..metrics.bootstrap.p_value`; NaN
        under 50 items: nothing is ranked there).

    Raises:
        SyncxrError: They were scored on other items, labels or bootstrap samples.
    """
    if first.measured_on != second.measured_on:
        names = " and ".join(
            s.results[0].model if s.results else "nothing" for s in (first, second)
        )
        raise SyncxrError(
            f"{names} were not scored on the same items, labels and bootstrap samples; "
            "score both on one split with one seed"
        )

    def key(row: Result) -> tuple[str, str, str]:
        return row.finding, row.protocol, row.metric

    others = {
        key(row): (row, draws) for row, draws in zip(second.results, second.draws, strict=True)
    }
    rows = []
    for row, draws in zip(first.results, first.draws, strict=True):
        if key(row) not in others:
            continue
        other, other_draws = others[key(row)]
        apart = draws - other_draws
        low, high = interval(apart)
        same = row.prompt_set == other.prompt_set
        rows.append(
            replace(
                row,
                model=f"{row.model} − {other.model}",
                metric=f"{row.metric} difference",
                value=row.value - other.value,
                low=low,
                high=high,
                p=p_value(apart) if row.ranks and other.ranks else NAN,
                threshold=NAN,
                prompt_set=row.prompt_set if same else f"{row.prompt_set} − {other.prompt_set}",
            )
        )
    return rows
