"""The scorer against a loop over resampled items; what cannot be scored is left out by name."""

import math

import numpy as np
import pytest
import sklearn.metrics as reference

from syncxr.evaluation.metrics.bootstrap import Resamples, interval
from syncxr.evaluation.scoring.classification import FIXED, HALF, choose_cuts, score
from syncxr.evaluation.scoring.predictions import Predictions
from syncxr.evaluation.scoring.results import MEAN, TEST_TUNED, THRESHOLD_FREE, Result
from syncxr.evaluation.scoring.sheet import About, Scored

ABOUT = About("zero-shot classification", "mine", "pair 01234567", "64 px")
NAN = math.nan


def predictions(labels: object, scores: object, units: object = None) -> Predictions:
    labels, scores = np.array(labels, float), np.array(scores, float)
    count, kinds = labels.shape
    return Predictions(
        test_set="made up",
        split="test",
        findings=tuple(f"finding {k}" for k in range(kinds)),
        ids=tuple(str(i) for i in range(count)),
        units=tuple(units or (str(i) for i in range(count))),
        by_patient=units is not None,
        labels=labels,
        scores=scores,
    )


def random(seed: int, count: int = 120, kinds: int = 3) -> Predictions:
    generator = np.random.default_rng(seed)
    labels = (generator.random((count, kinds)) < (0.5, 0.2, 0.1)[:kinds]).astype(float)
    labels[generator.random((count, kinds)) < 0.1] = NAN
    scores = np.round(generator.normal(size=(count, kinds)) + np.nan_to_num(labels), 1)
    patients = [f"p{i}" for i in generator.integers(0, 50, count)]
    return predictions(labels, 1 / (1 + np.exp(-scores)), patients)


def row(scored: Scored, finding: str, metric: str, protocol: str | None = None) -> Result:
    (found,) = (
        r
        for r in scored.results
        if (r.finding, r.metric) == (finding, metric) and protocol in (None, r.protocol)
    )
    return found


def test_equals_a_loop_over_resampled_items() -> None:
    given = random(0)
    cuts = choose_cuts(given)
    scored = score(given, ABOUT, cuts={TEST_TUNED: cuts}, samples=40, seed=7)
    counts = np.concatenate(list(Resamples(given.units, 40, 7).blocks()), axis=1)
    members = Resamples(given.units).members
    means: dict[str, list[list[float]]] = {}
    for column, finding in enumerate(given.findings):
        truth, values = given.labels[:, column], given.scores[:, column]
        known = ~np.isnan(truth)

        def measure(metric: str, weights: np.ndarray, column: int = column) -> float:
            truth, values = given.labels[:, column], given.scores[:, column]
            known = ~np.isnan(truth)
            drawn = np.repeat(np.flatnonzero(known), weights[known])
            labels, scores = truth[drawn], values[drawn]
            cut = cuts[column]
            return {
                "AUROC": lambda: reference.roc_auc_score(labels, scores),
                "AP": lambda: reference.average_precision_score(labels, scores),
                "F1": lambda: reference.f1_score(labels, scores >= cut.f1.threshold),
                "accuracy": lambda: reference.accuracy_score(labels, scores >= cut.f1.threshold),
                "MCC": lambda: reference.matthews_corrcoef(labels, scores >= cut.mcc.threshold),
            }[metric]()

        for metric in ("AUROC", "AP", "F1", "accuracy", "MCC"):
            found = row(scored, finding, metric)
            assert found.value == pytest.approx(measure(metric, np.ones(len(truth), int)))
            drawn = [measure(metric, weights[members]) for weights in counts.T]
            means.setdefault(metric, []).append(drawn)
            assert (found.low, found.high) == pytest.approx(interval(drawn))
            assert found.n == known.sum() and found.positives == np.nansum(truth)
            patients = {u for u, labelled in zip(given.units, known, strict=True) if labelled}
            assert found.units == f"{len(patients)} patients"
    for metric, drawn in means.items():
        found = row(scored, MEAN, metric)
        assert (found.low, found.high) == pytest.approx(interval(np.mean(drawn, axis=0)))
        values = [row(scored, finding, metric).value for finding in given.findings]
        assert found.value == pytest.approx(np.mean(values))
        assert found.positives == 3


def test_one_class_is_listed_and_left_out_by_name() -> None:
    labels = [[0, 0, 1, NAN], [1, 0, 1, NAN], [0, 0, 1, 0], [1, 0, NAN, 0]]
    scores = [[0.1, 0.1, 0.2, 0.3], [0.9, 0.3, 0.1, 0.2], [0.2, 0.2, 0.4, 0.1], [0.8, 0, 0, 0]]
    given = predictions(labels, scores)
    scored = score(given, ABOUT, cuts={FIXED: [HALF] * 4})
    for metric in ("AUROC", "AP", "F1", "accuracy", "MCC"):
        assert row(scored, "finding 0", metric).value == 1
        assert row(scored, MEAN, metric).value == 1
        assert row(scored, MEAN, metric).positives == 1
        for finding, reason in ((1, "no positive"), (2, "no negative"), (3, "no positive")):
            found = row(scored, f"finding {finding}", metric)
            assert math.isnan(found.value) and math.isnan(found.low)
            assert found.note.startswith(reason)
            assert f"finding {finding} ({reason})" in row(scored, MEAN, metric).note
    assert row(scored, "finding 3", "AUROC").n == 2


def test_nothing_at_all_counts() -> None:
    scored = score(predictions([[0], [0]], [[0.1], [0.2]]), ABOUT)
    assert math.isnan(row(scored, MEAN, "AUROC").value)
    assert row(scored, MEAN, "AUROC").positives == 0


def test_rare_findings_get_an_interval_and_stay_out_of_means() -> None:
    generator = np.random.default_rng(0)
    labels = np.zeros((60, 2))
    labels[:20, 0] = labels[:5, 1] = 1
    scored = score(
        predictions(labels, generator.random((60, 2))), ABOUT, least_positives=10, samples=100
    )
    rare = row(scored, "finding 1", "AUROC")
    assert rare.low < rare.value < rare.high
    mean = row(scored, MEAN, "AUROC")
    assert mean.value == row(scored, "finding 0", "AUROC").value
    assert "finding 1 (5 positives, fewer than 10)" in mean.note


def test_samples_without_a_class_are_counted() -> None:
    labels = np.zeros((60, 2))
    labels[0, 0] = labels[:30, 1] = 1
    scored = score(predictions(labels, labels), ABOUT, samples=200)
    note = row(scored, "finding 0", "AUROC").note
    missing = int(note.split(" of 200 bootstrap samples drew none of a class")[0])
    assert 50 < missing < 100  # (1 − 1/60)^60 = 36 %
    assert (row(scored, MEAN, "AUROC").low, row(scored, MEAN, "AUROC").high) == (1, 1)


def test_a_threshold_that_validation_could_not_give() -> None:
    given = random(1)
    lacking = predictions(np.zeros((9, 3)), np.zeros((9, 3)))
    scored = score(given, ABOUT, cuts={"validation": choose_cuts(lacking)}, samples=20)
    for metric in ("F1", "accuracy", "MCC"):
        assert math.isnan(row(scored, "finding 0", metric).value)
        assert "no threshold" in row(scored, MEAN, metric).note
    assert row(scored, MEAN, "AUROC").positives == 3


def test_strata() -> None:
    given = random(2)
    strata = np.arange(120) % 4
    scored = score(given, ABOUT, strata=strata, protocol="stratified", samples=20)
    assert {r.metric for r in scored.results} == {"AUROC"}
    assert {r.protocol for r in scored.results} == {"stratified"}
    alone = score(
        predictions([[1], [0]], [[0.9], [0.1]]), ABOUT, strata=np.array([0, 1]), samples=20
    )
    assert "no stratum" in row(alone, "finding 0", "AUROC").note


def test_under_fifty_items_nothing_is_ranked() -> None:
    few, many = (score(random(3, count), ABOUT, samples=20) for count in (45, 120))
    assert all("fewer than 50 items: interval only, no ranking" in r.note for r in few.results)
    assert not any(r.ranks for r in few.results)
    assert all(r.ranks for r in many.results)


def test_rows_carry_everything() -> None:
    scored = score(random(0), ABOUT, samples=20, seed=4)
    for found, draws in zip(scored.results, scored.draws, strict=True):
        assert found.model == "mine" and found.preprocessing == "64 px"
        assert (found.samples, found.seed, len(draws)) == (20, 4, 20)
        assert found.protocol == THRESHOLD_FREE
    trained = score(random(0), About("fine-tuned", "m", fraction=0.01, seed=2), samples=20)
    assert {(r.fraction, r.seed) for r in trained.results} == {(0.01, 2)}
