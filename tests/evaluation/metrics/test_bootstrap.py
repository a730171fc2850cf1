"""Samples of whole units, the same ones each time; intervals that cover; p values."""

import math

import numpy as np
import pytest

from syncxr.evaluation.metrics import bootstrap
from syncxr.evaluation.metrics.bootstrap import Resamples, interval, p_value, totals
from syncxr.evaluation.metrics.ranking import Ranking


def counts(resamples: Resamples) -> np.ndarray:
    return np.concatenate(list(resamples.blocks()), axis=1)


def test_every_sample_draws_as_many_units_as_there_are() -> None:
    drawn = counts(Resamples(["a", "b", "a", "c", "b", "a"], 50, 1))
    assert drawn.shape == (3, 50)
    assert (drawn.sum(0) == 3).all()


def test_patients_are_drawn_whole() -> None:
    resamples = Resamples(["a", "b", "a", "c", "b", "a"])
    assert resamples.members.tolist() == [0, 1, 0, 2, 1, 0]


def test_seed_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    one, two, other = (counts(Resamples(range(20), 30, seed)) for seed in (1, 1, 2))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)
    monkeypatch.setattr(bootstrap, "_CELLS", 60)  # three samples at a time
    assert np.array_equal(one, counts(Resamples(range(20), 30, 1)))


def test_a_unit_drawn_more_than_255_times() -> None:
    resamples = Resamples(range(40), 3)
    many = np.zeros((40, 3), np.int64)
    many[0] = 300
    resamples.blocks = lambda: iter([many.astype(np.min_scalar_type(300))])
    (sums,) = resamples.draw([totals(np.ones(40), resamples.members, 40)])
    assert sums.tolist() == [300, 300, 300]


def test_all_units_equally_often() -> None:
    drawn = counts(Resamples(range(10), 4000, 0))
    np.testing.assert_allclose(drawn.mean(1), 1, atol=0.06)
    np.testing.assert_allclose(drawn.var(1), 0.9, atol=0.08)


def test_totals_are_sums_over_drawn_items() -> None:
    units, values = ["a", "b", "a", "c"], np.array([[1.0, 10], [2, 20], [4, 40], [8, 80]])
    resamples = Resamples(units, 25, 3)
    (sums,) = resamples.draw([totals(values, resamples.members, resamples.units)])
    expected = [weights[resamples.members] @ values for weights in counts(resamples).T]
    np.testing.assert_allclose(sums, expected)


def test_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(0)
    truth = 0.7602  # P(N(1, 1) > N(0, 1))
    covered = 0
    for repeat in range(120):
        labels = np.repeat([False, True], 60)
        scores = generator.normal(size=120) + labels
        (drawn,) = Resamples(range(120), 300, repeat).draw([Ranking(labels, scores).auroc])
        low, high = interval(drawn)
        covered += low <= truth <= high
    assert 105 <= covered <= 120


def test_twins_widen_the_interval() -> None:
    generator = np.random.default_rng(3)
    labels = np.tile(np.repeat([False, True], 20), 4)
    scores = np.tile(generator.normal(size=40), 4) + labels
    wide, narrow = (
        interval(r.draw([Ranking(labels, scores, r.members).auroc])[0])
        for r in (Resamples(list(range(40)) * 4, 400), Resamples(range(160), 400))
    )
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


def test_interval_passes_over_nan() -> None:
    assert interval([math.nan, 1, 1, math.nan]) == (1, 1)
    assert all(math.isnan(end) for end in interval([]))
    assert Resamples([]).draw([lambda c: c])[0].shape == (0,)


@pytest.mark.parametrize(
    ("differences", "expected"),
    [([0.0] * 99, 1.0), ([1.0] * 99, 0.02), ([-1.0] * 99, 0.02), ([1.0] * 90 + [-1.0] * 9, 0.2)],
)
def test_p(differences: list[float], expected: float) -> None:
    assert p_value(differences) == pytest.approx(expected)
    assert p_value([math.nan, *differences]) == pytest.approx(expected)


def test_p_of_nothing() -> None:
    assert math.isnan(p_value([math.nan]))


def test_p_of_equal_models_is_rarely_small() -> None:
    generator = np.random.default_rng(0)
    small = 0
    for repeat in range(100):
        apart = generator.normal(size=80)
        resamples = Resamples(range(80), 200, repeat)
        (sums,) = resamples.draw([totals(apart, resamples.members, 80)])
        small += p_value(sums / 80) < 0.05
    assert small <= 12
