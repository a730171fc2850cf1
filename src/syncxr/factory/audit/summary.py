"""Every figure of an audit."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from syncxr.entities.scoring import ExtractionScore
from syncxr.factory.audit.entities import EntitySummary


class StudySummary(BaseModel):
    """What there is of reports and films, and what lacks its other half.

    Attributes:
        studies: Studies.
        reports: Reports with a text.
        films: Films that are there.
        sections: Section to reports that have it.
        without_findings: Reports without FINDINGS.
        without_impression: Reports without IMPRESSION.
        without_section: Reports with neither; of some the last paragraph stands in.
        empty_reports: Reports without any text.
        reports_without_film: Studies with a report and no film.
        films_without_report: Films whose study has no report.
        absent_films: Films that the corpus lists and that are not there.
        unlisted_films: Films that are there and that the corpus does not list.
        list: CSV with one row for each of these.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    studies: int
    reports: int
    films: int
    sections: dict[str, int]
    without_findings: int
    without_impression: int
    without_section: int
    empty_reports: int
    reports_without_film: int
    films_without_report: int
    absent_films: int
    unlisted_films: int
    list: str


class FilmSummary(BaseModel):
    """Which films are usable.

    Attributes:
        judge: Who judged.
        films: Films judged.
        passed: Films that passed every check.
        reasons: Reason to films refused for it; a film may have several.
        views: View as the corpus names it to its films and to how many of them were refused.
        verdicts: CSV with every film, its answers and its reasons.
        rejected: CSV with every refused film and its reasons.
        gallery: HTML page of refused films.
        duplicate_groups: Groups of near-duplicates.
        duplicate_films: Films in them.
        across_patients: Groups that hold films of more than one patient.
        duplicates: CSV with every film of every group.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    judge: str
    films: int
    passed: int
    reasons: dict[str, int]
    views: dict[str, tuple[int, int]]
    verdicts: str
    rejected: str
    gallery: str
    duplicate_groups: int
    duplicate_films: int
    across_patients: int
    duplicates: str


class AuditSummary(BaseModel):
    """What an audit found.

    Attributes:
        corpus: Name.
        licence: Under which all of this stands.
        stays_home: Whether it may not leave for hosts that are not trusted.
        extractor: What read the reports.
        pairing: Reports against films.
        entities: What reports say; ``None`` where there are none.
        films: Which films are usable; ``None`` where there are none, or none was asked about.
        score: Agreement of the extractor with human labels, where it was asked for.
        folder: Where everything lies.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    corpus: str
    licence: str
    stays_home: bool
    extractor: str
    pairing: StudySummary
    entities: EntitySummary | None = None
    films: FilmSummary | None = None
    score: ExtractionScore | None = None
    folder: str
