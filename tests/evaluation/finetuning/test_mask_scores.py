"""Dice over all films and over positives, with intervals by unit."""

from pathlib import Path

import numpy as np
import pytest

from syncxr.evaluation.finetuning.mask_scores import TASK, score_masks
from syncxr.evaluation.finetuning.segmentation import overlap
from syncxr.evaluation.scoring.sheet import About, Scored
from syncxr.evaluation.testsets.test_set import Info, Item, TestSet


class Sixty(TestSet):
    info = Info("sixty", "Sixty", "", "", "", "", (), {}, ("nodule",), ("segmentation",))

    def __init__(self) -> None:
        super().__init__(Path(), "test")
        self.items = tuple(Item(f"f{i}", "", f"p{i // 2}", {"nodule": 0}) for i in range(60))


def scored(called: np.ndarray, true: np.ndarray) -> Scored:
    return score_masks(
        overlap(called, true), Sixty(), "nodule", About(TASK, "m", fraction=0.1, seed=2),
        protocol="U-Net", threshold=0.5, samples=200,
    )  # fmt: skip


@pytest.fixture
def true() -> np.ndarray:
    masks = np.random.default_rng(0).random((60, 16, 16)) < 0.3
    masks[:45] = False
    return masks


def test_oracle_opposite_and_nothing(true: np.ndarray) -> None:
    right = {r.metric: r for r in scored(true, true).results if r.finding == "nodule"}
    assert all((r.value, r.low, r.high) == (1, 1, 1) for r in right.values())
    wrong = {r.metric: r.value for r in scored(~true, true).results}
    assert wrong["Dice"] == wrong["Dice of positives"] == wrong["IoU of positives"] == 0
    # Calling nothing scores well where most films are empty: why positives stand beside it.
    nothing = {r.metric: r.value for r in scored(np.zeros_like(true), true).results}
    assert (nothing["Dice"], nothing["Dice of positives"]) == (0.75, 0)


def test_rows_say_what_they_are(true: np.ndarray) -> None:
    row, *_ = scored(true, true).results
    assert (row.n, row.positives, row.units) == (60, 15, "30 patients")
    assert (row.task, row.fraction, row.seed, row.samples) == (TASK, 0.1, 2, 200)


def test_interval_is_by_patient(true: np.ndarray) -> None:
    called = true & (np.random.default_rng(1).random(true.shape) < 0.6)
    (row,) = [r for r in scored(called, true).results if r.metric == "Dice of positives"][:1]
    assert row.low < row.value < row.high and "8 patients" in row.units


def test_no_positive_film(true: np.ndarray) -> None:
    empty = np.zeros_like(true)
    rows = {r.metric: r for r in scored(empty, empty).results if r.finding == "nodule"}
    assert rows["Dice"].value == 1 and np.isnan(rows["Dice of positives"].value)
    assert "no film shows it" in rows["Dice of positives"].note
