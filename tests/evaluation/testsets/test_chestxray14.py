"""ChestX-ray14 as its Box folder unpacks."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from film_files import pixels, save

from syncxr.evaluation.testsets.checking import check
from syncxr.evaluation.testsets.chestxray14 import ChestXray14
from syncxr.evaluation.testsets.test_set import TestSet, open_test_set

HEADER = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],"
)
LABELS = ("No Finding", "Effusion", "Infiltration|Mass", "Pleural_Thickening", "Hernia|Edema")
TEST_PATIENTS = {2, 5}
PATIENTS = 40


def names() -> list[tuple[str, int, str]]:
    """File, patient, labels: two films each, numbered as the NIH does."""
    return [
        (f"{patient:08d}_{visit:03d}.png", patient, LABELS[(patient + visit) % 5])
        for patient in range(1, PATIENTS + 1)
        for visit in range(2)
    ]


@pytest.fixture
def download(tmp_path: Path) -> Path:
    """Twelve folders of films, the 2017 table with its empty last column, lists without a line
    end, and the box table whose header has more cells than columns."""
    rows = [HEADER]
    for place, (name, patient, labels) in enumerate(names()):
        save(tmp_path / f"images_{1 + place % 12:03d}/images" / name, pixels(place, 128))
        view = "AP" if patient % 3 else "PA"
        rows.append(f"{name},{labels},0,{patient},58,M,{view},2682,2749,0.143,0.143,")
    (tmp_path / "Data_Entry_2017.csv").write_text("\n".join(rows) + "\n")
    test = [name for name, patient, _ in names() if patient in TEST_PATIENTS]
    rest = [name for name, patient, _ in names() if patient not in TEST_PATIENTS]
    (tmp_path / "test_list.txt").write_text("\n".join(test))
    (tmp_path / "train_val_list.txt").write_text("\n".join(rest))
    (tmp_path / "BBox_List_2017.csv").write_text(
        "Image Index,Finding Label,Bbox [x,y,w,h],,,\n"
        "00000002_000.png,Infiltrate,225.084745762712,547.019216763771,86.7796610169491,79.18,,,\n"
        "00000002_000.png,Mass,100,200,300,400,,,\n"
        "00000002_000.png,Mass,600,200,100,100,,,\n"
    )
    return tmp_path


def test_the_official_test_split(download: Path) -> None:
    read = open_test_set("chestxray14", download)
    assert [item.id for item in read.items] == [n for n, p, _ in names() if p in TEST_PATIENTS]
    assert read.by_patient and len(set(read.units)) == 2
    assert read.split_note == "official test list"
    assert len(read.findings) == 14 and read.findings[2] == "pleural effusion"
    first = read.items[0]
    assert {f for f, value in first.labels.items() if value == 1} == {"infiltrate", "mass"}
    assert (first.view, first.patient) == ("AP", "2")
    assert first.path == "images_003/images/00000002_000.png"
    place = [name for name, _, _ in names()].index(first.id)
    assert np.array_equal(read.film(first), pixels(place, 128))
    assert list(read.labels("hiatal hernia")) == [
        float("Hernia" in labels) for _, p, labels in names() if p in TEST_PATIENTS
    ]


def test_parts_share_no_patient(download: Path) -> None:
    parts = {s: open_test_set("chestxray14", download, s) for s in ("train", "valid", "test")}
    ids = [item.id for part in parts.values() for item in part.items]
    assert sorted(ids) == sorted(name for name, _, _ in names())
    patients = [{item.patient for item in part.items} for part in parts.values()]
    assert sum(map(len, patients)) == len(set.union(*patients)) == PATIENTS
    other = open_test_set("chestxray14", download, "valid", seed=1)
    assert other.digest != parts["valid"].digest


def test_boxes_are_filled_in_the_size_of_the_film(download: Path) -> None:
    read = open_test_set("chestxray14", download)
    assert read.targets == ("infiltrate", "mass")
    (item,) = read.outlined("mass")
    mask = read.mask(item, "mass")
    assert mask is not None and mask.shape == (128, 128)
    # 100, 200, 300, 400 of 1,024 pixels is 12.5, 25, 37.5, 50 of 128.
    expected = np.zeros((128, 128), bool)
    expected[25:75, 12:50] = True
    expected[25:38, 75:88] = True
    assert np.array_equal(mask, expected)
    assert read.mask(item, "hiatal hernia") is None
    assert read.mask(read.items[-1], "mass") is None


def test_one_flat_folder_and_the_2020_table(download: Path) -> None:
    flat = download / "images"
    flat.mkdir()
    for film in download.glob("images_*/images/*.png"):
        film.rename(flat / film.name)
    table = (download / "Data_Entry_2017.csv").read_text()
    (download / "Data_Entry_2017.csv").unlink()
    renamed = table.replace("Patient Gender", "Patient Sex").replace(",\n", "\n")
    (download / "Data_Entry_2017_v2020.csv").write_text(renamed)
    read = open_test_set("chestxray14", download)
    assert read.items[0].path == "images/00000002_000.png"
    assert read.items[0].labels["mass"] == 1


def test_without_lists_the_shipped_patients_are_the_test_split(download: Path) -> None:
    (download / "test_list.txt").unlink()
    read = open_test_set("chestxray14", download)
    assert read.split_note == "official test patients as shipped"
    # Patients 3 and 13 stand on the published test list, 2 and 5 do not.
    assert {"3", "13"} <= {item.patient for item in read.items}
    assert not {"2", "5"} & {item.patient for item in read.items}


def test_the_tables_of_torchxrayvision_stand_in(
    download: Path, refused: Callable[..., str]
) -> None:
    for name in ("Data_Entry_2017.csv", "BBox_List_2017.csv", "test_list.txt"):
        (download / name).unlink()
    said = refused(open_test_set, "chestxray14", download)
    assert "film 00000003_002.png and 25," in said and "more films not found below" in said


def replaced(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("Data_Entry_2017.csv", "Finding Labels", "Labels", "lacks the column Finding Labels"),
        ("Data_Entry_2017.csv", "Effusion", "Sunburn", "row 2: label 'Sunburn' is none of the 14"),
        ("Data_Entry_2017.csv", "Mass", "mass", "row 3: label 'mass' is none of the 14"),
        ("test_list.txt", "00000002_000.png", "00099999_000.png", "names 00099999_000.png"),
        ("test_list.txt", "00000002_000.png\n", "", "films of patient 2, but not 00000002_000.png"),
        ("train_val_list.txt", "00000001_000.png", "00000002_000.png", "both name 00000002_000"),
        ("BBox_List_2017.csv", "Mass", "Sunburn", "row 3: label 'Sunburn' is unknown"),
    ],
)
def test_faults(
    download: Path, file: str, old: str, new: str, message: str, refused: Callable[..., str]
) -> None:
    replaced(download / file, old, new)
    assert message in refused(open_test_set, "chestxray14", download)


def test_a_missing_film_is_never_dropped(download: Path, refused: Callable[..., str]) -> None:
    next(download.glob("images_*/images/00000005_001.png")).unlink()
    said = refused(open_test_set, "chestxray14", download)
    assert "row 11: film 00000005_001.png not found below" in said
    (download / "images_003/images/00000002_000.png").unlink()
    assert "row 4: film 00000002_000.png and 1 more films" in refused(
        open_test_set, "chestxray14", download
    )


def test_a_broken_film_is_named_with_its_row(download: Path, refused: Callable[..., str]) -> None:
    (download / "images_003/images/00000002_000.png").write_bytes(b"broken")
    read = open_test_set("chestxray14", download)
    assert "Data_Entry_2017.csv, row 4: " in refused(read.film, read.items[0])


def test_check_counts_against_the_published_numbers(download: Path) -> None:
    found = check("chestxray14", download)
    counts = {count.what: (count.published, count.found) for count in found.counts}
    assert counts["films"] == (112_120, 80)
    assert counts["test boxes"] == (984, 3)
    assert counts["train and valid patients"] == (28_008, 38)
    assert not found.first_wrong and not found.complete
    assert set(found.leaks.values()) == {0}
    assert [split.shipped for split in found.splits] == [False, False, False]


def test_numpy_s_generator_is_left_alone(download: Path) -> None:
    np.random.seed(7)
    state = np.random.get_state()[1].copy()
    open_test_set("chestxray14", download)
    assert np.array_equal(np.random.get_state()[1], state)


def test_what_it_is() -> None:
    assert issubclass(ChestXray14, TestSet)
    assert ChestXray14.info.counts["test films"] == 25_596
