"""A user's own reports: a CSV, or a folder of text files.

Terms of use are the user's; nothing is copied or kept.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from syncxr.corpora.report import Report
from syncxr.corpora.terms import Terms
from syncxr.errors import SyncxrError

TERMS = Terms(
    source="the user's own reports",
    licence="as the user holds them",
    note="Counts of entities are written; no report text is. What may leave the house is not for "
    "this software to guess, so nothing does unless its host is trusted by name.",
    stays_home=True,
)

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


def _read_folder(folder: Path) -> Iterator[tuple[str, Report]]:
    for path in sorted(folder.rglob("*.txt")):
        name = path.relative_to(folder).with_suffix("").as_posix()
        try:
            text = path.read_text("utf-8-sig").strip()
        except UnicodeDecodeError as error:
            raise SyncxrError(f"{path} is not UTF-8 text ({error.reason}); convert it") from error
        except OSError as error:
            raise SyncxrError(f"{path} cannot be read ({error.strerror})") from error
        if text:
            yield str(path), Report(name, text)


def _read_csv(path: Path) -> Iterator[tuple[str, Report]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            rows = csv.DictReader(stream, strict=True)
            columns = set(rows.fieldnames or ())
            if not columns & {"text", "findings", "impression"}:
                found = ", ".join(rows.fieldnames or ()) or "none"
                raise SyncxrError(f"{path} has the columns {found}; it needs {COLUMNS}")
            for number, row in enumerate(rows, start=2):
                yield from _parse(row, path, number)
    except UnicodeDecodeError as error:
        raise SyncxrError(f"{path} is not UTF-8 text ({error.reason}); convert it") from error
    except csv.Error as error:
        raise SyncxrError(f"{path} is not a readable CSV ({error}); mend its quoting") from error
    except OSError as error:
        raise SyncxrError(f"{path} cannot be read ({error.strerror})") from error


def _parse(row: dict[str, str | None], path: Path, number: int) -> Iterator[tuple[str, Report]]:
    """The report of one row; none where its text is empty."""
    where = f"{path}, row {number}"
    if None in row:
        raise SyncxrError(f"{where} has more cells than the header; quote commas in the text")
    cells = {name: (value or "").strip() for name, value in row.items()}
    name = cells.get("id", "") if "id" in cells else str(number)
    if not name:
        raise SyncxrError(f"{where}: the column 'id' is empty; give every report a name")
    report = Report(
        name, cells.get("text") or cells.get("findings", ""), cells.get("impression", "")
    )
    if report.text:
        yield where, report
