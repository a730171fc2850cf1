"""`syncxr datasets`: what a user reads before and after a download."""

import json
import sys
from pathlib import Path

import pytest
from film_files import pixels, save

from syncxr.cli import main
from syncxr.evaluation.testsets import TEST_SETS


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> str | int | None:
    monkeypatch.setattr(sys, "argv", ["syncxr", "datasets", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        main()
    return caught.value.code


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = ["file,patient,labels"]
    for index in range(10):
        save(tmp_path / f"{index}.png", pixels(index))
        rows.append(f"{index}.png,{index},{'Mass' if index % 2 else ''}")
    (tmp_path / "labels.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def test_the_list(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in TEST_SETS)
    for word in ("licence", "get it", "layout", "source", "published"):
        assert word in text
    assert max(map(len, text.splitlines())) <= 80


def test_the_list_as_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--json", "-") == 0
    sets = json.loads(capsys.readouterr().out)
    assert [entry["name"] for entry in sets] == list(TEST_SETS)
    broken = next(entry for entry in sets if entry["name"] == "padchest-rare")["known_broken"]
    assert len(broken) == 21


def test_one_set(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "show", "siim-acr") == 0
    assert "dicom-images-train" in capsys.readouterr().out
    code = run(monkeypatch, "show", "mimic")
    assert isinstance(code, str) and code.startswith("error: test set 'mimic' is unknown; known: ")


def test_a_check(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    assert run(monkeypatch, "check", "folder", folder) == 0
    text = capsys.readouterr().out
    assert "10 films opened" in text and "0 in both train and valid" in text
    (folder / "4.png").write_bytes(b"broken")
    assert run(monkeypatch, "check", "folder", folder, "--all", "--json", "-") == 1
    found = json.loads(capsys.readouterr().out)
    assert found["wrong"] == 1 and "row 6: " in found["first_wrong"]
    assert found["splits"][0]["positives"] == {"mass": 5}


def test_empty_classes_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    rows = "".join(f"{n}.png,{n % 2},0,\n" for n in range(10))
    (folder / "labels.csv").write_text(f"file,mass,edema,hernia\n{rows}")
    assert run(monkeypatch, "check", "folder", folder) == 0
    text = capsys.readouterr().out
    assert "all: no film is positive for edema, hiatal hernia" in text


def test_a_check_of_what_is_not_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "stage_2_detailed_class_info.csv").write_text("")
    assert run(monkeypatch, "check", "rsna", tmp_path) == 1
    text = capsys.readouterr().out
    assert "first fault" in text and "expected: stage_2_train_images/*.dcm" in text
    assert "26,684" in text and "does not open" in text
    code = run(monkeypatch, "check", "rsna", tmp_path / "no")
    assert isinstance(code, str) and "syncxr datasets show rsna" in code


@pytest.mark.parametrize("name", [name for name in TEST_SETS if name != "folder"])
def test_a_check_of_a_wrong_folder_is_one_line(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """What was expected where, what is there, and what to do; no fault a split."""
    (tmp_path / "thesis.docx").write_text("")
    (tmp_path / "holiday").mkdir()
    told = run(monkeypatch, "check", name, tmp_path)
    assert isinstance(told, str) and told.startswith(f"error: {tmp_path} holds nothing of {name}; ")
    assert "expected in it: " in told and "found: holiday/, thesis.docx; " in told
    assert f"syncxr datasets show {name}" in told and capsys.readouterr().out == ""
    told = run(monkeypatch, "check", name, tmp_path / "thesis.docx")
    assert isinstance(told, str) and "is a file; give the folder" in told


def test_a_check_of_the_folder_above(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "kaggle/stage_2_train_images").mkdir(parents=True)
    (tmp_path / "kaggle/stage_2_train_images/a.dcm").write_bytes(b"")
    told = run(monkeypatch, "check", "rsna", tmp_path)
    assert isinstance(told, str) and f"lies in {tmp_path / 'kaggle'}: give that folder" in told


def test_a_check_of_a_folder_without_its_table(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told = run(monkeypatch, "check", "folder", tmp_path)
    assert isinstance(told, str) and "expected in it: labels.csv (table)" in told
    assert "found: nothing at all" in told


def test_patients_that_must_leave_a_training_set(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    assert run(monkeypatch, "patients", "folder", folder) == 0
    assert capsys.readouterr().out.split() == [str(patient) for patient in range(10)]
    assert run(monkeypatch, "patients", "folder", folder, "--split", "test") == 0
    assert len(capsys.readouterr().out.split()) == 2
