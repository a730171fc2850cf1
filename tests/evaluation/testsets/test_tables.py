"""Rows of tables, and one line for each fault."""

import gzip
import math
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from syncxr.evaluation.testsets.tables import (
    label_value,
    read_columns,
    read_lines,
    read_rows,
)


def test_rows_know_where_they_stand(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text('\ufefffile, EncodedPixels,\na.png,"1\n2",\n\nb.png,-1,\n', "utf-8")
    rows = list(read_rows(table, ["file"]))
    assert [row for _, row in rows] == [
        {"file": "a.png", " EncodedPixels": "1\n2"},
        {"file": "b.png", " EncodedPixels": "-1"},
    ]
    assert [where for where, _ in rows] == [f"{table}, row 3", f"{table}, row 5"]
    assert read_columns(table, ["file"]) == ("file", " EncodedPixels")


def test_packed_tables(tmp_path: Path) -> None:
    text = "a,b\n1,2\n"
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(text.encode()))
    with zipfile.ZipFile(tmp_path / "t.csv.zip", "w") as archive:
        archive.writestr("t.csv", text)
    for name in ("t.csv.gz", "t.csv.zip"):
        assert [row for _, row in read_rows(tmp_path / name, ())] == [{"a": "1", "b": "2"}]


def test_tables_without_a_header(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("1 a.png positive x\n")
    rows = list(read_rows(tmp_path / "t.txt", (), ("p", "f", "l", "s"), " "))
    assert rows == [
        (f"{tmp_path / 't.txt'}, row 1", {"p": "1", "f": "a.png", "l": "positive", "s": "x"})
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a,b\n1,2\n", "lacks the column file; it has a, b"),
        (b"", "lacks the column file; it has none"),
        (b"file,b\n1\n", "row 2 has 1 cells where 2 are expected"),
        (b"file,b\n1,2,3\n", "row 2 has 3 cells where 2 are expected"),
        (b"file\n\xff\xfe\n", "not a CSV in UTF-8"),
    ],
)
def test_bad_tables(
    tmp_path: Path, content: bytes, message: str, refused: Callable[..., str]
) -> None:
    table = tmp_path / "t.csv"
    table.write_bytes(content)
    assert message in refused(lambda: list(read_rows(table, ["file"])))


def test_missing_and_broken_files(tmp_path: Path, refused: Callable[..., str]) -> None:
    assert "is missing" in refused(lambda: list(read_rows(tmp_path / "no.csv", ())))
    assert "is missing" in refused(read_lines, tmp_path / "no.txt")
    (tmp_path / "no.csv.gz").write_bytes(b"plain")
    assert "not a CSV" in refused(lambda: list(read_rows(tmp_path / "no.csv.gz", ())))
    (tmp_path / "empty.txt").write_text("\n \n")
    assert "is empty" in refused(read_lines, tmp_path / "empty.txt")
    (tmp_path / "header.csv").write_text("file\n")
    assert read_columns(tmp_path / "header.csv", ["file"]) == ("file",)
    assert "lacks the column view" in refused(read_columns, tmp_path / "header.csv", ["view"])


@pytest.mark.parametrize(("cell", "value"), [("1", 1), ("0.0", 0), (" 1.0 ", 1), ("0", 0)])
def test_labels(cell: str, value: float) -> None:
    assert label_value(cell, "row", "mass") == value


@pytest.mark.parametrize("cell", ["", " ", "nan", "NaN", "NA"])
def test_unlabelled(cell: str) -> None:
    assert math.isnan(label_value(cell, "row", "mass"))


@pytest.mark.parametrize("cell", ["2", "-1", "yes", "0.5", "inf"])
def test_labels_outside(cell: str, refused: Callable[..., str]) -> None:
    said = refused(label_value, cell, "labels.csv, row 9", "mass")
    assert said.startswith(f"labels.csv, row 9: 'mass' is {cell!r}; a label is 1, 0 or blank")


def test_uncertain_where_the_set_has_it() -> None:
    assert label_value("-1.0", "row", "mass", {"-1": -1.0}) == -1.0
