"""COVIDx CXR-2: lists with spaces between cells and no header."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from film_files import pixels, save

from syncxr.evaluation.testsets.test_set import open_test_set

TRAIN = 60


@pytest.fixture
def download(tmp_path: Path) -> Path:
    train, test = [], []
    for number in range(TRAIN):
        file = f"A{number:06d}-01-09-1901-NA-CHEST_AP_PORT-{number}.jpg"
        save(tmp_path / "train" / file, pixels(number))
        label = "positive" if number % 3 == 0 else "negative"
        train.append(f"A{number // 2:06d} {file} {label} stonybrook")
    for number, (file, label, source) in enumerate(
        [
            ("8cfcc69b-d659.png", "negative", "rsna"),
            ("COVID (448).png", "positive", "sirm"),
            ("e6eaadf0.jpg", "negative", "cohen"),
            ("MIDRC-RICORD-1C-SITE2.png", "positive", "ricord"),
        ]
    ):
        save(tmp_path / "test" / file, pixels(100 + number))
        test.append(f"{number} {file} {label} {source}")
    (tmp_path / "train.txt").write_text("\n".join(train) + "\n")
    (tmp_path / "test.txt").write_text("\n".join(test))
    return tmp_path


def test_the_official_lists(download: Path) -> None:
    read = open_test_set("covidx-cxr2", download)
    assert list(read.labels("covid-19")) == [0, 1, 0, 1]
    assert read.items[1].id == "COVID (448).png" and read.items[1].patient == "sirm 1"
    assert np.array_equal(read.film(read.items[1]), pixels(101))
    assert read.split_note == "official lists, no patient in both"
    assert read.counted() == {"test films": 4, "test patients": 4, "test positive films": 2}


def test_training_is_cut_by_patient(download: Path) -> None:
    train, valid = (open_test_set("covidx-cxr2", download, split) for split in ("train", "valid"))
    assert len(train) + len(valid) == TRAIN and len(valid) == TRAIN // 10
    assert not set(train.units) & set(valid.units)


def test_patients_in_both_lists_leave_training_by_name(download: Path) -> None:
    lists = (download / "test.txt").read_text()
    (download / "test.txt").write_text(
        lists.replace("2 e6eaadf0.jpg negative cohen", "A000003 e6eaadf0.jpg negative stonybrook")
    )
    read = open_test_set("covidx-cxr2", download)
    words = "official lists; 1 patients are in both and left out of training"
    assert read.split_note == words and len(read) == 4
    parts = [open_test_set("covidx-cxr2", download, split) for split in ("train", "valid")]
    assert not {unit for part in parts for unit in part.units} & set(read.units)
    left_out = {id: reason for part in parts for id, reason in part.left_out.items()}
    assert set(left_out.values()) == {"its patient is in test.txt"} and len(left_out) == 2
    assert sum(map(len, parts)) == TRAIN - 2 and all(p.split_note.startswith(words) for p in parts)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("negative rsna", "normal rsna", "row 1: '0 8cfcc69b-d659.png normal rsna' is not patient"),
        ("0 8cfcc69b-d659.png negative rsna", "0,8cfcc69b-d659.png,negative,rsna", "row 1: "),
        ("e6eaadf0.jpg", "8cfcc69b-d659.png", "row 3: film 8cfcc69b-d659.png stands already at"),
        ("e6eaadf0.jpg", "gone.jpg", "row 3: film gone.jpg not found below"),
        ("e6eaadf0.jpg", "A000000-01-09-1901-NA-CHEST_AP_PORT-0.jpg", "both name A000000"),
    ],
)
def test_faults(
    download: Path, old: str, new: str, message: str, refused: Callable[..., str]
) -> None:
    text = (download / "test.txt").read_text()
    assert old in text
    (download / "test.txt").write_text(text.replace(old, new, 1))
    assert message in refused(open_test_set, "covidx-cxr2", download)


def test_no_list(download: Path, refused: Callable[..., str]) -> None:
    (download / "train.txt").unlink()
    assert "train.txt is missing" in refused(open_test_set, "covidx-cxr2", download)
