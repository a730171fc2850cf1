"""Whether two judges, or one judge asked in two ways, say the same of the same films."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from syncxr.curation.judge import QUESTIONS, SIMILAR, Verdict
from syncxr.images.faithfulness import Rate

PASSED = "passed"
"""The row of the whole verdict, below those of the questions."""

_RESAMPLES = 2000


class Row(BaseModel):
    """Agreement about one question, on the films that both judges answered.

    Attributes:
        question: Key of :data:`~syncxr.curation.judge.QUESTIONS`, or ``"passed"``.
        n: Films.
        both_yes: Films that pass with both.
        only_first: Films that pass with the first judge alone.
        only_second: Films that pass with the second judge alone.
        both_no: Films that pass with neither.
        agreement: Share of films with the same outcome, with its 95 % interval (Wilson 1927).
        kappa: Agreement beyond chance (Cohen 1960), in [-1, 1]; ``None`` where one outcome alone
            occurs, so that chance agrees always.
        kappa_interval: 95 % percentile interval of kappa, films resampled 2,000 times.
        unanswered: Films left out because one judge gave no usable answer.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: str
    n: int
    both_yes: int
    only_first: int
    only_second: int
    both_no: int
    agreement: float | None
    interval: tuple[float, float]
    kappa: float | None
    kappa_interval: tuple[float, float] | None
    unanswered: int


def agree(
    first: Sequence[Verdict], second: Sequence[Verdict], deciding: Collection[str], seed: int = 0
) -> list[Row]:
    """Compare verdicts film by film.

    Args:
        first: Verdicts in which all questions decide.
        second: Verdicts on the same films, in the same order.
        deciding: Reasons that count in the last row.
        seed: Of the resampling.

    Returns:
        A row for each question, and one for the whole verdict.
    """
    pairs = list(zip(first, second, strict=True))
    rows = []
    for question in QUESTIONS:
        both = [pair for pair in pairs if all(question in verdict.answers for verdict in pair)]
        passed = [tuple(question not in v.reasons for v in pair) for pair in both]
        rows.append(_row(question, passed, len(pairs) - len(both), seed))
    counted = (set(QUESTIONS) | {SIMILAR}) & set(deciding)
    asked = [question for question in QUESTIONS if question in counted]
    both = [pair for pair in pairs if all(q in v.answers for v in pair for q in asked)]
    passed = [tuple(not counted & set(v.reasons) for v in pair) for pair in both]
    rows.append(_row(PASSED, passed, len(pairs) - len(both), seed))
    return rows


def kappa(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cohen's kappa of 2 × 2 tables (J. Cohen, 1960), NaN where chance agrees always.

    Args:
        table: Counts of outcomes of the first judge by those of the second, (…, 2, 2).
    """
    total = table.sum((-2, -1))
    observed = (table[..., 0, 0] + table[..., 1, 1]) / total
    chance = (table.sum(-1) * table.sum(-2)).sum(-1) / total**2
    with np.errstate(invalid="ignore", divide="ignore"):
        found: NDArray[np.float64] = np.where(
            chance < 1, (observed - chance) / (1 - chance), np.nan
        )
    return found


def _row(question: str, passed: Sequence[tuple[bool, ...]], unanswered: int, seed: int) -> Row:
    table = np.zeros((2, 2))
    for one, two in passed:
        table[int(one), int(two)] += 1
    rate = Rate.of(one == two for one, two in passed)
    value = float(kappa(table)) if passed else float("nan")
    return Row(
        question=question,
        n=len(passed),
        both_yes=int(table[1, 1]),
        only_first=int(table[1, 0]),
        only_second=int(table[0, 1]),
        both_no=int(table[0, 0]),
        agreement=rate.share if passed else None,
        interval=(rate.low, rate.high),
        kappa=None if np.isnan(value) else value,
        kappa_interval=None if np.isnan(value) else _interval(table, seed),
        unanswered=unanswered,
    )


def _interval(table: NDArray[np.float64], seed: int) -> tuple[float, float]:
    """Percentiles of kappa over resampled films; only their table matters, so it is drawn."""
    count = int(table.sum())
    drawn = np.random.default_rng(seed).multinomial(count, table.ravel() / count, _RESAMPLES)
    values = kappa(drawn.reshape(-1, 2, 2).astype(np.float64))
    low, high = np.nanpercentile(values, (2.5, 97.5))
    return float(low), float(high)
