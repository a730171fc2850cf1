"""Any folder: films and, by a CSV or by equal file names, their reports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from syncxr.corpora import table
from syncxr.corpora.films import SUFFIXES
from syncxr.corpora.report import Report
from syncxr.corpora.study import FilmFile, Study, sections_of
from syncxr.errors import SyncxrError

COLUMNS = f"{table.COLUMNS}; 'image', 'patient', 'view' and 'split' may, too"


class TablePairs:
    """A CSV, a row a study; its column ``image`` names films below a folder.

    Args:
        csv_file: Columns as :func:`syncxr.corpora.table.read_reports` reads them, with ``image``
            (several divided by ``;``), ``patient``, ``view`` and ``split`` where they are known.
        folder: What ``image`` is relative to; by default the CSV's own folder. Films in it that no
            row names are told.
    """

    terms = table.TERMS

    def __init__(self, csv_file: Path, folder: Path | None = None) -> None:
        self._csv = csv_file
        self._folder = folder or csv_file.parent
        self.name = csv_file.name
        columns = table.columns(csv_file)
        self.has_films = "image" in columns
        self.has_reports = bool(columns & table.TEXTS)
        if not (self.has_films or self.has_reports):
            raise SyncxrError(
                f"{csv_file} has the columns {', '.join(sorted(columns)) or 'none'}; it needs "
                f"{COLUMNS}"
            )

    def studies(self) -> Iterator[Study]:
        """The rows in order, then the films that none of them names."""
        named: set[str] = set()
        seen: dict[str, int] = {}
        for number, row in table.rows(self._csv):
            name = table.name_of(row, self._csv, number)
            if name in seen:
                raise SyncxrError(
                    f"{self._csv}, row {number}: id {name!r} stands already in row {seen[name]}; "
                    "make ids unique"
                )
            seen[name] = number
            films = [_relative(part) for part in row.get("image", "").split(";") if part.strip()]
            named.update(films)
            yield self._study(name, row, films)
        if self.has_films:
            yield from (s for s in _films_alone(self._folder) if s.films[0].id not in named)

    def identity(self) -> dict[str, Any]:
        """The two paths, and the CSV's size."""
        return {
            "corpus": "table",
            "csv": str(self._csv.resolve()),
            "bytes": self._csv.stat().st_size,
            "folder": str(self._folder.resolve()),
        }

    def _study(self, name: str, row: Mapping[str, str], films: list[str]) -> Study:
        text = row.get("text") or row.get("findings", "")
        report = Report(name, text, row.get("impression", ""))
        there = [film for film in films if (self._folder / film).is_file()]
        view = row.get("view", "")
        return Study(
            id=name,
            report=report if report.text else None,
            films=tuple(FilmFile(self._folder / film, film, view) for film in there),
            patient=row.get("patient", ""),
            split=row.get("split", ""),
            sections=_named_sections(report, row),
            absent=tuple(film for film in films if film not in there),
        )


class FolderPairs:
    """A folder of films and ``.txt`` reports; what has the same name but for its ending is a pair.

    Args:
        folder: Searched in its subfolders, too.
    """

    terms = table.TERMS

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.name = folder.resolve().name
        suffixes = {path.suffix.lower() for path in _walk(folder)}
        self.has_films = not suffixes.isdisjoint(SUFFIXES)
        self.has_reports = ".txt" in suffixes
        if not (self.has_films or self.has_reports):
            raise SyncxrError(
                f"{folder} holds neither films ({', '.join(sorted(SUFFIXES))}) nor .txt reports"
            )

    def studies(self) -> Iterator[Study]:
        """In the order of their names."""
        group: list[Path] = []
        for path in _walk(self._folder):
            if group and group[0].with_suffix("") != path.with_suffix(""):
                yield self._study(group)
                group = []
            group.append(path)
        if group:
            yield self._study(group)

    def identity(self) -> dict[str, Any]:
        """The path."""
        return {"corpus": "folder", "folder": str(self._folder.resolve())}

    def _study(self, paths: list[Path]) -> Study:
        name = paths[0].relative_to(self._folder).with_suffix("").as_posix()
        texts = [table.read_text(path) for path in paths if path.suffix.lower() == ".txt"]
        films = [path for path in paths if path.suffix.lower() != ".txt"]
        report = Report(name, texts[0]) if texts and texts[0] else None
        return Study(
            id=name,
            report=report,
            films=tuple(FilmFile(p, p.relative_to(self._folder).as_posix()) for p in films),
            sections=frozenset(("text",)) if report else frozenset(),
        )


def _walk(folder: Path) -> Iterator[Path]:
    """Films and texts, a folder at a time, so that a large tree does not have to be in memory.

    Files are sorted by their name without ending: what belongs together follows one another.
    """
    entries = sorted(folder.iterdir(), key=lambda path: (path.with_suffix("").name, path.name))
    for path in entries:
        if path.suffix.lower() in SUFFIXES | {".txt"} and path.is_file():
            yield path
    for path in entries:
        if path.is_dir() and not path.name.startswith("."):
            yield from _walk(path)


def _films_alone(folder: Path) -> Iterator[Study]:
    for path in _walk(folder):
        if path.suffix.lower() in SUFFIXES:
            name = path.relative_to(folder).as_posix()
            yield Study(id=name, films=(FilmFile(path, name),), unlisted=(name,))


def _named_sections(report: Report, row: Mapping[str, str]) -> frozenset[str]:
    """A column ``text`` has no sections to miss."""
    return frozenset(("text",)) if row.get("text") else sections_of(report)


def _relative(text: str) -> str:
    return PurePosixPath(text.strip()).as_posix()
