"""Rows of label tables with their numbers, and what is said of a bad cell."""

from __future__ import annotations

import csv
import gzip
import io
import math
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from syncxr.errors import SyncxrError

_UNLABELLED = {"", "nan", "na", "n/a", "none"}


def read_rows(
    table: Path,
    needed: Sequence[str],
    header: Sequence[str] | None = None,
    separator: str = ",",
    *,
    only: bool = False,
) -> Iterator[tuple[str, dict[str, str]]]:
    """Rows of a table with where they stand, for messages.

    Args:
        table: CSV in UTF-8; may be packed as ``.gz`` or ``.zip``.
        needed: Columns that must be there.
        header: Column names of a table without a header.
        separator: Between cells.
        only: Give the needed columns alone, which is quicker in wide tables.

    Yields:
        ``"TABLE, row N"`` (N as an editor counts lines) and the cells by column name; a column
        whose name is empty is left out.

    Raises:
        SyncxrError: The table is missing, is no such table, or lacks columns or cells.
    """
    with _reading(table) as stream:
        reader = csv.reader(stream, delimiter=separator)
        names = list(header) if header else next(reader, [])
        _require(table, names, needed)
        kept = [(n, at) for at, n in enumerate(names) if n and (n in needed or not only)]
        for cells in reader:
            where = f"{table}, row {reader.line_num}"
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) < len(names) or any(cells[len(names) :]):
                raise SyncxrError(
                    f"{where} has {len(cells)} cells where {len(names)} are expected; "
                    "mend its quoting"
                )
            yield where, {name: cells[at] for name, at in kept}


def read_columns(table: Path, needed: Iterable[str] = ()) -> tuple[str, ...]:
    """Names of a table's columns, checked before another reader takes it.

    Raises:
        SyncxrError: The table is missing, is no such table, or lacks a column.
    """
    with _reading(table) as stream:
        names = next(csv.reader(stream), [])
    _require(table, names, needed)
    return tuple(name for name in names if name)


def read_lines(table: Path) -> list[str]:
    """Lines of a list of names, without empty ones.

    Raises:
        SyncxrError: The list is missing, empty or not UTF-8.
    """
    try:
        lines = [line.strip() for line in table.read_text("utf-8-sig").splitlines()]
    except FileNotFoundError as error:
        raise SyncxrError(f"{table} is missing; `syncxr datasets` shows the layout") from error
    except UnicodeDecodeError as error:
        raise SyncxrError(f"{table} is not text in UTF-8 ({error}); fetch it again") from error
    except OSError as error:
        raise SyncxrError(f"{table} cannot be read: {error.strerror}") from error
    if not any(lines):
        raise SyncxrError(f"{table} is empty; fetch it again")
    return [line for line in lines if line]


def label_value(cell: str, where: str, column: str, uncertain: Mapping[str, float] = {}) -> float:
    """1, 0 or NaN out of a cell.

    Args:
        cell: Its text; blank and ``nan`` are unlabelled.
        where: Table and row.
        column: Name of the column.
        uncertain: Further values that the set uses, with what they mean.

    Raises:
        SyncxrError: The cell holds anything else.
    """
    text = cell.strip().lower()
    if text in _UNLABELLED:
        return math.nan
    try:
        value = float(text)
    except ValueError:
        value = math.inf
    if value in (0.0, 1.0):
        return value
    for known, meaning in uncertain.items():
        if value == float(known):
            return meaning
    also = "".join(f", {known}" for known in uncertain)
    raise SyncxrError(
        f"{where}: {column!r} is {cell.strip()!r}; a label is 1, 0{also} or blank (unlabelled)"
    )


def _require(table: Path, names: Sequence[str], needed: Iterable[str]) -> None:
    missing = [name for name in needed if name not in names]
    if missing:
        raise SyncxrError(
            f"{table} lacks the column {_quoted(missing)}; it has {_quoted(names) or 'none'}; "
            "give the table as it was published"
        )


@contextmanager
def _reading(table: Path) -> Iterator[TextIO]:
    """A table's text, and what goes wrong with it in one line."""
    try:
        with _open(table) as stream:
            yield stream
    except FileNotFoundError as error:
        raise SyncxrError(f"{table} is missing; `syncxr datasets` shows the layout") from error
    except (UnicodeDecodeError, csv.Error, zipfile.BadZipFile, gzip.BadGzipFile) as error:
        raise SyncxrError(f"{table} is not a CSV in UTF-8 ({error}); save it as one") from error
    except OSError as error:
        raise SyncxrError(f"{table} cannot be read: {error.strerror}") from error


def _open(table: Path) -> TextIO:
    if table.suffix == ".gz":
        return gzip.open(table, "rt", encoding="utf-8-sig", newline="")
    if table.suffix == ".zip":
        with zipfile.ZipFile(table) as archive:
            names = [name for name in archive.namelist() if name.endswith(".csv")]
            if len(names) != 1:
                raise SyncxrError(f"{table} holds {len(names)} CSV files; unpack the right one")
            return io.StringIO(archive.read(names[0]).decode("utf-8-sig"), newline="")
    return table.open(newline="", encoding="utf-8-sig")


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(repr(name) if name != name.strip() else name for name in names)
