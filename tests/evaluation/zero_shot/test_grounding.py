"""Grounding from files to rows: oracle 1, opposite 0, guess chance; masks as they come."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from syncxr.errors import SyncxrError
from syncxr.evaluation.prompts import load_prompt_set
from syncxr.evaluation.scoring.results import MEAN, VALIDATION, Result
from syncxr.evaluation.testsets.test_set import TestSet, open_test_set
from syncxr.evaluation.zero_shot.cases import CUTS, Grounded
from syncxr.evaluation.zero_shot.grounding import ground, ground_each
from syncxr.evaluation.zero_shot.grounding_scores import (
    CHANCE,
    SWEPT,
    score_chance,
    score_grounding,
)
from syncxr.sample import Image

PAIR = load_prompt_set("pair")
OVERLAPS = ("IoU", "Dice", "recall", "precision")


@pytest.fixture
def test_set(hospital: object) -> TestSet:
    return open_test_set("folder", hospital.path, "test")


def score(model: object, test_set: TestSet, **settings: object) -> tuple[Result, ...]:
    return score_grounding(ground(model, test_set, PAIR), PAIR, model="r", **settings).results


def test_oracle_opposite_and_chance(test_set: TestSet, reader: Callable) -> None:
    right, wrong, guess = (score(reader(sign), test_set) for sign in (1, -1, 0))
    for row in right:
        if row.metric.startswith("CNR"):
            assert row.value == math.inf
        else:
            assert row.value == row.low == row.high == 1.0, row
    for row in wrong:
        if row.metric == "CNR":
            assert row.value == math.inf  # why the signed one stands beside it
        elif row.metric == "CNR (signed)":
            assert row.value == -math.inf
        elif row.protocol != SWEPT:
            assert row.value == row.low == row.high == 0.0, row
    chance = score_chance(ground(reader(0), test_set, PAIR)).results
    share = {row.finding: row.value for row in chance if row.metric == "pointing game"}
    for row in guess:
        if row.metric == "pointing game":
            assert share[row.finding] < 0.05 and row.value < 0.2
        elif row.metric == "CNR (signed)":
            assert abs(row.value) < 0.05
    assert set(share) == {"nodule", "pleural effusion", "pneumonia", MEAN}


def test_what_no_model_reaches(test_set: TestSet, reader: Callable) -> None:
    pointed = ground(reader(), test_set, PAIR)
    chance = score_chance(pointed).results
    share = np.mean([case.share for case in pointed.cases if case.finding == "nodule"])
    found = {row.metric: row for row in chance if row.finding == "nodule"}
    assert found["pointing game"].value == found["precision"].value == pytest.approx(share)
    assert found["IoU"].value == pytest.approx(share)
    assert found["recall"].value == 1
    assert found["CNR"].value == 0
    assert {row.model for row in chance} == {CHANCE}
    assert found["IoU"].protocol == "whole film called" and found["IoU"].threshold == 0


def test_the_texts_of_the_prompt_set_are_asked(test_set: TestSet, reader: Callable) -> None:
    model = reader()
    ground(model, test_set, PAIR, findings=["pneumonia"])
    assert model.asked == {"pneumonia"}
    model = reader()
    many = load_prompt_set("severity-location")
    pointed = ground(model, test_set, many, findings=["pneumonia"])
    assert model.asked == set(many.prompt("pneumonia").positive)
    results = score_grounding(pointed, many, model="r").results
    assert all(row.value == 1 for row in results if row.metric == "Dice")


def test_positives_only_and_by_patient(test_set: TestSet, reader: Callable) -> None:
    results = score(reader(), test_set, seed=5, preprocessing="64 px")
    for row in results:
        if row.finding == MEAN:
            assert (row.n, row.units) == (60, "40 patients")  # films; some show two findings
            continue
        assert row.n == row.positives == (40 if row.finding == "pneumonia" else 20)
        assert row.units == f"{row.n if row.n == 20 else 40} patients"
        assert "224 × 224, nearest" in row.note
        assert (row.seed, row.samples, row.preprocessing) == (5, 1000, "64 px")
        assert row.prompt_set == PAIR.title and row.split == f"test {test_set.digest[:8]}"


def test_patients_are_drawn_whole(hospital: object, reader: Callable) -> None:
    """All films of one patient are one observation: the interval is that of 1 unit, not of 4."""
    test = open_test_set("folder", hospital.path, "test")
    items = [item for item in test.items if item.labels["nodule"] == 1][:4]
    own = test.subset(items, "four patients")
    assert {row.units for row in score(reader(0), own, samples=50)} == {"4 patients"}
    same = [type(i)(i.id, i.path, "one", i.labels, i.view, i.where) for i in items]
    shared = score(reader(0), test.subset(same, "one patient"), samples=50)
    for row in shared:
        assert row.units == "1 patients"
        assert row.low == row.high == row.value or not math.isfinite(row.value)


def test_a_threshold_from_validation(hospital: object, reader: Callable) -> None:
    """Validation says that the map's plateau of .3 belongs to the lesion."""

    class Halo(reader):  # type: ignore[valid-type,misc]
        def ground(self, image: Image, phrase: str) -> np.ndarray:
            heat = super().ground(image, phrase)
            rows, columns = np.nonzero(heat)
            found = np.zeros_like(heat)
            found[rows, columns] = 0.32
            found[rows[:1], columns[:1]] = 1.0
            return found

    test, valid = (open_test_set("folder", hospital.path, split) for split in ("test", "valid"))
    model = Halo()
    results = score_grounding(
        ground(model, test, PAIR), PAIR, model="h", validation=ground(model, valid, PAIR)
    ).results
    iou = {(r.finding, r.protocol): r for r in results if r.metric == "IoU"}
    for protocol in (VALIDATION, SWEPT):
        assert iou["pneumonia", protocol].value == 1
        assert iou["pneumonia", protocol].threshold == pytest.approx(0.3)
    assert iou["pneumonia", "fixed 0.5"].value < 0.1
    assert iou["pneumonia", "fixed 0.5"].threshold == 0.5
    only = valid.subset([i for i in valid.items if i.labels["nodule"] != 1], "no nodule")
    results = score_grounding(
        ground(model, test, PAIR), PAIR, model="h", validation=ground(model, only, PAIR)
    ).results
    lost = next(r for r in results if r.finding == "nodule" and r.protocol == VALIDATION)
    assert math.isnan(lost.value) and "validation has no case" in lost.note
    mean = next(r for r in results if r.finding == MEAN and r.protocol == VALIDATION)
    assert mean.value == 1 and "nodule" in mean.note


def folder(path: Path, shape: tuple[int, int], box: str) -> TestSet:
    Pillow.fromarray(np.zeros(shape, np.uint8)).save(path / "0.png")
    (path / "labels.csv").write_text(f'file,labels,bbox\n0.png,Nodule,"{box}"\n')
    return open_test_set(str(path), split="all")


@pytest.mark.parametrize("shape", [(1000, 800), (100, 130), (224, 224)])
def test_films_of_any_size(tmp_path: Path, shape: tuple[int, int], reader: Callable) -> None:
    test = folder(tmp_path, shape, "Nodule:40,10,50,80")

    class Knows(reader):  # type: ignore[valid-type,misc]
        def ground(self, image: Image, phrase: str) -> np.ndarray:
            return test.mask(test.items[0], phrase).astype(np.float32)

    pointed = ground(Knows(), test, PAIR)
    (case,) = pointed.cases
    assert case.overlap[len(CUTS) // 2].tolist() == [1, 1, 1, 1]
    assert case.share == pytest.approx(50 * 80 / (shape[0] * shape[1]), rel=0.1)


def test_a_mask_too_thin_for_the_grid_is_named(tmp_path: Path, reader: Callable) -> None:
    Pillow.fromarray(np.zeros((1000, 1000), np.uint8)).save(tmp_path / "1.png")
    test = folder(tmp_path, (1000, 1000), "Nodule:400,410,1,1")
    with (tmp_path / "labels.csv").open("a") as table:
        table.write('1.png,Nodule,"Nodule:100,100,300,300"\n')
    test = open_test_set(str(tmp_path), split="all")
    results = score(reader(0), test)
    vanished = "1 masks vanish at that size, not scored: 0.png"
    assert all(vanished in row.note for row in results if row.finding == "nodule")
    assert {row.n for row in results} == {1}
    assert all("interval only, no ranking" in row.note for row in results)
    assert not any(row.ranks for row in results)


def test_a_finding_without_any_mask_left_is_listed(tmp_path: Path, reader: Callable) -> None:
    Pillow.fromarray(np.zeros((1000, 1000), np.uint8)).save(tmp_path / "1.png")
    folder(tmp_path, (1000, 1000), "Nodule:400,410,1,1")
    with (tmp_path / "labels.csv").open("a") as table:
        table.write('1.png,Mass,"Mass:100,100,300,300"\n')
    pointed = ground(reader(0), open_test_set(str(tmp_path), split="all"), PAIR)
    for results in (
        score_grounding(pointed, PAIR, model="r").results,
        score_chance(pointed).results,
    ):
        lost = [row for row in results if row.finding == "nodule"]
        assert lost and all(math.isnan(row.value) and row.n == 0 for row in lost)
        assert all("every mask vanishes at 224 × 224: 0.png" in row.note for row in lost)
        mean = next(row for row in results if row.finding == MEAN)
        assert "left out: nodule (every mask vanishes" in mean.note and mean.positives == 1


def test_faults(test_set: TestSet, reader: Callable, tmp_path: Path) -> None:
    class NoMaps:
        """A checkpoint of a method without maps."""

    class Broken(reader):  # type: ignore[valid-type,misc]
        def ground(self, image: Image, phrase: str) -> np.ndarray:
            return np.full(image.shape, np.nan, np.float32)

    for model, findings, message in (
        (NoMaps(), None, "NoMaps has no similarity maps; grounding needs"),
        (reader(), ["mass"], "no film outlines mass; nothing to ground"),
        (Broken(), None, r"labels.csv, row \d+: the model's map is not finite"),
    ):
        with pytest.raises(SyncxrError, match=message) as error:
            ground(model, test_set, PAIR, findings=findings)
        assert "\n" not in str(error.value)


def test_a_map_of_another_shape_is_refused(test_set: TestSet, reader: Callable) -> None:
    class Small(reader):  # type: ignore[valid-type,misc]
        def ground(self, image: Image, phrase: str) -> np.ndarray:
            return np.zeros((7, 7), np.float32)

    with pytest.raises(ValueError, match="map .* of a film"):
        ground(Small(), test_set, PAIR)


def test_sequences_of_findings_keep_their_order(test_set: TestSet, reader: Callable) -> None:
    asked: Sequence[str] = ("pneumonia", "nodule")
    cases = ground(reader(), test_set, PAIR, findings=asked).cases
    assert list(dict.fromkeys(case.finding for case in cases)) == list(asked)


def test_several_prompt_sets_in_one_look_are_each_alone(
    test_set: TestSet, reader: Callable
) -> None:
    class Counts(reader):  # type: ignore[valid-type,misc]
        looked = 0

        def pointer(self, phrases: Sequence[str]) -> Callable:
            def look(image: Image) -> Callable:
                self.looked += 1
                return lambda phrase: self.ground(image, phrase)

            return look

    model = Counts()
    sets = [load_prompt_set(name) for name in ("pair", "severity-location", "single")]
    together = ground_each(model, test_set, sets)
    assert model.looked == 60
    for prompt_set, found in zip(sets, together, strict=True):
        assert found.to_json() == ground(reader(), test_set, prompt_set).to_json()


def test_cases_are_read_back_as_they_were(test_set: TestSet, reader: Callable) -> None:
    found = ground(reader(), test_set, PAIR)  # of an oracle, whose CNR is infinite
    again = Grounded.from_json(found.to_json())
    assert again.to_json() == found.to_json()
    scores = [score_grounding(g, PAIR, model="r", samples=20).results for g in (found, again)]
    assert repr(scores[0]) == repr(scores[1])
    for text in ("", "[]", "{}", '{"cases": [{}]}', found.to_json()[:-9]):
        with pytest.raises(ValueError):
            Grounded.from_json(text)
