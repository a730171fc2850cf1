"""Weighted AUROC and average precision against scikit-learn on repeated items."""

import math

import numpy as np
import pytest
import sklearn.metrics as reference
from hypothesis import given, settings
from hypothesis import strategies as st

from syncxr.evaluation.metrics.binary import auroc
from syncxr.evaluation.metrics.ranking import Ranking

scored = st.lists(
    st.tuples(st.booleans(), st.sampled_from([-1.0, 0.0, 0.25, 0.5, 1.0])), min_size=1, max_size=30
)


@settings(max_examples=300, deadline=None)
@given(scored, st.data())
def test_weights_count_items_several_times(
    items: list[tuple[bool, float]], data: st.DataObject
) -> None:
    labels, scores = (np.array(column) for column in zip(*items, strict=True))
    column = st.lists(st.integers(0, 3), min_size=len(items), max_size=len(items))
    weights = np.array(data.draw(st.lists(column, min_size=1, max_size=4)), np.uint8).T
    ranking = Ranking(labels, scores)
    areas, precisions = ranking.auroc(weights), ranking.average_precision(weights)
    assert areas.shape == precisions.shape == (weights.shape[1],)
    for drawn, area, precision in zip(weights.T, areas, precisions, strict=True):
        truth, values = np.repeat(labels, drawn), np.repeat(scores, drawn)
        if truth.any() and not truth.all():
            assert abs(area - reference.roc_auc_score(truth, values)) < 1e-12
        else:
            assert math.isnan(area)
        if truth.any():
            expected = reference.average_precision_score(truth, values)
            assert abs(precision - expected) < 1e-12
        else:
            assert math.isnan(precision)


@settings(max_examples=200, deadline=None)
@given(scored, st.data())
def test_weights_within_strata(items: list[tuple[bool, float]], data: st.DataObject) -> None:
    labels, scores = (np.array(column) for column in zip(*items, strict=True))
    size = len(items)
    strata, weights = (
        np.array(data.draw(st.lists(st.integers(0, 2), min_size=size, max_size=size)))
        for _ in range(2)
    )
    found = Ranking(labels, scores, strata=strata).auroc(weights[:, None])[0]
    repeated = (np.repeat(values, weights) for values in (labels, scores, strata))
    assert found == pytest.approx(auroc(*repeated), abs=1e-12, nan_ok=True)


def test_members_share_a_weight() -> None:
    labels, scores = np.array([True, False, True, False]), np.array([0.9, 0.1, 0.3, 0.5])
    shared = Ranking(labels, scores, members=np.array([0, 0, 1, 1]))
    own = Ranking(labels, scores)
    weights = np.array([[2, 0, 1], [1, 3, 1]])
    np.testing.assert_array_equal(shared.auroc(weights), own.auroc(weights[[0, 0, 1, 1]]))


def test_large_counts_do_not_wrap() -> None:
    labels, scores = np.array([True, False, True]), np.array([0.2, 0.5, 0.9])
    weights = np.array([[200], [250], [250]], np.uint8)
    assert Ranking(labels, scores).auroc(weights)[0] == pytest.approx(250 / 450)


def test_average_precision_has_no_strata() -> None:
    ranking = Ranking(np.array([True, False]), np.array([0.1, 0.2]), strata=np.array([0, 1]))
    with pytest.raises(ValueError, match="across strata"):
        ranking.average_precision(np.ones((2, 1)))
