"""A user's own reports: a CSV, or a folder of text files.

Terms of use are the user's; nothing is copied or kept.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from syncxr.corpora.report import Report
from syncxr.corpora.terms import Terms
from syncxr.errors import SyncxrError

TERMS = Terms(
    source="the user's own reports and films",
    licence="as the user holds them",
    note="Counts of entities are written; no report text is. What may leave the house is not for "
    "this software to guess, so nothing does unless its host is trusted by name.",
    stays_home=True,
)

TEXTS = frozenset(("text", "findings", "impression"))
"""Columns that hold words of a report."""

COLUMNS = "a column 'text', or 'findings' and/or 'impression'; 'id' may stand beside them"


def read_reports(path: Path) -> Iterator[Report]:
    """All reports of a CSV or of a folder with ``.txt`` files, searched in its subfolders too.

    A CSV needs a column ``text``, or ``findings`` and/or ``impression``; without a column ``id`` a
    report is named after its row, the header being row 1. A text file is named after its path in
    the folder, without the ending.

    Raises:
        SyncxrError: The path is absent, unreadable, not UTF-8, lacks its columns, holds no report
            or two of one name; the message names file, row and remedy.
    """
    if path.is_dir():
        reports = _read_folder(path)
    elif path.is_file():
        reports = _read_csv(path)
    else:
        raise SyncxrError(f"{path} does not exist; give a CSV or a folder of .txt files")
    seen: dict[str, str] = {}
    for where, report in reports:
        if report.id in seen:
            raise SyncxrError(
                f"{where}: id {report.id!r} stands already in {seen[report.id]}; make ids unique"
            )
        seen[report.id] = where
        yield report
    if not seen:
        raise SyncxrError(f"{path} holds no report; give rows with text or .txt files")


def read_text(path: Path) -> str:
    """A text file, without white space around it.

    Raises:
        SyncxrError: It cannot be read or is not UTF-8.
    """
    try:
        return path.read_text("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise SyncxrError(f"{path} is not UTF-8 text ({error.reason}); convert it") from error
    except OSError as error:
        raise SyncxrError(f"{path} cannot be read ({error.strerror})") from error


def columns(path: Path) -> set[str]:
    """Names in the first line of a CSV.

    Raises:
        SyncxrError: As :func:`rows`.
    """
    with _opened(path) as reader:
        return set(reader.fieldnames or ())


def rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows of a CSV with their numbers, the header being row 1; white space is cut off.

    Raises:
        SyncxrError: The file is unreadable, not UTF-8 or no CSV, or a row has too many cells.
    """
    with _opened(path) as reader:
        for number, row in enumerate(reader, start=2):
            if None in row:
                raise SyncxrError(
                    f"{path}, row {number} has more cells than the header; quote commas in the text"
                )
            yield number, {name: (value or "").strip() for name, value in row.items()}


def name_of(row: Mapping[str, str], path: Path, number: int) -> str:
    """The column ``id``; without one, the number of the row.

    Raises:
        SyncxrError: The column is there and empty.
    """
    if "id" not in row:
        return str(number)
    if not row["id"]:
        raise SyncxrError(
            f"{path}, row {number}: the column 'id' is empty; give every report a name"
        )
    return row["id"]


def _read_folder(folder: Path) -> Iterator[tuple[str, Report]]:
    for path in sorted(folder.rglob("*.txt")):
        name = path.relative_to(folder).with_suffix("").as_posix()
        if text := read_text(path):
            yield str(path), Report(name, text)


def _read_csv(path: Path) -> Iterator[tuple[str, Report]]:
    named = columns(path)
    if not named & TEXTS:
        found = ", ".join(sorted(named)) or "none"
        raise SyncxrError(f"{path} has the columns {found}; it needs {COLUMNS}")
    for number, row in rows(path):
        text = row.get("text") or row.get("findings", "")
        report = Report(name_of(row, path, number), text, row.get("impression", ""))
        if report.text:
            yield f"{path}, row {number}", report


@contextmanager
def _opened(path: Path) -> Iterator[csv.DictReader[str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            yield csv.DictReader(stream, strict=True)
    except UnicodeDecodeError as error:
        raise SyncxrError(f"{path} is not UTF-8 text ({error.reason}); convert it") from error
    except csv.Error as error:
        raise SyncxrError(f"{path} is not a readable CSV ({error}); mend its quoting") from error
    except OSError as error:
        raise SyncxrError(f"{path} cannot be read ({error.strerror})") from error
