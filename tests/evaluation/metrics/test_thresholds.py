"""The best thresholds against brute force over every score."""

import math

import numpy as np
import pytest
import sklearn.metrics as reference
from hypothesis import given, settings
from hypothesis import strategies as st

from syncxr.evaluation.metrics.binary import confusion, f1, mcc
from syncxr.evaluation.metrics.thresholds import best_cuts

scored = st.lists(
    st.tuples(
        st.sampled_from([0.0, 1.0, 1.0, math.nan]), st.sampled_from([-1.0, 0.0, 0.25, 0.5, 1.0])
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=300, deadline=None)
@given(scored)
def test_the_best_of_all(items: list[tuple[float, float]]) -> None:
    labels, scores = (np.array(column) for column in zip(*items, strict=True))
    known = labels[~np.isnan(labels)]
    found = best_cuts(labels, scores)
    for metric, cut, possible in (
        (f1, found.f1, known.any()),
        (mcc, found.mcc, known.any() and not known.all()),
    ):
        if not possible:
            assert math.isnan(cut.threshold) and math.isnan(cut.value)
            continue
        reached = {s: metric(confusion(labels, scores, s)) for s in scores[~np.isnan(labels)]}
        best = max(reached.values())
        assert cut.value == pytest.approx(best, abs=1e-12)
        assert cut.value == pytest.approx(metric(confusion(labels, scores, cut.threshold)))
        assert cut.threshold == max(s for s, value in reached.items() if value > best - 1e-9)


def test_as_public_code_finds_it() -> None:
    generator = np.random.default_rng(1)
    labels = generator.random(2000) < 0.1
    scores = generator.normal(size=2000) + labels
    precision, recall, thresholds = reference.precision_recall_curve(labels, scores)
    both = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    assert best_cuts(labels, scores).f1.threshold == thresholds[both.argmax()]


def test_scores_must_be_finite() -> None:
    with pytest.raises(ValueError, match="finite"):
        best_cuts([0, 1], [0.1, math.nan])
