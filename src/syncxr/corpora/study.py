"""A study of a corpus: one report and its films, either of which may be missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from syncxr.corpora.report import Report
from syncxr.corpora.terms import Terms

FINDINGS, IMPRESSION, LAST_PARAGRAPH = "findings", "impression", "last paragraph"
"""Sections that a report may have; the last paragraph stands in where neither other is there."""


@dataclass(frozen=True)
class FilmFile:
    """One film on disk, unread.

    Attributes:
        path: The file.
        id: Name that is unique within its corpus: the path below the corpus's folder.
        view: View as the corpus names it ("PA", "AP", "LATERAL"), ``""`` where it does not.
    """

    path: Path
    id: str
    view: str = ""


@dataclass(frozen=True)
class Study:
    """One examination.

    Attributes:
        id: Name that is unique within its corpus.
        report: Its report, ``None`` where there is none.
        films: Its films that are there.
        patient: Whom it is of; ``""`` where the corpus does not say.
        split: Part of the corpus's own division (``"train"``), or ``""``.
        sections: Sections that its report has.
        absent: Films that the corpus lists and that are not there, by id.
        unlisted: Of ``films``, the ids of those that the corpus does not list.
    """

    id: str
    report: Report | None = None
    films: tuple[FilmFile, ...] = ()
    patient: str = ""
    split: str = ""
    sections: frozenset[str] = frozenset()
    absent: tuple[str, ...] = ()
    unlisted: tuple[str, ...] = field(default=())


class Corpus(Protocol):
    """Reports with films, read study by study.

    Attributes:
        name: For people, and for the record.
        terms: Under what terms it may be used.
        has_reports: Whether it is a corpus with reports; a folder of films alone is not.
        has_films: Whether films belong to it.
    """

    name: str
    terms: Terms
    has_reports: bool
    has_films: bool

    def studies(self) -> Iterator[Study]:
        """Every study once, in an order that does not change while the files do not.

        Raises:
            SyncxrError: A file that the corpus needs is missing or damaged.
        """
        ...

    def identity(self) -> dict[str, Any]:
        """What tells this corpus from another, JSON values; no file is read for it."""
        ...


def sections_of(report: Report | None) -> frozenset[str]:
    """FINDINGS and IMPRESSION, as far as a report has them."""
    if report is None:
        return frozenset()
    named = {FINDINGS: report.findings, IMPRESSION: report.impression}
    return frozenset(name for name, text in named.items() if text.strip())
