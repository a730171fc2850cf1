"""What is there, what is missing, the first wrong file, and counts against the published ones."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from film_files import pixels, save

from syncxr.evaluation.testsets import rsna
from syncxr.evaluation.testsets.checking import check


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = ["file,patient,labels,mask"]
    for index in range(20):
        save(tmp_path / f"{index}.png", pixels(index))
        save(tmp_path / f"m{index}.png", (pixels(index) > 9) & (index % 2 == 1))
        rows.append(f"{index}.png,{index // 2},{'Mass' if index % 2 else ''},m{index}.png")
    (tmp_path / "labels.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def test_a_good_one(folder: Path) -> None:
    found = check("folder", folder)
    assert found.complete and found.opened == 20 and not found.first_wrong
    assert {split.split: split.films for split in found.splits} == {
        "all": 20,
        "train": 12,
        "valid": 4,
        "test": 4,
    }
    assert found.splits[0].positives == {"mass": 10} and found.splits[0].by_patient
    assert found.leaks == {"train and valid": 0, "test and train": 0, "test and valid": 0}
    assert found.parts[0].files == 1
    json.dumps(found.to_dict(), allow_nan=False)


def test_the_first_wrong_file_is_named(folder: Path) -> None:
    (folder / "3.png").write_bytes(b"broken")
    (folder / "8.png").write_bytes(b"broken")
    save(folder / "m1.png", np.ones((5, 5), np.uint8))
    found = check("folder", folder, films=None)
    assert found.wrong == 3 and not found.complete
    assert "row 3: mask" in found.first_wrong and "is 5×5, its film 64×64" in found.first_wrong
    assert check("folder", folder, films=1).opened < 20


def test_splits_that_do_not_open(tmp_path: Path) -> None:
    (tmp_path / rsna.MAPPING).write_text("[]")
    found = check("rsna", tmp_path)
    assert all("more films not found below" in split.error for split in found.splits)
    assert found.first_wrong == found.splits[0].error
    assert next((part.what, part.files) for part in found.parts) == ("films", 0)
    assert found.parts[1].instead == "torchxrayvision's copy"
    assert [count.found for count in found.counts] == [None, None, None]


def test_unknown(tmp_path: Path, refused: Callable[..., str]) -> None:
    assert "is unknown" in refused(check, "mimic", tmp_path)
    assert "syncxr datasets show rsna" in refused(check, "rsna", tmp_path / "no")
