"""Scores against scikit-learn and against brute force."""

import math

import numpy as np
import pytest
import sklearn.metrics as reference
from hypothesis import given, settings
from hypothesis import strategies as st

from syncxr.evaluation.metrics import (
    Confusion,
    Order,
    accuracy,
    auroc,
    best_threshold,
    bootstrap_auroc,
    confusion,
    f1,
    interval,
    mcc,
    pointing_hit,
    resamples,
)

# Few distinct scores, so that ties are the rule.
scored = st.lists(
    st.tuples(st.booleans(), st.sampled_from([-1.0, 0.0, 0.25, 0.5, 1.0])), min_size=1, max_size=40
)


@settings(max_examples=300, deadline=None)
@given(scored)
def test_auroc_equals_scikit_learn(items: list[tuple[bool, float]]) -> None:
    labels, scores = (np.array(column) for column in zip(*items, strict=True))
    if labels.all() or not labels.any():
        assert math.isnan(auroc(labels, scores))
    else:
        assert abs(auroc(labels, scores) - reference.roc_auc_score(labels, scores)) < 1e-12


def test_auroc_of_untied_scores() -> None:
    generator = np.random.default_rng(0)
    labels, scores = generator.random(5000) < 0.2, generator.normal(size=5000)
    assert abs(auroc(labels, scores) - reference.roc_auc_score(labels, scores)) < 1e-12


@settings(max_examples=200, deadline=None)
@given(scored, st.data())
def test_weights_count_items_several_times(
    items: list[tuple[bool, float]], data: st.DataObject
) -> None:
    labels, scores = (np.array(column) for column in zip(*items, strict=True))
    size = len(items)
    weights = np.array(data.draw(st.lists(st.integers(0, 3), min_size=size, max_size=size)))
    found = Order(labels, scores).auroc(weights.astype(float))
    expected = auroc(np.repeat(labels, weights), np.repeat(scores, weights))
    assert found == pytest.approx(expected, abs=1e-12, nan_ok=True)


@settings(max_examples=200, deadline=None)
@given(scored, st.data())
def test_strata_compare_pairs_within_them_only(
    items: list[tuple[bool, float]], data: st.DataObject
) -> None:
    size = len(items)
    strata = np.array(data.draw(st.lists(st.integers(0, 2), min_size=size, max_size=size)))
    won = pairs = 0.0
    for label, score, stratum in zip(*zip(*items, strict=True), strata, strict=True):
        for other, against, place in zip(*zip(*items, strict=True), strata, strict=True):
            if label and not other and stratum == place:
                pairs += 1
                won += (score > against) + (score == against) / 2
    labels, scores = zip(*items, strict=True)
    expected = won / pairs if pairs else float("nan")
    assert auroc(labels, scores, strata) == pytest.approx(expected, abs=1e-12, nan_ok=True)


@settings(max_examples=200, deadline=None)
@given(scored, st.sampled_from([-2.0, 0.0, 0.3, 0.5, 2.0]))
def test_counts_equal_scikit_learn(items: list[tuple[bool, float]], threshold: float) -> None:
    labels, scores = (np.array(column) for column in zip(*items, strict=True))
    called = scores >= threshold
    counts = confusion(labels, scores, threshold)
    (tn, fp), (fn, tp) = reference.confusion_matrix(labels, called, labels=[False, True])
    assert counts == Confusion(tp, fp, fn, tn)
    assert accuracy(counts) == pytest.approx(reference.accuracy_score(labels, called))
    if labels.any() or called.any():
        assert f1(counts) == pytest.approx(reference.f1_score(labels, called))
    else:
        assert math.isnan(f1(counts))
    if len(set(labels)) > 1:
        assert mcc(counts) == pytest.approx(reference.matthews_corrcoef(labels, called))


@settings(max_examples=200, deadline=None)
@given(scored)
def test_best_threshold_is_the_best_of_all(items: list[tuple[bool, float]]) -> None:
    labels, scores = (np.array(column) for column in zip(*items, strict=True))
    found = best_threshold(labels, scores)
    if not labels.any():
        assert math.isnan(found)
        return
    best = max(f1(confusion(labels, scores, value)) for value in scores)
    assert f1(confusion(labels, scores, found)) == pytest.approx(best)


def test_nothing_to_score() -> None:
    assert math.isnan(auroc([], []))
    assert math.isnan(accuracy(confusion([], [], 0.5)))
    assert all(math.isnan(end) for end in interval([]))


@pytest.mark.parametrize(
    ("labels", "scores"),
    [([0, 1], [0.1]), ([0, 2], [0.1, 0.2]), ([0, 1], [0.1, math.nan]), ([[0]], [[0.1]])],
)
def test_refuses_what_cannot_be_scored(labels: list, scores: list) -> None:
    with pytest.raises(ValueError, match="must"):
        auroc(labels, scores)


def test_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(0)
    truth = 0.7602  # P(N(1, 1) > N(0, 1))
    covered = 0
    for repeat in range(120):
        labels = np.repeat([0, 1], 60)
        scores = generator.normal(size=120) + labels
        drawn = bootstrap_auroc([labels], [scores], [range(120)], [None], 300, repeat)
        low, high = interval(drawn[:, 0])
        covered += low <= truth <= high
    assert 105 <= covered <= 120


def test_patients_are_drawn_whole() -> None:
    groups = ["a", "b", "a", "c", "b", "a"]
    for weights in resamples(6, groups, 50, 1):
        assert weights[0] == weights[2] == weights[5]
        assert weights[1] == weights[4]
        assert weights[0] + weights[1] + weights[3] == 3


def test_items_are_drawn_where_no_group_is_given() -> None:
    assert all(weights.sum() == 9 for weights in resamples(9, None, 20, 0))


def test_twins_widen_the_interval() -> None:
    generator = np.random.default_rng(3)
    labels = np.repeat([0, 1], 20)
    scores = generator.normal(size=40) + labels
    twice = [np.tile(labels, 4)], [np.tile(scores, 4)]
    patients = [list(range(40)) * 4]
    wide = interval(bootstrap_auroc(*twice, patients, [None], 400)[:, 0])
    narrow = interval(bootstrap_auroc(*twice, [range(160)], [None], 400)[:, 0])
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


def test_the_same_seed_gives_the_same_samples() -> None:
    labels, scores = [0, 1, 0, 1, 1], [0.1, 0.2, 0.3, 0.4, 0.5]
    one, two, other = (
        bootstrap_auroc([labels], [scores], [range(5)], [None], 50, seed) for seed in (1, 1, 2)
    )
    assert np.array_equal(one, two, equal_nan=True)
    assert not np.array_equal(one, other, equal_nan=True)


def test_pointing() -> None:
    heat, mask = np.zeros((3, 4)), np.zeros((3, 4), bool)
    heat[1, 2], mask[1, 2] = 1, True
    assert pointing_hit(heat, mask)
    assert not pointing_hit(heat, ~mask)
    with pytest.raises(ValueError, match="differ in shape"):
        pointing_hit(heat, mask.T)
