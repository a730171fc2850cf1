"""Bootstrap: samples of whole units (patients, or images where no patient is named).

Efron & Tibshirani, An Introduction to the Bootstrap (1993): percentile intervals (chapter 13),
drawing the independent unit whole (chapter 8). A sample is kept as how often each unit was drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

Statistic = Callable[[NDArray[Any]], Floats]
"""Counts of units (U, B) to values (B,) or (B, M)."""

_CELLS = 3_000_000
"""Counts worked on at a time: some MB, so that a block stays near the processor."""


class Interval(NamedTuple):
    """Percentile interval of a bootstrap."""

    low: float
    high: float


class Resamples:
    """Bootstrap samples, the same ones each time they are drawn.

    Args:
        units: Patient (or image) of each item, (N,).
        samples: Number of samples.
        seed: Decides the draws.

    Attributes:
        members: Number of each item's unit, (N,).
        units: How many units there are.
    """

    def __init__(self, units: Sequence[Hashable], samples: int = 1000, seed: int = 0) -> None:
        number = {name: place for place, name in enumerate(dict.fromkeys(units))}
        self.members = np.array([number[name] for name in units], np.intp)
        self.units, self.samples, self.seed = len(number), samples, seed

    def blocks(self) -> Iterator[NDArray[Any]]:
        """How often each unit occurs in each sample, (units, B), some samples at a time."""
        if not self.units:
            return
        generator = np.random.default_rng(self.seed)
        size = max(1, min(self.samples, _CELLS // self.units))
        for start in range(0, self.samples, size):
            block = min(size, self.samples - start)
            drawn = generator.integers(self.units, size=(block, self.units))
            drawn += self.units * np.arange(block)[:, None]
            counts = np.bincount(drawn.ravel(), minlength=block * self.units)
            # A byte each, unless a unit was drawn more than 255 times: gathers are the main cost.
            small = counts.astype(np.min_scalar_type(int(counts.max())))
            yield np.ascontiguousarray(small.reshape(block, self.units).T)

    def draw(self, statistics: Sequence[Statistic]) -> list[Floats]:
        """Every statistic in every sample: one (samples,) or (samples, M) each."""
        parts: list[list[Floats]] = [[] for _ in statistics]
        for counts in self.blocks():
            for found, statistic in zip(parts, statistics, strict=True):
                found.append(statistic(counts))
        return [np.concatenate(found) if found else np.empty(0) for found in parts]


def totals(values: ArrayLike, members: NDArray[np.intp], units: int) -> Statistic:
    """Sums over the drawn items: values (N, M) of items to (B, M) of samples.

    A mean, a rate or a confusion table is a function of sums, so that a sample costs one product.
    """
    table = np.asarray(values, np.float64)
    by_unit = np.zeros((units, *table.shape[1:]))
    np.add.at(by_unit, members, table)
    return lambda counts: counts.T.astype(np.float64) @ by_unit


def interval(values: ArrayLike, level: float = 0.95) -> Interval:
    """Percentile interval of bootstrap values; NaN ones (a class was not drawn) are passed over."""
    kept = np.asarray(values, np.float64)
    kept = kept[np.isfinite(kept)]
    if not len(kept):
        return Interval(float("nan"), float("nan"))
    low, high = np.quantile(kept, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


def p_value(differences: ArrayLike) -> float:
    """Two-sided p value of "no difference" from bootstrap differences.

    Twice the share of samples on the rarer side of 0, counting 0 on both sides and one sample more
    than was drawn, so that no p is 0 (Davison & Hinkley, Bootstrap Methods, 1997, section 4.2).
    """
    kept = np.asarray(differences, np.float64)
    kept = kept[np.isfinite(kept)]
    if not len(kept):
        return float("nan")
    rarer = min(int((kept <= 0).sum()), int((kept >= 0).sum()))
    return min(1.0, 2 * (rarer + 1) / (len(kept) + 1))
