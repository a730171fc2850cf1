"""What is taken from torchxrayvision, and what is said without it."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from syncxr.evaluation.testsets import xrv


@pytest.mark.parametrize(
    "name",
    [
        "Data_Entry_2017_v2020.csv.gz",
        "BBox_List_2017.csv.gz",
        "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv.gz",
        "kaggle_stage_2_train_labels.csv.zip",
        "siim-pneumothorax-train-rle.csv.gz",
    ],
)
def test_its_label_files(name: str) -> None:
    assert xrv.label_file(name).stat().st_size > 10_000


def test_without_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: Callable[..., str]
) -> None:
    monkeypatch.setattr(xrv, "find_spec", lambda name: None)
    said = refused(xrv.label_file, "BBox_List_2017.csv.gz")
    assert "pip install 'syncxr[evaluation]'" in said
    monkeypatch.setitem(sys.modules, "torchxrayvision", None)
    said = refused(xrv.label_dataset, "NIH_Dataset", tmp_path / "t.csv")
    assert "needs the package 'torchxrayvision'" in said


def test_what_it_does_not_understand_is_one_line(
    tmp_path: Path, refused: Callable[..., str]
) -> None:
    table = tmp_path / "t.csv"
    table.write_text("a,b\n1,2\n")
    state = np.random.get_state()[1].copy()
    said = refused(
        lambda: xrv.label_dataset(
            "RSNA_Pneumonia_Dataset", table, imgpath=str(tmp_path), csvpath=str(table)
        )
    )
    assert said.startswith(f"{table} is not the table as it was published (KeyError")
    assert np.array_equal(np.random.get_state()[1], state)
