"""PadChest as BIMCV unpacks: 16-bit films, Python lists in cells, broken files."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from film_files import pixels, save
from PIL import Image as Pillow

from syncxr.evaluation.findings import finding_of
from syncxr.evaluation.testsets.padchest_lists import KINDS_OF, KNOWN_BROKEN, RARE, SEEN, UNSEEN
from syncxr.evaluation.testsets.tables import read_rows
from syncxr.evaluation.testsets.test_set import open_test_set
from syncxr.evaluation.testsets.test_set import test_set_class as class_of
from syncxr.evaluation.testsets.xrv import label_file

TABLE = "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv"
COLUMNS = (
    ",ImageID,ImageDir,StudyDate_DICOM,StudyID,PatientID,PatientBirth,PatientSex_DICOM,"
    "ViewPosition_DICOM,Projection,MethodProjection,Pediatric,Report,MethodLabel,Labels"
)
BROKEN = "216840111366964012989926673512011083134050913_00-168-009.png"
CELLS = (
    "['normal']",
    "['COPD signs', 'laminar atelectasis', 'pseudonodule']",
    "['', ' pleural effusion', 'subcutaneous emphysema']",
    "['loculated pleural effusion', 'suture material']",
    "['pulmonary mass', 'exclude']",
    "[]",
)


@pytest.fixture
def download(tmp_path: Path) -> Path:
    rows = [COLUMNS]

    def add(name: str, folder: int, method: str, labels: str) -> None:
        number = len(rows)
        rows.append(
            f"{number},{name},{folder},20140915,s{number},p{number // 2},1930.0,F,POSTEROANTERIOR,"
            f'PA,Manual review of DICOM fields,No," sin hallazg, patolog .",{method},"{labels}"'
        )

    for number, labels in enumerate(CELLS):
        name = f"2053668664013634823_{number}.png"
        path = tmp_path / str(number * 10) / name
        path.parent.mkdir()
        Pillow.fromarray(pixels(number).astype(np.uint16) * 16).save(path)
        add(name, number * 10, "Physician", labels)
    save(tmp_path / "1/rnn.png", pixels(99))
    add("rnn.png", 1, "RNN_model", "['nodule']")
    add(BROKEN, 5, "Physician", "['normal']")  # not on disk, and known to be broken
    (tmp_path / TABLE).write_text("\n".join(rows) + "\n")
    return tmp_path


def test_films_that_physicians_labelled(download: Path) -> None:
    read = open_test_set("padchest-seen", download)
    assert len(read) == len(CELLS) and read.by_patient
    assert [item.path for item in read.items][:2] == [
        "0/2053668664013634823_0.png",
        "10/2053668664013634823_1.png",
    ]
    film = read.film(read.items[3])
    deep = pixels(3).astype(float) * 16
    assert np.array_equal(film, (deep / deep.max() * 255).astype(np.uint8))


def test_labels_are_whole_words_with_their_kinds(download: Path) -> None:
    read = open_test_set("padchest-seen", download)
    assert list(read.labels("atelectasis")) == [0, 1, 0, 0, 0, 0]
    assert list(read.labels("pleural effusion")) == [0, 0, 1, 1, 0, 0]
    assert list(read.labels("mass")) == [0, 0, 0, 0, 1, 0]
    assert not read.labels("nodule").any() and not read.labels("emphysema").any()
    unseen = open_test_set("padchest-unseen", download)
    assert list(unseen.labels("chronic obstructive pulmonary disease")) == [0, 1, 0, 0, 0, 0]
    rare = open_test_set("padchest-rare", download)
    assert list(rare.labels("suture material")) == [0, 0, 0, 1, 0, 0]


def test_known_broken_files_are_left_out_by_name(download: Path) -> None:
    read = open_test_set("padchest-seen", download)
    assert read.left_out == {BROKEN: "broken PNG"}
    assert read.counted()["test films"] == len(CELLS) + 1
    assert len(KNOWN_BROKEN) == 21


def test_other_broken_files_are_not(download: Path, refused: Callable[..., str]) -> None:
    path = download / "20/2053668664013634823_2.png"
    path.write_bytes(path.read_bytes()[:200])
    read = open_test_set("padchest-seen", download)
    assert "row 4: " in refused(read.film, read.items[2])
    path.unlink()
    assert "row 4: film 2053668664013634823_2.png not found" in refused(
        open_test_set, "padchest-seen", download
    )


def test_one_flat_folder(download: Path) -> None:
    flat = download / "images"
    flat.mkdir()
    for film in download.glob("[0-9]*/*.png"):
        film.rename(flat / film.name)
    read = open_test_set("padchest-seen", download)
    assert read.items[0].path == "images/2053668664013634823_0.png"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("MethodLabel", "Method", "lacks the column MethodLabel"),
        ("['normal']", "normal", "row 2: 'Labels' is 'normal', which is no list"),
        ("['normal']", "['normal'", "row 2: 'Labels'"),
        ("['normal']", "[1]", "row 2: 'Labels'"),
    ],
)
def test_faults(
    download: Path, old: str, new: str, message: str, refused: Callable[..., str]
) -> None:
    table = download / TABLE
    assert old in table.read_text()
    table.write_text(table.read_text().replace(old, new, 1))
    assert message in refused(open_test_set, "padchest-seen", download)


def test_lists_are_labels_of_the_table() -> None:
    """Every label that is scored stands in the published table, which torchxrayvision brings."""
    written: set[str] = set()
    for _, row in read_rows(label_file(f"{TABLE}.gz"), ("Labels",)):
        if row["MethodLabel"] == "Physician":
            written.update(part.strip(" '") for part in row["Labels"].strip("[]").split(","))
    scored = {*SEEN, *UNSEEN, *RARE}
    assert scored <= written
    kinds = {kind for kinds in KINDS_OF.values() for kind in kinds}
    assert kinds - written <= {"hemothorax"}  # in the network's part only
    assert (len(SEEN), len(UNSEEN), len(RARE)) == (13, 60, 39)
    assert set(RARE) <= set(UNSEEN)


def test_every_finding_has_a_name_of_its_own() -> None:
    for kind, labels in (("seen", SEEN), ("unseen", UNSEEN), ("rare", RARE)):
        findings = class_of(f"padchest-{kind}").info.findings
        assert len(set(findings)) == len(labels)
        assert all(finding_of(label) for label in labels)
