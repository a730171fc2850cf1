"""Paired comparison: the same samples, so a small steady difference is seen."""

import math
from dataclasses import replace

import numpy as np
import pytest

from syncxr.errors import SyncxrError
from syncxr.evaluation.scoring.classification import choose_cuts, score
from syncxr.evaluation.scoring.predictions import Predictions
from syncxr.evaluation.scoring.results import MEAN, TEST_TUNED
from syncxr.evaluation.scoring.sheet import About, Scored, difference


def given(seed: int = 0, count: int = 300) -> Predictions:
    generator = np.random.default_rng(seed)
    labels = (generator.random((count, 2)) < 0.4).astype(float)
    return Predictions(
        test_set="made up",
        split="test",
        findings=("mass", "nodule"),
        ids=tuple(str(i) for i in range(count)),
        units=tuple(str(i // 2) for i in range(count)),
        by_patient=True,
        labels=labels,
        scores=generator.normal(size=(count, 2)) + 0.7 * labels,
    )


def scored(predictions: Predictions, model: str, **settings: object) -> Scored:
    cuts = {TEST_TUNED: choose_cuts(predictions)}
    return score(predictions, About("zero-shot", model), cuts=cuts, **settings)


def test_a_model_against_itself() -> None:
    first = scored(given(), "a", samples=100)
    for row in difference(first, scored(given(), "b", samples=100)):
        assert (row.value, row.low, row.high, row.p) == (0, 0, 0, 1)
        assert row.model == "a − b" and row.metric.endswith(" difference")


def test_a_small_steady_difference_is_seen_in_pairs_only() -> None:
    base = given()
    lower = replace(base, scores=base.scores - 0.15 * base.labels)
    better, worse = scored(base, "better"), scored(lower, "worse")
    rows = {(r.finding, r.metric): r for r in difference(better, worse)}
    mean = rows[MEAN, "AUROC difference"]
    assert mean.low > 0 and mean.p < 0.05
    turned = {(r.finding, r.metric): r for r in difference(worse, better)}
    other = turned[MEAN, "AUROC difference"]
    assert (other.value, other.low, other.high) == (-mean.value, -mean.high, -mean.low)
    assert other.p == mean.p
    first, second = (
        next(r for r in s.results if (r.finding, r.metric) == (MEAN, "AUROC"))
        for s in (better, worse)
    )
    assert second.high > first.low  # the two intervals alone would not tell
    assert mean.value == pytest.approx(first.value - second.value)


def test_every_metric_of_every_finding_is_compared() -> None:
    rows = difference(scored(given(), "a", samples=50), scored(given(), "b", samples=50))
    assert len(rows) == 3 * 5


@pytest.mark.parametrize(
    "other",
    [
        scored(given(1), "b", samples=20),
        scored(given(), "b", samples=21),
        scored(given(), "b", samples=20, seed=1),
        scored(replace(given(), units=tuple("a" * 300)), "b", samples=20),
    ],
)
def test_other_items_labels_units_or_samples_are_refused(other: Scored) -> None:
    with pytest.raises(SyncxrError, match="a and b were not scored on the same items"):
        difference(scored(given(), "a", samples=20), other)


def test_no_p_under_fifty_items() -> None:
    few = given(count=40)
    noisy = replace(few, scores=-few.scores)
    for row in difference(scored(few, "a", samples=20), scored(noisy, "b", samples=20)):
        assert math.isnan(row.p) and not row.ranks
        assert row.low <= row.high
