"""CheXpert as its packages unpack."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from film_files import pixels, save

from syncxr.evaluation.testsets import chexpert
from syncxr.evaluation.testsets.chexpert import Chexpert5x200
from syncxr.evaluation.testsets.test_set import open_test_set

OBSERVATIONS = (
    "No Finding,Enlarged Cardiomediastinum,Cardiomegaly,Lung Opacity,Lung Lesion,Edema,"
    "Consolidation,Pneumonia,Atelectasis,Pneumothorax,Pleural Effusion,Pleural Other,Fracture,"
    "Support Devices"
)
FIVE = ("atelectasis", "cardiomegaly", "consolidation", "edema", "pleural effusion")


def row(**values: str) -> str:
    """Cells of the fourteen observations."""
    return ",".join(values.get(name.replace(" ", "_"), "") for name in OBSERVATIONS.split(","))


def study(
    folder: Path, patient: int, seed: int, views: tuple[str, ...] = ("view1_frontal",)
) -> None:
    for view in views:
        save(folder / f"patient{patient}/study1/{view}.jpg", np.full((32, 40), seed, np.uint8))


@pytest.fixture
def test_films(tmp_path: Path) -> Path:
    """CheXlocalize: its folder CheXpert with test, val and two tables by film."""
    base = tmp_path / "CheXpert"
    zeros = dict.fromkeys([name.replace(" ", "_") for name in OBSERVATIONS.split(",")], "0.0")
    test, valid = [f"Path,{OBSERVATIONS}"], [f"Path,Sex,Age,Frontal/Lateral,AP/PA,{OBSERVATIONS}"]
    for number in range(6):
        # The first study has a second frontal film.
        views = ("view1_frontal", "view2_frontal", "view3_lateral")[:: 1 if number == 0 else 2]
        study(base / "test", 64741 + number, number * 9, views)
        shown = {**zeros, "Edema": f"{number % 2}.0", "Pleural_Effusion": f"{number % 3 == 0:d}.0"}
        for view in views:
            test.append(f"test/patient{64741 + number}/study1/{view}.jpg,{row(**shown)}")
        study(base / "val", 64541 + number, 100 + number)
        path = f"CheXpert-v1.0/valid/patient{64541 + number}/study1/view1_frontal.jpg"
        valid.append(f"{path},Male,70,Frontal,AP,{row(**shown)}")
    (base / "test_labels.csv").write_text("\n".join(test) + "\n")
    (base / "val_labels.csv").write_text("\n".join(valid) + "\n")
    return tmp_path


def test_the_official_test_films(test_films: Path) -> None:
    read = open_test_set("chexpert", test_films)
    assert read.findings == FIVE and read.by_patient
    assert [item.patient for item in read.items] == [str(64741 + n) for n in range(6)]
    assert list(read.labels("edema")) == [0, 1, 0, 1, 0, 1]
    assert list(read.labels("pleural effusion")) == [1, 0, 0, 1, 0, 0]
    assert read.items[0].id == "test/patient64741/study1/view1_frontal.jpg"
    assert read.items[0].path == "CheXpert/test/patient64741/study1/view1_frontal.jpg"
    assert abs(int(read.film(read.items[2]).mean()) - 18) <= 1
    assert read.mask(read.items[0], "edema") is None and read.targets == ()
    # Published numbers are of one film a study.
    reason = "not the first frontal film of its study"
    assert read.left_out == {"test/patient64741/study1/view2_frontal.jpg": reason}
    assert read.counted() == {"frontal test films": 7, "test patients": 6}


def test_validation_lies_in_val_or_valid(test_films: Path) -> None:
    read = open_test_set("chexpert", test_films, "valid")
    assert len(read) == 6 and read.items[0].view == "AP"
    assert read.items[0].path.startswith("CheXpert/val/")
    release = test_films / "CheXpert-v1.0-small"
    shutil.move(test_films / "CheXpert/val", release / "valid")
    shutil.move(test_films / "CheXpert/val_labels.csv", release / "valid.csv")
    again = open_test_set("chexpert", test_films, "valid")
    assert again.items[0].path.startswith("CheXpert-v1.0-small/valid/")
    assert again.digest == read.digest


def test_the_table_by_study(test_films: Path) -> None:
    """groundtruth.csv of rajpurkarlab/cheXpert-test-set-labels has a row a study."""
    by_film = open_test_set("chexpert", test_films)
    lines = (test_films / "CheXpert/test_labels.csv").read_text().splitlines()
    lines = [line for line in lines if "view1_frontal" in line]
    rows = [f"Study,{OBSERVATIONS}"]
    for line in lines:
        path, _, cells = line.partition(",")
        rows.append(f"CheXpert-v1.0/{path.rsplit('/', 1)[0]},{cells.replace('.0', '')}")
    (test_films / "CheXpert/test_labels.csv").unlink()
    (test_films / "groundtruth.csv").write_text("\n".join(rows) + "\n")
    by_study = open_test_set("chexpert", test_films)
    assert by_study.digest == by_film.digest and by_study.left_out == by_film.left_out
    for finding in FIVE:
        assert np.array_equal(by_study.labels(finding), by_film.labels(finding))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Edema", "Oedema", "lacks the column Edema"),
        ("Path", "File", "neither a column Path nor Study"),
        ("0.0,0.0,1.0", "0.0,0.0,2.0", "a label is 1, 0, -1 (uncertain) or blank"),
        ("patient64742", "person64742", "row 5: 'test/person64742"),
        ("patient64742", "patient64999", "row 5: film test/patient64999"),
    ],
)
def test_faults(
    test_films: Path, old: str, new: str, message: str, refused: Callable[..., str]
) -> None:
    table = test_films / "CheXpert/test_labels.csv"
    assert old in table.read_text()
    table.write_text(table.read_text().replace(old, new, 1))
    assert message in refused(open_test_set, "chexpert", test_films)


def test_no_table(tmp_path: Path, refused: Callable[..., str]) -> None:
    assert "has no test_labels.csv or" in refused(open_test_set, "chexpert", tmp_path)


@pytest.fixture
def training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """CheXpert-v1.0-small with odd values, 3 of each instead of 200."""
    monkeypatch.setattr(chexpert, "EACH", 3)
    base = tmp_path / "CheXpert-v1.0-small"
    rows = [f"Path,Sex,Age,Frontal/Lateral,AP/PA,{OBSERVATIONS}"]

    def add(number: int, view: str, values: dict[str, str]) -> None:
        name = f"patient{number:05d}"
        save(base / f"train/{name}/study1/{view}.jpg", pixels(number, 16))
        kind = "Frontal,AP" if "frontal" in view else "Lateral,"
        path = f"CheXpert-v1.0-small/train/{name}/study1/{view}.jpg"
        rows.append(f"{path},Female,68,{kind},{row(**values)}")

    number = 0
    for label in ("Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Pleural_Effusion"):
        for _ in range(6):
            number += 1
            add(number, "view1_frontal", {"Edema": "0.0", "Pneumonia": "1.0", label: "1.0"})
        number += 1
        other = "Edema" if label != "Edema" else "Atelectasis"
        add(number, "view1_frontal", {label: "1.0", other: "1.0"})  # two of the five
        number += 1
        add(number, "view1_frontal", {label: "1.0", other: "-1.0"})  # the other uncertain
        number += 1
        add(number, "view2_lateral", {label: "1.0"})
    add(number + 1, "view1_frontal", {"No_Finding": "1.0"})
    (base / "train.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def test_5x200_is_positive_for_one_alone(training: Path) -> None:
    read = open_test_set("chexpert-5x200", training)
    assert isinstance(read, Chexpert5x200)
    assert len(read) == 15
    truth = np.stack([read.labels(finding) for finding in FIVE], 1)
    assert (truth.sum(1) == 1).all() and (truth.sum(0) == 3).all()
    assert all("frontal" in item.id for item in read.items)
    # Patients 8, 17, … are uncertain for another, 7, 16, … have two findings.
    assert not {int(patient) % 9 for patient in read.patients} & {7, 8, 0}
    assert read.patients == {item.patient for item in read.items}


def test_5x200_is_drawn_by_seed_whatever_the_order(training: Path) -> None:
    read = open_test_set("chexpert-5x200", training)
    table = training / "CheXpert-v1.0-small/train.csv"
    header, *rows = table.read_text().splitlines()
    table.write_text("\n".join([header, *reversed(rows)]) + "\n")
    assert open_test_set("chexpert-5x200", training).digest == read.digest
    assert open_test_set("chexpert-5x200", training, seed=1).digest != read.digest


def test_5x200_from_batches(training: Path) -> None:
    """The full release keeps patients in the folders of its zips."""
    read = open_test_set("chexpert-5x200", training)
    small = training / "CheXpert-v1.0-small"
    batch = training / "CheXpert-v1.0 batch 2 (train 1)"
    shutil.move(small / "train", batch)
    first = training / "CheXpert-v1.0 batch 1 (validate & csv)"
    first.mkdir()
    shutil.move(small / "train.csv", first / "train.csv")
    again = open_test_set("chexpert-5x200", training)
    assert again.digest == read.digest
    assert again.items[0].path.startswith("CheXpert-v1.0 batch 2 (train 1)/patient")


def test_5x200_needs_enough(
    training: Path, refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chexpert, "EACH", 7)
    assert "6 frontal films positive for atelectasis alone; 7 are needed" in refused(
        open_test_set, "chexpert-5x200", training
    )
