"""The whole audit of a corpus: one pass over its studies, then its films in shards."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from syncxr.corpora.study import Corpus
from syncxr.curation import JUDGES
from syncxr.dataset.files import atomic, write_text
from syncxr.entities import EXTRACTORS
from syncxr.entities.extraction import Extractor
from syncxr.entities.scoring import ExtractionScore
from syncxr.factory.audit import pairing
from syncxr.factory.audit.entities import EntityCount, EntitySummary, ReportShards
from syncxr.factory.audit.inspection import InspectionStage
from syncxr.factory.audit.listing import NAME as LISTING
from syncxr.factory.audit.listing import Listing, shards
from syncxr.factory.audit.summary import AuditSummary, FilmSummary, StudySummary
from syncxr.factory.audit.verdicts import summarise_films
from syncxr.factory.executors import Executor
from syncxr.factory.home import check_backends, leave_terms
from syncxr.factory.run_folder import open_run
from syncxr.factory.runner import run_stage
from syncxr.factory.steps import timed
from syncxr.progress import bar
from syncxr.registry import BackendSpec, build


def audit(
    corpus: Corpus,
    folder: Path,
    extractor: BackendSpec,
    judge: BackendSpec | None,
    executor: Executor,
    *,
    shard_size: int,
    trusted_hosts: Iterable[str] = (),
    score: ExtractionScore | None = None,
) -> AuditSummary:
    """Audit reports and films; goes on where an earlier run in the same folder stopped.

    Studies go by one at a time. What is found in a chunk of reports, and what is said of a shard of
    films, is committed when it is there; a second run lists the corpus again and does only what is
    missing or has changed.

    Args:
        corpus: What to audit.
        folder: Where everything is written.
        extractor: What reads the reports.
        judge: What inspects the films; ``None`` leaves them alone.
        executor: Where shards of films are worked on.
        shard_size: Films or reports in a shard.
        trusted_hosts: Hosts that restricted data may reach.
        score: Agreement with human labels, to stand in the summary.

    Raises:
        SyncxrError: A backend would send restricted data elsewhere, and no request was made; the
            folder holds another audit; nothing was found in any report.
    """
    films = judge if corpus.has_films else None
    backends = {"extractor": (EXTRACTORS, extractor)}
    if films:
        backends["judge"] = (JUDGES, films)
    check_backends(corpus.terms, trusted_hosts, backends)
    identity = {
        "audit": corpus.identity(),
        "extractor": extractor.model_dump(mode="json"),
        "judge": films.model_dump(mode="json") if films else None,
        "shard_size": shard_size,
    }
    with open_run(folder, identity):
        leave_terms(corpus.terms, folder)
        with timed(folder, "reports"):
            pairs, entities = _read(corpus, folder, extractor, shard_size)
        with timed(folder, "films"):
            inspected = _inspect(corpus, folder, films, executor)
        summary = AuditSummary(
            corpus=corpus.name,
            licence=corpus.terms.licence,
            stays_home=corpus.terms.stays_home,
            extractor=extractor.name,
            pairing=pairs,
            entities=entities,
            films=inspected,
            score=score,
            folder=str(folder),
        )
        write_text(folder / "summary.json", summary.model_dump_json(indent=1) + "\n")
        return summary


def _read(
    corpus: Corpus, folder: Path, spec: BackendSpec, size: int
) -> tuple[StudySummary, EntitySummary | None]:
    """One pass over the studies: what lacks its pair, which films there are, what reports say."""
    extractor: Extractor = build("extractor", EXTRACTORS, spec)
    counting = EntityCount(corpus.terms)
    chunks = ReportShards(folder, extractor, size, counting)
    path = folder / pairing.NAME
    with (
        atomic(path) as partial,
        partial.open("w", newline="", encoding="utf-8") as stream,
        Listing(folder / LISTING, size) as listing,
        bar("read studies", None) as progress,
    ):
        seen = pairing.Pairing(corpus, stream)
        for study in corpus.studies():
            seen.add(study)
            for film in study.films:
                listing.add(study, film)
            if study.report is not None and study.report.text:
                chunks.add(study.report)
            progress.advance()
        chunks.flush()
    pairs = seen.summary(path)
    return pairs, counting.write(folder) if pairs.reports else None


def _inspect(
    corpus: Corpus, folder: Path, judge: BackendSpec | None, executor: Executor
) -> FilmSummary | None:
    sources = shards(folder / LISTING) if judge else []
    if judge is None or not sources:
        return None
    records = run_stage(folder, InspectionStage(judge), sources, executor)
    return summarise_films(folder, corpus, judge.name, records)
