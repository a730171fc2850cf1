"""Scores against scikit-learn, torchmetrics and brute force, over random and degenerate inputs."""

import math

import numpy as np
import pytest
import sklearn.metrics as reference
import torch
import torchmetrics.functional.classification as torch_reference
from hypothesis import given, settings
from hypothesis import strategies as st

from syncxr.evaluation.metrics.binary import (
    Confusion,
    accuracy,
    accuracy_of,
    auroc,
    average_precision,
    confusion,
    f1,
    f1_of,
    mcc,
    mcc_of,
)

# Few distinct scores, so that ties are the rule; one class and all equal come often.
scored = st.lists(
    st.tuples(st.booleans(), st.sampled_from([-1.0, 0.0, 0.25, 0.5, 1.0])), min_size=1, max_size=40
)
unlabelled = st.lists(st.sampled_from([-1.0, 0.0, 0.5, 1.0]), max_size=5)


@settings(max_examples=300, deadline=None)
@given(scored)
def test_auroc_and_average_precision_equal_scikit_learn(items: list[tuple[bool, float]]) -> None:
    labels, scores = (np.array(column) for column in zip(*items, strict=True))
    if labels.all() or not labels.any():
        assert math.isnan(auroc(labels, scores))
    else:
        assert abs(auroc(labels, scores) - reference.roc_auc_score(labels, scores)) < 1e-12
    if labels.any():
        expected = reference.average_precision_score(labels, scores)
        assert abs(average_precision(labels, scores) - expected) < 1e-12
    else:
        assert math.isnan(average_precision(labels, scores))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1, width=32)), min_size=2, max_size=60))
def test_equal_torchmetrics(items: list[tuple[bool, float]]) -> None:
    labels, scores = (np.array(column) for column in zip(*items, strict=True))
    truth, values = torch.tensor(labels, dtype=torch.long), torch.tensor(scores)
    if labels.any() and not labels.all():
        assert auroc(labels, scores) == pytest.approx(
            float(torch_reference.binary_auroc(values, truth)), abs=1e-5
        )
        assert average_precision(labels, scores) == pytest.approx(
            float(torch_reference.binary_average_precision(values, truth)), abs=1e-5
        )
    counts = confusion(labels, scores, 0.5)
    called = values >= 0.5  # torchmetrics itself calls > .5 positive
    for ours, theirs in (
        (f1(counts), torch_reference.binary_f1_score(called, truth)),
        (accuracy(counts), torch_reference.binary_accuracy(called, truth)),
        (mcc(counts), torch_reference.binary_matthews_corrcoef(called, truth)),
    ):
        # F1 without positives and calls is 0 there and has no value here; MCC of one class is a
        # limit there (±1) and 0 here, as in scikit-learn.
        if (
            not math.isnan(ours)
            and labels.any()
            and not labels.all()
            and len(set(called.tolist())) > 1
        ):
            assert ours == pytest.approx(float(theirs), abs=1e-5)


def test_untied_scores() -> None:
    generator = np.random.default_rng(0)
    labels, scores = generator.random(5000) < 0.2, generator.normal(size=5000)
    assert abs(auroc(labels, scores) - reference.roc_auc_score(labels, scores)) < 1e-12
    expected = reference.average_precision_score(labels, scores)
    assert abs(average_precision(labels, scores) - expected) < 1e-12


@settings(max_examples=200, deadline=None)
@given(scored, unlabelled, st.randoms(use_true_random=False))
def test_unlabelled_items_are_left_out(
    items: list[tuple[bool, float]], extra: list[float], order: object
) -> None:
    known = [(float(label), score) for label, score in items]
    mixed = known + [(math.nan, score) for score in extra]
    order.shuffle(mixed)
    (labels, scores), (all_labels, all_scores) = (
        zip(*rows, strict=True) for rows in (known, mixed)
    )
    for metric in (auroc, average_precision):
        found = metric(all_labels, all_scores)
        assert found == pytest.approx(metric(labels, scores), abs=1e-12, nan_ok=True)
    assert confusion(all_labels, all_scores, 0.3) == confusion(labels, scores, 0.3)


@settings(max_examples=200, deadline=None)
@given(scored, st.data())
def test_strata_compare_pairs_within_them_only(
    items: list[tuple[bool, float]], data: st.DataObject
) -> None:
    size = len(items)
    strata = np.array(data.draw(st.lists(st.integers(0, 2), min_size=size, max_size=size)))
    won = pairs = 0.0
    for (label, score), stratum in zip(items, strata, strict=True):
        for (other, against), place in zip(items, strata, strict=True):
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


def test_many_tables_at_once() -> None:
    tables = np.random.default_rng(0).integers(0, 4, (3, 50, 4)).astype(float)
    for one, many in ((f1, f1_of), (accuracy, accuracy_of), (mcc, mcc_of)):
        expected = [[one(Confusion(*table)) for table in row] for row in tables]
        np.testing.assert_allclose(many(tables), expected)


def test_mcc_of_millions_does_not_overflow() -> None:
    assert mcc(Confusion(10**7, 10**6, 10**6, 10**7)) == pytest.approx(0.818181818)


def test_nothing_to_score() -> None:
    for labels, scores in (([], []), ([math.nan], [0.5])):
        assert math.isnan(auroc(labels, scores))
        assert math.isnan(average_precision(labels, scores))
        assert math.isnan(accuracy(confusion(labels, scores, 0.5)))


@pytest.mark.parametrize(
    ("labels", "scores"),
    [
        ([0, 1], [0.1]),
        ([0, 2], [0.1, 0.2]),
        ([0, -1], [0.1, 0.2]),
        ([0, 1], [0.1, math.nan]),
        ([0, math.nan], [0.1, math.inf]),
        ([[0]], [[0.1]]),
    ],
)
def test_refuses_what_cannot_be_scored(labels: list, scores: list) -> None:
    for metric in (auroc, average_precision, lambda a, b: confusion(a, b, 0.5)):
        with pytest.raises(ValueError, match="must"):
            metric(labels, scores)
