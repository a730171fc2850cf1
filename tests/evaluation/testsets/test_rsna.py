"""RSNA as Kaggle unpacks it, with the RSNA's mapping beside it."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from film_files import pixels, save_dicom

from syncxr.evaluation.testsets import rsna
from syncxr.evaluation.testsets.test_set import open_test_set

FILMS = 40
SPLITS = ("train", "valid", "test")


def film(number: int) -> str:
    return f"{number:08x}-9eaa-42f4-b0ab-c148ed3241cd"


@pytest.fixture
def download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every fourth film positive, with one or two boxes; every fifth MONOCHROME1."""
    monkeypatch.setattr(rsna, "BOX_SIDE", 64)
    labels = ["patientId,x,y,width,height,Target"]
    classes = ["patientId,class"]
    mapping = []
    for number in range(FILMS):
        kind = "MONOCHROME1" if number % 5 == 0 else "MONOCHROME2"
        path = tmp_path / "stage_2_train_images" / f"{film(number)}.dcm"
        save_dicom(path, pixels(number), kind)
        boxes = [(4, 6, 10, 8), (40, 30, 8, 20)][: 1 + number % 8 // 4] if number % 4 == 0 else []
        for x, y, width, height in boxes:
            labels.append(f"{film(number)},{x}.0,{y}.0,{width}.0,{height}.0,1")
            classes.append(f"{film(number)},Lung Opacity")
        if not boxes:
            labels.append(f"{film(number)},,,,,0")
            normal = "Normal" if number % 2 else "No Lung Opacity / Not Normal"
            classes.append(f"{film(number)},{normal}")
        mapping.append(
            {
                "img_id": f"{number // 2:08d}_{number % 2:03d}.png",
                "subset_img_id": film(number),
                "orig_labels": ["Pneumonia"] if boxes else [],
                "StudyInstanceUID": f"1.2.{number}",
                "SeriesInstanceUID": f"1.2.{number}.1",
                "SOPInstanceUID": f"1.2.{number}.1.1",
            }
        )
    (tmp_path / "stage_2_train_labels.csv").write_text("\n".join(labels) + "\n")
    (tmp_path / "stage_2_detailed_class_info.csv").write_text("\n".join(classes) + "\n")
    (tmp_path / "pneumonia-challenge-dataset-mappings_2018.json").write_text(json.dumps(mapping))
    return tmp_path


def test_films_labels_and_boxes(download: Path) -> None:
    read = open_test_set("rsna", download, "all")
    assert len(read) == FILMS and read.targets == ("pneumonia",)
    assert read.labels("pneumonia").sum() == len(read.outlined("pneumonia")) == 10
    items = {item.id: item for item in read.items}
    mask = read.mask(items[film(4)], "pneumonia")
    expected = np.zeros((64, 64), bool)
    expected[6:14, 4:14] = expected[30:50, 40:48] = True
    assert np.array_equal(mask, expected)
    empty = read.mask(items[film(1)], "pneumonia")
    assert empty is not None and not empty.any() and empty.shape == (64, 64)
    assert read.mask(items[film(1)], "mass") is None


def test_monochrome1_is_turned_over(download: Path) -> None:
    read = open_test_set("rsna", download, "all")
    for item in read.items:
        number = int(item.id[:8], 16)
        stored = pixels(number)
        assert np.array_equal(read.film(item), stored if number % 5 else 255 - stored)


def test_parts_share_no_patient(download: Path) -> None:
    parts = {split: open_test_set("rsna", download, split) for split in SPLITS}
    assert sum(map(len, parts.values())) == FILMS
    assert all(part.by_patient for part in parts.values())
    patients = [set(part.units) for part in parts.values()]
    assert sum(map(len, patients)) == len(set.union(*patients)) == FILMS // 2
    assert parts["test"].split_note == "drawn by patient, seed 0"


def test_without_the_mapping_splits_are_by_film_and_say_so(download: Path) -> None:
    (download / "pneumonia-challenge-dataset-mappings_2018.json").unlink()
    read = open_test_set("rsna", download)
    assert not read.by_patient and set(read.units) == {item.id for item in read.items}
    assert "by film" in read.split_note and "mappings_2018.json is missing" in read.split_note


def test_the_published_table(tmp_path: Path, refused: Callable[..., str]) -> None:
    """Without a table of its own the folder is measured against all 26,684 films."""
    (tmp_path / "stage_2_train_images").mkdir()
    assert "and 26,683 more films" in refused(open_test_set, "rsna", tmp_path, "all")


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("stage_2_train_labels.csv", "Target", "Label", "lacks the column Target"),
        ("stage_2_train_labels.csv", ",,,,,0", ",,,,,2", "row 3: 'Target' is 2"),
        ("stage_2_train_labels.csv", ",,,,,0", ",,,,,1", "row 3: film 00000001"),
        ("stage_2_train_labels.csv", "8.0,1", "8.0,0", "row 2: film 00000000"),
        ("stage_2_train_labels.csv", "4.0,6.0", "400.0,6.0", "outside the film"),
        ("stage_2_detailed_class_info.csv", "Normal", "Healthy", "is 'Healthy'"),
        ("stage_2_detailed_class_info.csv", "Lung Opacity\n", "Normal\n", "but has the label 1.0"),
        (
            "pneumonia-challenge-dataset-mappings_2018.json",
            film(3),
            film(99),
            "lacks film 00000003",
        ),
        ("pneumonia-challenge-dataset-mappings_2018.json", "[{", "{", "is not the RSNA's list"),
        ("pneumonia-challenge-dataset-mappings_2018.json", "subset_img_id", "id", "RSNA's list"),
    ],
)
def test_faults(
    download: Path, file: str, old: str, new: str, message: str, refused: Callable[..., str]
) -> None:
    text = (download / file).read_text()
    assert old in text
    (download / file).write_text(text.replace(old, new, 1))

    def everything() -> None:
        read = open_test_set("rsna", download, "all")
        for item in read.items:
            read.mask(item, "pneumonia")

    assert message in refused(everything)


def test_a_missing_film_is_never_dropped(download: Path, refused: Callable[..., str]) -> None:
    (download / "stage_2_train_images" / f"{film(7)}.dcm").unlink()
    said = refused(open_test_set, "rsna", download, "all")
    assert f"film {film(7)} not found below" in said and "row " in said
