"""A CSV of one's own, a row a report, with its films in a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from syncxr.corpora import table
from syncxr.corpora.terms import Terms
from syncxr.errors import SyncxrError
from syncxr.pretraining.data.entry import Entry, Rejected
from syncxr.pretraining.data.sources.rules import LATERAL, is_frontal
from syncxr.pretraining.data.sources.state import file_state

COLUMNS = "image, and text or findings and impression; id, patient, view and split may be there"

_SPLITS = {"train": "train", "valid": "validate", "val": "validate", "validate": "validate"}
"""What the column ``split`` may say for the two sides; everything else is left out."""


class OwnTable:
    """Rows of a CSV and the films that they name.

    Args:
        csv_file: Columns ``image`` (several divided by ``;``) and ``text``, or ``findings`` and
            ``impression``; ``id`` (by default the film's name), ``patient``, ``view`` and
            ``split`` where they are known.
        images: What ``image`` is relative to; by default the CSV's own folder.

    Raises:
        SyncxrError: The file cannot be read or lacks a column.
    """

    terms: Terms | None = table.TERMS

    def __init__(self, csv_file: Path, images: Path | None = None) -> None:
        self.name = str(csv_file)
        self._csv, self._images = csv_file, images or csv_file.parent
        columns = table.columns(csv_file)
        if "image" not in columns or not columns & table.TEXTS:
            found = ", ".join(sorted(columns)) or "(none)"
            raise SyncxrError(f"{csv_file} has the columns {found}; needed: {COLUMNS}")
        if not self._images.is_dir():
            raise SyncxrError(f"{self._images} is no folder; give the folder of the films")
        self.total: int | None = sum(max(1, len(_films(row))) for _, row in table.rows(csv_file))

    def state(self) -> dict[str, Any]:
        """Hash of the CSV; sizes and times of the films that it names."""
        films = hashlib.sha256()
        for _, row in table.rows(self._csv):
            for film in _films(row):
                films.update(f"{film}\0{file_state(self._images / film)}\n".encode())
        return {
            "csv": hashlib.sha256(self._csv.read_bytes()).hexdigest(),
            "images": str(self._images.resolve()),
            "films": films.hexdigest(),
        }

    def entries(self, start: int = 0) -> Iterator[Entry | Rejected]:
        """Row by row."""
        yield from islice(self._entries(), start, None)

    def _entries(self) -> Iterator[Entry | Rejected]:
        for number, row in table.rows(self._csv):
            where = f"{self._csv}, row {number}"
            films = _films(row)
            name = row.get("id") or row["image"] or where
            findings, impression = _texts(row)
            if not films:
                yield Rejected(name, f"{where}: no image; fill it in or drop the row")
            for film in films:
                id = name if len(films) == 1 else f"{name} {film}"
                if not (findings or impression):
                    yield Rejected(id, f"{where}: no text; fill it in or drop the row")
                elif rule := _left_out(row):
                    yield Rejected(id, rule, corrupt=False)
                else:
                    yield Entry(
                        id,
                        self._images / film,
                        findings,
                        impression,
                        row.get("patient") or name,
                        _SPLITS.get(row.get("split", "").lower(), ""),
                        where,
                    )


def _films(row: Mapping[str, str]) -> list[str]:
    return [name.strip() for name in row["image"].split(";") if name.strip()]


def _texts(row: Mapping[str, str]) -> tuple[str, str]:
    """FINDINGS and IMPRESSION; a column ``text`` is taken as one of them."""
    return row.get("findings", ""), row.get("impression") or row.get("text") or ""


def _left_out(row: Mapping[str, str]) -> str:
    """The rule by which a row is left out, or ``""``."""
    split, view = row.get("split", ""), row.get("view", "")
    if split and split.lower() not in _SPLITS:
        return f"split {split}"
    return LATERAL if view and not is_frontal(view) else ""
