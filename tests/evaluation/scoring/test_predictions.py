"""What is scored is checked item by item, and the faulty one is named."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from syncxr.errors import SyncxrError
from syncxr.evaluation.scoring.predictions import Predictions
from syncxr.evaluation.testsets.folder import Folder
from syncxr.evaluation.testsets.test_set import Item, TestSet


class Made(TestSet):
    """A set of labels only."""

    info = Folder.info

    def __init__(self, labels: Sequence[float], patients: Sequence[str] = ()) -> None:
        super().__init__(Path("films"), "test")
        named = patients or [""] * len(labels)
        self.items = tuple(
            Item(f"{i}", f"{i}.png", patient, {"mass": label}, where=f"labels.csv, row {i + 2}")
            for i, (label, patient) in enumerate(zip(labels, named, strict=True))
        )

    @property
    def findings(self) -> tuple[str, ...]:
        return ("mass",)


def test_units_are_patients_where_all_are_named() -> None:
    scores = np.zeros((2, 1))
    by_patient = Predictions.of(Made([0, 1], ["a", "b"]), ["mass"], scores)
    assert by_patient.by_patient and by_patient.units == ("patient a", "patient b")
    by_film = Predictions.of(Made([0, 1], ["a", ""]), ["mass"], scores)
    assert not by_film.by_patient and by_film.units == ("0", "1")


def test_what_was_measured_on_is_told_apart() -> None:
    scores = np.zeros((2, 1))
    marks = {
        Predictions.of(Made(labels, patients), ["mass"], scores).measured_on
        for labels, patients in (
            ([0, 1], ["a", "b"]),
            ([0, 1], ["a", "c"]),
            ([1, 1], ["a", "b"]),
            ([0, math.nan], ["a", "b"]),
        )
    }
    assert len(marks) == 4
    again = Predictions.of(Made([0, 1], ["a", "b"]), ["mass"], scores + 1)
    assert again.measured_on in marks


@pytest.mark.parametrize(
    ("labels", "findings", "scores", "message"),
    [
        ([0, 2], ["mass"], [[0], [1]], "labels.csv, row 3: label 2 of 'mass' is not 0, 1 or empty"),
        ([0, -1], ["mass"], [[0], [1]], "row 3: label -1"),
        ([0, 1], ["mass"], [[math.inf], [1]], "labels.csv, row 2: the model's score of 'mass'"),
        ([0, math.nan], ["mass"], [[0], [math.nan]], "row 3: the model's score"),
        ([0, 1], ["hernia"], [[0], [1]], "has no labels of 'hernia'; it has: mass"),
        ([], ["mass"], np.empty((0, 1)), "no films in split 'test'"),
    ],
)
def test_faults_are_one_line(labels: list, findings: list, scores: object, message: str) -> None:
    with pytest.raises(SyncxrError, match=message) as error:
        Predictions.of(Made(labels), findings, scores)
    assert "\n" not in str(error.value)


def test_shapes() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        Predictions.of(Made([0, 1]), ["mass"], [[0, 1]])
