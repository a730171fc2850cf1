"""Tables tell everything that a number was measured on."""

import json
import math
from collections.abc import Callable
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from syncxr.evaluation.grounding import ground, score_chance, score_grounding
from syncxr.evaluation.predictions import Predictions
from syncxr.evaluation.prompts import load_prompt_set
from syncxr.evaluation.scored import About
from syncxr.evaluation.scoring import FIXED, HALF, score
from syncxr.evaluation.tables import ScoreTable, overlap_table, pointing_table, score_table
from syncxr.evaluation.testsets.test_set import open_test_set

PAIR = load_prompt_set("pair")


def screen(table: object, width: int = 160) -> str:
    console = Console(width=width, record=True, file=StringIO())
    console.print(table)
    return console.export_text()


def table(count: int = 60, cuts: bool = True, **settings: object) -> ScoreTable:
    generator = np.random.default_rng(0)
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
    scored = score(
        predictions, about, cuts={FIXED: [HALF] * 3} if cuts else None, samples=50, **settings
    )
    return score_table("Zero-shot", scored.results, notes=["One source CT."], **settings)


def test_everything_is_told() -> None:
    text = screen(table(least_positives=10).to_rich())
    told = ("made up", "test 01234567", "60 films", "30 patients", PAIR.title, "50 bootstrap")
    for word in (*told, "seed 0", "fixed 0.5", "mass *", "hernia *", "One source CT."):
        assert word in text, word
    assert "* mass: 5 positives, fewer than 10: not in the mean" in text
    assert "* hernia: no positive" in text


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
    assert "F1 at" not in screen(found.to_rich())


def test_under_fifty_items_points_stand_in_brackets() -> None:
    assert f"({table(40).rows[0].auroc:.3f})" in screen(table(40).to_rich())
    assert "(" not in screen(table(60).to_rich()).split("made up")[0]


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
    text = screen(game.to_rich())
    for word in ("hospital", "One source CT.", PAIR.title, "blind point", "patients resampled"):
        assert word in text
    text = screen(overlap_table(found, chance))
    for word in ("fixed 0.5", "swept on test (0.95)", "IoU of whole film", "224 × 224, nearest"):
        assert word in text
