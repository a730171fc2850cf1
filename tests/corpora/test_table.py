from __future__ import annotations

from pathlib import Path

import pytest

from syncxr.corpora import table
from syncxr.corpora.report import Report
from syncxr.errors import SyncxrError


def written(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def test_a_csv_with_sections(tmp_path: Path) -> None:
    text = 'id,findings,impression\na,"No effusion, no edema.",Normal.\nb,,Cardiomegaly.\nc,,\n'
    path = written(tmp_path / "r.csv", text)
    assert list(table.read_reports(path)) == [
        Report("a", "No effusion, no edema.", "Normal."),
        Report("b", "", "Cardiomegaly."),
    ]


def test_a_csv_with_text_alone_is_named_by_row(tmp_path: Path) -> None:
    path = written(tmp_path / "r.csv", "\ufefftext\nNo effusion.\nEdema.\n")
    assert list(table.read_reports(path)) == [Report("2", "No effusion."), Report("3", "Edema.")]


def test_a_folder_is_searched_in_order(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    written(tmp_path / "b" / "1.txt", "Edema.\n")
    written(tmp_path / "a.txt", "No effusion.")
    written(tmp_path / "empty.txt", " \n")
    written(tmp_path / "notes.md", "ignored")
    assert list(table.read_reports(tmp_path)) == [
        Report("a", "No effusion."),
        Report("b/1", "Edema."),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("report\nEdema.\n", "needs a column 'text'"),
        ("", "needs a column 'text'"),
        ("id,text\n,Edema.\n", "row 2: the column 'id' is empty"),
        ("id,text\na,Edema.\na,Effusion.\n", "row 3: id 'a' stands already in"),
        ("id,text\na,No edema, no effusion.\n", "row 2 has more cells than the header"),
        ("text\n", "holds no report"),
        ('text\n"Edema.\n', "not a readable CSV"),
    ],
)
def test_faults_are_named_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path / "r.csv", text)
    with pytest.raises(SyncxrError, match="r.csv") as raised:
        list(table.read_reports(path))
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_other_encodings_and_absent_paths_are_refused(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_bytes(b"text\nEd\xe9ma.\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "r.txt").write_bytes(b"Ed\xe9ma.\n")
    for path in (tmp_path / "r.csv", tmp_path / "folder"):
        with pytest.raises(SyncxrError, match="not UTF-8"):
            list(table.read_reports(path))
    with pytest.raises(SyncxrError, match="does not exist"):
        list(table.read_reports(tmp_path / "absent"))
