"""Zero-shot classification from files to rows: oracle 1, opposite 0, guess chance."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from syncxr.errors import SyncxrError
from syncxr.evaluation.prompts import load_prompt_set, shipped
from syncxr.evaluation.scoring.results import MEAN, TEST_TUNED, THRESHOLD_FREE, VALIDATION, Result
from syncxr.evaluation.testsets.test_set import open_test_set
from syncxr.evaluation.zero_shot.classification import Films, evaluate, predict, score_zero_shot
from syncxr.pretraining.prompt import Prompt
from syncxr.sample import Image

PAIR = load_prompt_set("pair")
METRICS = ("AUROC", "AP", "F1", "accuracy", "MCC")


def rows(results: Sequence[Result], **fields: str) -> list[Result]:
    return [r for r in results if all(getattr(r, k) == v for k, v in fields.items())]


@pytest.fixture
def parts(hospital: object) -> tuple:
    return tuple(open_test_set("folder", hospital.path, split) for split in ("test", "valid"))


def test_oracle_opposite_and_chance(parts: tuple, reader: Callable) -> None:
    test, valid = parts
    right, wrong, guess = (
        evaluate(reader(sign), test, PAIR, name="r", validation=valid).results
        for sign in (1, -1, 0)
    )
    scored = ("nodule", "pleural effusion", "pneumonia", MEAN)
    assert {row.finding for row in right} == set(scored)
    for row in right:
        assert row.value == row.low == row.high == 1.0, row
    for row in wrong:
        if row.metric == "AUROC":
            assert row.value == row.low == row.high == 0.0
        elif row.protocol == VALIDATION and row.metric == "MCC":
            assert row.value <= 0
    for row in rows(guess, metric="AUROC"):
        assert row.low < 0.5 < row.high
        assert row.high - row.low > 0.05
    kinds = {(row.protocol, row.metric) for row in right}
    assert kinds == {
        (protocol, metric)
        for protocol, metrics in (
            (THRESHOLD_FREE, METRICS[:2]),
            (VALIDATION, METRICS[2:]),
            (TEST_TUNED, METRICS[2:]),
        )
        for metric in metrics
    }


@pytest.mark.parametrize("name", shipped())
def test_through_every_prompt_set(name: str, parts: tuple, reader: Callable) -> None:
    model, prompts = reader(), load_prompt_set(name)
    # Of "ensemble", whole sentences say it in words of their own; the watermark knows names only.
    if name == "ensemble":
        prompts = load_prompt_set("pair")
    predictions = predict(model, parts[0], prompts, findings=["pneumonia", "nodule"])
    results = score_zero_shot(predictions, prompts, model="r").results
    assert all(row.value == 1 for row in rows(results, metric="AUROC"))
    expected = {t for p in prompts.prompts(["pneumonia", "nodule"]).values() for t in p[0] + p[1]}
    assert model.asked == expected


def test_rows_say_what_they_were_measured_on(parts: tuple, reader: Callable) -> None:
    test, valid = parts
    results = evaluate(reader(), test, PAIR, name="mine", validation=valid, seed=3).results
    for row in results:
        assert row.task == "zero-shot classification" and row.model == "mine"
        assert row.test_set == test.name and row.split == f"test {test.digest[:8]}"
        assert row.prompt_set == f"pair {PAIR.sha256[:8]}"
        assert row.preprocessing == "64 px"
        assert row.units == "40 patients" and row.n == 80
        assert (row.samples, row.seed) == (1000, 3)
    assert [row.positives for row in rows(results, metric="AUROC")] == [20, 20, 40, 3]


def test_thresholds_come_from_validation(parts: tuple, reader: Callable) -> None:
    """The same model, but half as sure on validation films."""
    test, valid = parts

    class Shifted(reader):  # type: ignore[valid-type,misc]
        def zero_shot(self, images: Sequence[Image], prompts: Mapping[str, Prompt]) -> np.ndarray:
            return super().zero_shot(images, prompts) * self.scale

    model = Shifted()
    model.scale = 0.5
    on_valid = predict(model, valid, PAIR)
    model.scale = 1.0
    on_test = predict(model, test, PAIR)
    results = score_zero_shot(on_test, PAIR, model="r", validation=on_valid).results
    high = 1 / (1 + math.exp(-2))
    for row in rows(results, metric="F1", protocol=VALIDATION):
        if row.finding != MEAN:
            assert row.threshold == pytest.approx(high / 2)
    for row in rows(results, metric="F1", protocol=TEST_TUNED):
        if row.finding != MEAN:
            assert row.threshold == pytest.approx(high)


def test_without_validation_half_is_the_cut_of_probabilities_only(
    parts: tuple, reader: Callable
) -> None:
    single = load_prompt_set("single")
    for prompts, protocols in (
        (PAIR, {THRESHOLD_FREE, "fixed 0.5", TEST_TUNED}),
        (single, {THRESHOLD_FREE, TEST_TUNED}),
    ):
        predictions = predict(reader(), parts[0], prompts)
        results = score_zero_shot(predictions, prompts, model="r").results
        assert {row.protocol for row in results} == protocols


def test_validation_films_are_other_films(hospital: object, reader: Callable) -> None:
    test, everything = (open_test_set("folder", hospital.path, split) for split in ("test", "all"))
    with pytest.raises(SyncxrError, match=r"share the film '100.png' \(80 in all\)"):
        evaluate(reader(), test, PAIR, name="r", validation=everything)
    other = test.subset(test.items[1:3], "other")
    with pytest.raises(SyncxrError, match="share the patient 'p20'"):
        evaluate(reader(), test.subset(test.items[:1], "one"), PAIR, name="r", validation=other)


def test_a_film_that_does_not_open_is_named(tmp_path: Path, reader: Callable) -> None:
    Pillow.fromarray(np.zeros((64, 64), np.uint8)).save(tmp_path / "0.png")
    (tmp_path / "1.png").write_bytes(b"not an image")
    (tmp_path / "labels.csv").write_text("file,labels\n0.png,Nodule\n1.png,No Finding\n")
    films = open_test_set(str(tmp_path), split="all")
    with pytest.raises(SyncxrError, match="labels.csv, row 3: .*1.png"):
        predict(reader(), films, PAIR)


def test_a_model_that_diverged_is_named(parts: tuple, reader: Callable) -> None:
    class Broken(reader):  # type: ignore[valid-type,misc]
        def zero_shot(self, images: Sequence[Image], prompts: Mapping[str, Prompt]) -> np.ndarray:
            scores = super().zero_shot(images, prompts)
            scores[-1, -1] = np.nan
            return scores

    with pytest.raises(SyncxrError, match="row .*score of 'pneumonia' is nan") as error:
        predict(Broken(), parts[0], PAIR)
    assert "\n" not in str(error.value)


class Grey:
    """Scores a film by its mean grey, whatever is asked."""

    def zero_shot(self, images: Sequence[Image], prompts: Mapping[str, Prompt]) -> np.ndarray:
        means = [[image.mean() / 255] * len(prompts) for image in images]
        return np.array(means, np.float32)


def test_scores_keep_the_order_of_films(tmp_path: Path) -> None:
    rows = ["file,labels"]
    for value in range(40):
        Pillow.fromarray(np.full((4, 4), value, np.uint8)).save(tmp_path / f"{value}.png")
        rows.append(f"{value}.png,{'nodule' if value % 2 else ''}")
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    test = open_test_set(str(tmp_path), split="all")
    predictions = predict(Grey(), test, PAIR)
    np.testing.assert_allclose(predictions.scores[:, 0] * 255, np.arange(40), atol=1e-4)


def test_films_are_decoded_a_slice_at_a_time(parts: tuple, reader: Callable) -> None:
    films = Films(parts[0])
    assert len(films) == 80 and films[3].shape == films[3:5][0].shape
    assert [len(films[at]) for at in (slice(0, 32), slice(64, 96), slice(80, 90))] == [32, 16, 0]
