"""What every test set promises."""

import math
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from film_files import pixels, save

from syncxr.evaluation.testsets import TEST_SETS
from syncxr.evaluation.testsets.test_set import Item, ids_digest, open_test_set
from syncxr.evaluation.testsets.test_set import test_set_class as class_of
from syncxr.evaluation.testsets.test_set import test_sets as sets

TASKS = {"zero-shot", "grounding", "classification", "segmentation"}


@pytest.mark.parametrize("name", TEST_SETS)
def test_what_is_known_of_a_set_before_having_it(name: str) -> None:
    info = class_of(name).info
    assert info.name == name
    assert info.title and info.source and info.licence and info.how_to_get and info.parts
    assert set(info.tasks) <= TASKS and info.splits
    if {"classification", "segmentation"} & set(info.tasks):
        assert {"train", "valid", "test"} <= set(info.splits)
    assert info.to_dict()["parts"][0]["patterns"]
    assert name in {"folder", "simulated"} or info.citation
    assert class_of(name).__doc__


def test_the_docstrings_say_why_torchxrayvision_is_not_enough() -> None:
    for name in TEST_SETS:
        own = class_of(name).__mro__[:2]
        texts = " ".join(kind.__doc__ or "" for kind in own)
        assert "torchxrayvision" in texts or name == "chexpert-5x200", name


def test_all_of_them() -> None:
    assert [info.name for info in sets()] == list(TEST_SETS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for index in range(4):
        save(tmp_path / f"{index}.png", pixels(index))
    (tmp_path / "labels.csv").write_text(
        "file,patient,mass\n0.png,a,1\n1.png,a,0\n2.png,b,\n3.png,,1\n"
    )
    return tmp_path


def test_a_subset_is_the_same_set_with_some_items(folder: Path) -> None:
    whole = open_test_set(str(folder))
    assert not whole.by_patient and whole.units == ["0.png", "1.png", "2.png", "3.png"]
    part = whole.subset(whole.items[:3], "some")
    assert (len(part), part.split, part.findings) == (3, "some", ("mass",))
    assert part.by_patient and part.units == ["patient a", "patient a", "patient b"]
    assert part.digest == ids_digest(["2.png", "0.png", "1.png"]) != whole.digest
    assert len(whole) == 4 and math.isnan(whole.labels("mass")[2])


def test_a_set_travels_to_other_processes(folder: Path) -> None:
    whole = open_test_set(str(folder))
    again = pickle.loads(pickle.dumps(whole))
    assert again.digest == whole.digest
    assert np.array_equal(again.film(again.items[1]), pixels(1))


def test_the_digest_is_of_sorted_ids() -> None:
    import hashlib

    assert ids_digest(["b", "a"]) == hashlib.sha256(b"a\nb\n").hexdigest()


def test_units() -> None:
    assert Item("f.png", "f.png", "7", {}).unit == "patient 7"
    assert Item("f.png", "f.png", "", {}).unit == "f.png"


def test_unknown_names(tmp_path: Path, refused: Callable[..., str]) -> None:
    assert "test set 'mimic' is unknown; known: " in refused(open_test_set, "mimic", tmp_path)
    assert "'rsna' is not a folder" in refused(open_test_set, "rsna")
    assert "no split 'dev'; it has: test, train" in refused(open_test_set, "rsna", tmp_path, "dev")
    assert "does not exist" in refused(open_test_set, "rsna", tmp_path / "no")
