"""What lacks its other half: counted, and listed file by file."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import TextIO

from syncxr.corpora.study import FINDINGS, IMPRESSION, LAST_PARAGRAPH, Corpus, Study
from syncxr.factory.audit.summary import StudySummary

NAME = "unpaired.csv"


class Pairing:
    """Looks at studies as they go by.

    Args:
        corpus: Of which they are: what a corpus does not have at all is not missing.
        stream: CSV to write what is wrong to.
    """

    def __init__(self, corpus: Corpus, stream: TextIO) -> None:
        self._corpus = corpus
        self._rows = csv.writer(stream)
        self._rows.writerow(["study", "patient", "what", "file"])
        self._counts: Counter[str] = Counter()
        self._sections: Counter[str] = Counter()

    def add(self, study: Study) -> None:
        """One study."""
        counts = self._counts
        counts["studies"] += 1
        counts["films"] += len(study.films)
        if study.report is not None:
            self._report(study)
        if self._corpus.has_films and study.report is not None and not study.films:
            self._tell(study, "report without film")
        if self._corpus.has_reports and study.report is None:
            for film in study.films:
                self._tell(study, "film without report", film.id)
        for name in study.absent:
            self._tell(study, "film absent", name)
        for name in study.unlisted:
            self._tell(study, "film unlisted", name)

    def summary(self, path: Path) -> StudySummary:
        """The counts; ``path`` is where the rows are."""
        counts = self._counts
        return StudySummary(
            studies=counts["studies"],
            reports=counts["reports"],
            films=counts["films"],
            sections=dict(sorted(self._sections.items())),
            without_findings=counts["no findings"],
            without_impression=counts["no impression"],
            without_section=counts["no section"],
            empty_reports=counts["empty report"],
            reports_without_film=counts["report without film"],
            films_without_report=counts["film without report"],
            absent_films=counts["film absent"],
            unlisted_films=counts["film unlisted"],
            list=str(path),
        )

    def _report(self, study: Study) -> None:
        assert study.report is not None
        if not study.report.text:
            self._tell(study, "empty report")
            return
        self._counts["reports"] += 1
        self._sections.update(study.sections)
        if not study.sections & {FINDINGS, IMPRESSION, LAST_PARAGRAPH}:
            return  # A corpus of plain texts has no sections to miss.
        lacks = [name for name in (FINDINGS, IMPRESSION) if name not in study.sections]
        if len(lacks) == 2:
            self._tell(study, "no section")
        for name in lacks:
            self._tell(study, f"no {name}")

    def _tell(self, study: Study, what: str, file: str = "") -> None:
        self._counts[what] += 1
        self._rows.writerow([study.id, study.patient, what, file])
