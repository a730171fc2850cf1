"""Tables tell everything that a number was measured on."""

import json
import math
from collections.abc import Callable

import numpy as np
import pytest

from syncxr.evaluation.prompts import load_prompt_set
from syncxr.evaluation.reporting.score_tables import ScoreTable, pointing_table, score_table
from syncxr.evaluation.scoring.classification import FIXED, HALF, score
from syncxr.evaluation.scoring.predictions import Predictions
from syncxr.evaluation.scoring.sheet import About
from syncxr.evaluation.testsets.test_set import open_test_set
from syncxr.evaluation.zero_shot.grounding import ground
from syncxr.evaluation.zero_shot.grounding_scores import score_chance, score_grounding

PAIR = load_prompt_set("pair")


def table(cuts: bool = True) -> ScoreTable:
    generator, count = np.random.default_rng(0), 60
    labels = np.zeros((count, 3))
    labels[: count // 2, 0] = labels[:5, 1] = 1
    predictions = Predictions(
        test_set="made up",
        split="test 01234567",
        findings=("nodule", "mass", "hernia"),
        ids=tuple(map(str, range(count))),
        units=tuple(str(i // 2) for i in range(count)),
        by_patient=True,
        labels=labels,
        scores=generator.random((count, 3)),
    )
    about = About("zero-shot classification", "mine", PAIR.title)
    chosen = {FIXED: [HALF] * 3} if cuts else None
    scored = score(predictions, about, cuts=chosen, samples=50)
    return score_table("Zero-shot", scored.results, notes=["One source CT."])


def test_everything_is_told() -> None:
    found = table()
    assert (found.test_set, found.split) == ("made up", "test 01234567")
    assert (found.films, found.units, found.prompt_set) == (60, "30 patients", PAIR.title)
    assert (found.samples, found.seed, found.cut) == (50, 0, FIXED)
    assert found.notes == ("One source CT.",)
    assert found.left_out == {"hernia": "no positive"}


def test_rows() -> None:
    found = table()
    nodule, mass, hernia = found.rows
    assert (nodule.positives, nodule.negatives) == (30, 30)
    assert (mass.positives, mass.negatives) == (5, 55)
    assert 0 < nodule.f1 < 1 and 0 < nodule.accuracy < 1 and -1 < nodule.mcc < 1
    assert math.isnan(hernia.auroc) and math.isnan(hernia.f1)
    assert found.mean == pytest.approx((nodule.auroc + mass.auroc) / 2)
    assert set(found.left_out) == {"hernia"}


def test_without_cuts() -> None:
    found = table(cuts=False)
    assert found.cut == "" and all(math.isnan(row.f1) for row in found.rows)


def test_json_has_no_nan() -> None:
    plain = json.loads(json.dumps(table().to_dict(), allow_nan=False))
    assert plain["rows"][2]["auroc"] is None
    assert {"title", "films", "units", "samples", "seed", "rows", "mean", "left_out"} <= set(plain)


def test_grounding(hospital: object, reader: Callable) -> None:
    films = open_test_set("folder", hospital.path, "test")
    pointed = ground(reader(), films, PAIR)
    found = score_grounding(pointed, PAIR, model="r", samples=50).results
    chance = score_chance(pointed, samples=50).results
    game = pointing_table(found, chance, notes=["One source CT."])
    assert [row.finding for row in game.rows] == ["nodule", "pleural effusion", "pneumonia"]
    assert all(row.hits == row.cases and row.rate == 1 for row in game.rows)
    assert 0 < game.rows[0].chance < 0.1 and game.mean == 1
    json.dumps(game.to_dict(), allow_nan=False)
    assert game.units == "40 patients" and game.prompt_set == PAIR.title
    assert game.notes == ("One source CT.",)
