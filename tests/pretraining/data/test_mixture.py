"""Shares hold to the pair, and no pair comes twice before all others of its source came once."""

from collections import Counter
from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncxr.pretraining.data.mixture import epoch_order, quotas, take

sources = st.lists(st.tuples(st.integers(1, 40), st.floats(0.01, 100)), min_size=1, max_size=5).map(
    lambda found: ([n for n, _ in found], [w for _, w in found])
)


@given(sources)
def test_shares_hold_to_the_pair(mixture: tuple[list[int], list[float]]) -> None:
    counts, weights = mixture
    found = quotas(counts, weights)
    assert sum(found) == sum(counts)
    for got, weight in zip(found, weights, strict=True):
        assert abs(got - sum(counts) * weight / sum(weights)) < 1


def test_without_weights_every_pair_once() -> None:
    assert quotas([3, 70], None) == [3, 70]
    order = list(zip(*(a.tolist() for a in epoch_order([3, 70], [3, 70], 5, 2)), strict=True))
    assert sorted(order) == [*((0, i) for i in range(3)), *((1, i) for i in range(70))]
    assert order != sorted(order)


@pytest.mark.parametrize(
    ("counts", "weights", "expected"),
    [
        ([100, 300], [1, 1], [200, 200]),
        ([10, 90], [0.25, 0.75], [25, 75]),
        ([1, 1, 1], [1, 1, 1], [1, 1, 1]),
    ],
)
def test_shares_by_example(counts: list[int], weights: list[float], expected: list[int]) -> None:
    assert quotas(counts, weights) == expected


@given(st.integers(1, 30), st.integers(0, 70), st.integers(0, 2**40))
def test_a_source_is_gone_through_in_whole_passes(count: int, quota: int, seed: int) -> None:
    epochs = [take(count, quota, seed, epoch, 1).tolist() for epoch in range(4)]
    assert [len(rows) for rows in epochs] == [quota] * 4
    stream = list(chain.from_iterable(epochs))
    for begin in range(0, len(stream), count):
        drawn = stream[begin : begin + count]
        assert len(set(drawn)) == len(drawn)
    times = Counter(stream)
    if len(stream) >= count:
        assert max(times.values()) - min(times.get(i, 0) for i in range(count)) <= 1


@given(sources, st.integers(0, 2**40), st.integers(0, 50))
def test_an_epoch_holds_its_shares(
    mixture: tuple[list[int], list[float]], seed: int, epoch: int
) -> None:
    counts, weights = mixture
    shares = quotas(counts, weights)
    of, rows = epoch_order(counts, shares, seed, epoch)
    assert np.bincount(of, minlength=len(counts)).tolist() == shares
    assert all(0 <= row < counts[source] for source, row in zip(of, rows, strict=True))
    again = epoch_order(counts, shares, seed, epoch)
    assert np.array_equal(of, again[0]) and np.array_equal(rows, again[1])


def test_epochs_and_seeds_differ() -> None:
    orders = {tuple(epoch_order([50], [50], seed, epoch)[1]) for seed in (0, 1) for epoch in (0, 1)}
    assert len(orders) == 4


def test_sources_are_mixed_from_one_end_to_the_other() -> None:
    of, _ = epoch_order([1000, 1000], [1000, 1000], 0, 0)
    assert all(abs(np.mean(part) - 0.5) < 0.15 for part in np.array_split(of, 10))
