"""The rules for real films: what a brightness score reaches, they take away."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from syncxr.evaluation.prompts import load_prompt_set
from syncxr.evaluation.scoring.results import MEAN, Result
from syncxr.evaluation.testsets.test_set import TestSet, open_test_set
from syncxr.evaluation.zero_shot.strict import (
    BRIGHTNESS,
    PROTOCOLS,
    RAW,
    STRATIFIED,
    WITHIN_ABNORMAL,
    brightness_score,
    evaluate_strictly,
)

PAIR = load_prompt_set("pair")


@pytest.fixture
def films(hospital: object) -> TestSet:
    return open_test_set(str(hospital.path), split="all")


def strict(model: object, films: TestSet) -> dict[tuple[str, str, str], Result]:
    found = evaluate_strictly(model, films, PAIR, name="r")
    rows = [row for scored in found for row in scored.results if row.metric == "AUROC"]
    return {(row.model, row.protocol, row.finding): row for row in rows}


def test_oracle_opposite_and_chance(films: TestSet, reader: Callable) -> None:
    right, wrong, guess = (strict(reader(sign), films) for sign in (1, -1, 0))
    for protocol in PROTOCOLS:
        assert right["r", protocol, MEAN].value == 1.0
        assert wrong["r", protocol, MEAN].value == 0.0
        row = guess["r", protocol, MEAN]
        assert row.low < 0.5 < row.high


def test_brightness_stands_beside_and_the_rules_disarm_it(films: TestSet, reader: Callable) -> None:
    found = strict(reader(), films)
    assert found[BRIGHTNESS, RAW, "pneumonia"].value > 0.55
    fair = found[BRIGHTNESS, WITHIN_ABNORMAL, "nodule"]
    assert found[BRIGHTNESS, RAW, "pneumonia"].prompt_set == ""
    assert fair.n == 90 and fair.positives == 30


def test_who_is_compared_with_whom(films: TestSet, reader: Callable) -> None:
    found = strict(reader(), films)
    raw, within, against = (found["r", protocol, "nodule"] for protocol in PROTOCOLS)
    assert (raw.positives, raw.n) == (30, 120)
    assert (within.positives, within.n) == (30, 90)
    assert (against.positives, against.n) == (30, 60)
    assert {row.units for row in found.values() if row.protocol == RAW} == {"60 patients"}
    assert not any(
        row.metric == "AP"
        for scored in evaluate_strictly(reader(), films, PAIR, name="r", samples=2)
        for row in scored.results
        if row.protocol == STRATIFIED
    )


def test_a_label_of_all_abnormal_films_and_rare_ones_are_left_out_by_name(
    films: TestSet, reader: Callable
) -> None:
    kept = [i for i in films.items if not (i.labels["nodule"] and int(i.id[:-4]) > 30)]
    rare = films.subset(
        [i for i in kept if i.labels["pneumonia"] or not any(i.labels.values())]
        + [i for i in kept if i.labels["nodule"]][:3],
        "rare",
    )
    found = strict(reader(), rare)
    mean = found["r", WITHIN_ABNORMAL, MEAN]
    assert "nodule (3 positives, fewer than 10)" in mean.note
    only = rare.subset([i for i in rare.items if not i.labels["nodule"]], "only")
    note = strict(reader(), only)["r", WITHIN_ABNORMAL, MEAN].note
    assert "pneumonia (no negative)" in note and "nodule (no positive)" in note


def test_unlabelled_films_are_neither_normal_nor_abnormal(films: TestSet, reader: Callable) -> None:
    def forget(item: object) -> object:
        labels = {f: (np.nan if v == 0 and f == "nodule" else v) for f, v in item.labels.items()}
        return type(item)(item.id, item.path, item.patient, labels, item.view, item.where)

    normal = [item for item in films.items if not any(item.labels.values())]
    other = [item for item in films.items if any(item.labels.values())]
    mixed = films.subset([forget(item) for item in normal[:20]] + normal[20:] + other, "mixed")
    found = strict(reader(), mixed)
    assert found["r", STRATIFIED, "pneumonia"].n == 60 + 10
    assert found["r", RAW, "nodule"].n == 100


def test_without_patients_images_are_drawn(
    tmp_path: Path, reader: Callable, painter: Callable
) -> None:
    rows = ["file,labels"]
    for index in range(6):
        film = painter(("nodule",) * (index % 2), seed=index)
        Pillow.fromarray(film).save(tmp_path / f"{index}.png")
        rows.append(f"{index}.png,{'nodule' if index % 2 else ''}")
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    films = open_test_set(str(tmp_path), split="all")
    results = [
        row
        for scored in evaluate_strictly(reader(), films, PAIR, name="r", samples=20)
        for row in scored.results
    ]
    assert {row.units for row in results} <= {"6 images", "3 images"}
    assert all("interval only" in row.note for row in results)


def test_brightness_is_minus_the_grey_of_the_lateral_thirds() -> None:
    film = np.zeros((10, 9), np.uint8)
    film[:, 3:6] = 200
    assert brightness_score(film) == 0
    film[:, :3], film[:, 6:] = 10, 30
    assert brightness_score(film) == -20
