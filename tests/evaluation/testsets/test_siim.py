"""SIIM-ACR as it unpacks: a leading space, -1 with and without one, several rows a film."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from film_files import pixels, save_dicom

from syncxr.evaluation.testsets import siim
from syncxr.evaluation.testsets.test_set import open_test_set
from syncxr.evaluation.testsets.xrv import label_file

FILMS = 60
SPLITS = ("train", "valid", "test")


def film(number: int) -> str:
    return f"1.2.276.0.7230010.3.1.4.8323329.{number}.1517875201.850819"


def runs(number: int) -> list[str]:
    """Every third film has a mask, every ninth three of them."""
    if number % 3:
        return []
    return ["130 4 60 4", "1000 2", "2000 5 59 5"][: 3 if number % 9 == 0 else 1]


@pytest.fixture
def download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(siim, "SIDE", 64)
    rows = ["ImageId, EncodedPixels"]
    for number in range(FILMS):
        study = film(number).replace(".4.8323329", ".2.8323329")
        series = film(number).replace(".4.8323329", ".3.8323329")
        folder = tmp_path / "dicom-images-train" / study / series
        save_dicom(folder / f"{film(number)}.dcm", pixels(number))
        rows += [f"{film(number)}, {text}" for text in runs(number) or ["-1"]]
    save_dicom(tmp_path / "dicom-images-test/a/b" / f"{film(999)}.dcm", pixels(999))
    (tmp_path / "train-rle.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def test_films_labels_and_masks(download: Path) -> None:
    read = open_test_set("siim-acr", download, "all")
    assert [item.id for item in read.items] == [film(number) for number in range(FILMS)]
    assert list(read.labels("pneumothorax")) == [float(n % 3 == 0) for n in range(FILMS)]
    assert not read.by_patient
    mask = read.mask(read.items[0], "pneumothorax")
    assert mask is not None
    expected = np.zeros(64 * 64, bool)
    for start, length in ((130, 4), (194, 4), (1000, 2), (2000, 5), (2064, 5)):
        expected[start : start + length] = True
    assert np.array_equal(mask, expected.reshape(64, 64).T)
    empty = read.mask(read.items[1], "pneumothorax")
    assert empty is not None and not empty.any()
    assert np.array_equal(read.film(read.items[5]), pixels(5))
    assert len(read.outlined("pneumothorax")) == FILMS // 3
    assert read.mask(read.items[0], "mass") is None


def test_the_second_stage_s_table(download: Path) -> None:
    text = (download / "train-rle.csv").read_text().replace(", ", ",")
    (download / "train-rle.csv").unlink()
    (download / "stage_2_train.csv").write_text(text)
    read = open_test_set("siim-acr", download, "all")
    assert list(read.labels("pneumothorax")) == [float(n % 3 == 0) for n in range(FILMS)]


def test_parts_share_no_film(download: Path) -> None:
    parts = {split: open_test_set("siim-acr", download, split) for split in SPLITS}
    ids = [item.id for part in parts.values() for item in part.items]
    assert len(ids) == len(set(ids)) == FILMS


def test_the_legacy_split_leaks_and_says_how_much(download: Path) -> None:
    parts = {
        split: {item.id for item in open_test_set("siim-acr", download, f"legacy-{split}").items}
        for split in SPLITS
    }
    note = open_test_set("siim-acr", download, "legacy-test").split_note
    leaked = len(parts["train"] & parts["test"])
    assert leaked > 0
    assert f"LEAKY: row-level split of GLoRIA and MGCA; {leaked} of {len(parts['test'])}" in note


def test_the_published_table_is_understood(tmp_path: Path, refused: Callable[..., str]) -> None:
    (tmp_path / "dicom-images-train").mkdir()
    assert label_file("siim-pneumothorax-train-rle.csv.gz").is_file()
    assert "and 12,046 more films" in refused(open_test_set, "siim-acr", tmp_path, "all")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("ImageId", "Image", "lacks the column ImageId"),
        (" EncodedPixels", "Pixels", "lacks the column ' EncodedPixels'"),
        (", -1", ", ", "row 5: an empty cell"),
        ("1000 2", "-1", "row 3: film 1.2.276"),
        ("1000 2", "9999 2", "row 3: the mask runs to pixel 10,001"),
        ("1000 2", "1000", "row 3: '1000' is no run-length mask"),
    ],
)
def test_faults(
    download: Path, old: str, new: str, message: str, refused: Callable[..., str]
) -> None:
    text = (download / "train-rle.csv").read_text()
    assert old in text
    (download / "train-rle.csv").write_text(text.replace(old, new, 1))

    def everything() -> None:
        read = open_test_set("siim-acr", download, "all")
        for item in read.items:
            read.mask(item, "pneumothorax")

    assert message in refused(everything)


def test_films_of_another_size(
    download: Path, monkeypatch: pytest.MonkeyPatch, refused: Callable[..., str]
) -> None:
    monkeypatch.setattr(siim, "SIDE", 1024)
    read = open_test_set("siim-acr", download, "all")
    said = refused(read.mask, read.items[1], "pneumothorax")
    assert "is 64×64, its mask 1024×1024" in said and "row 5: " in said


def test_a_missing_film_is_never_dropped(download: Path, refused: Callable[..., str]) -> None:
    next((download / "dicom-images-train").rglob(f"{film(3)}.dcm")).unlink()
    assert f"film {film(3)} not found" in refused(open_test_set, "siim-acr", download, "all")
