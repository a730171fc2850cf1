"""What each command runs: the parts of a configuration put together."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from syncxr.assets import ASSETS
from syncxr.chat.options import without_reach
from syncxr.config import Config
from syncxr.corpora import openi, table
from syncxr.corpora.opening import open_corpus
from syncxr.corpora.report import Report
from syncxr.corpora.terms import Terms
from syncxr.curation import JUDGES
from syncxr.dataset.card import CardFacts, Source
from syncxr.dataset.files import sha256, write_text
from syncxr.dataset.storage import StoragePath, make_folder
from syncxr.entities import EXTRACTORS
from syncxr.entities.bank import Bank
from syncxr.entities.plan import Plan, PlanFile
from syncxr.entities.sampling import balance_report, plan
from syncxr.entities.scoring import score as score_extraction
from syncxr.errors import SyncxrError
from syncxr.factory.agreement import Agreement, compare, other_way
from syncxr.factory.audit.entities import audit_reports
from syncxr.factory.audit.running import audit
from syncxr.factory.audit.summary import AuditSummary
from syncxr.factory.counterfactuals.tasks import REGRADED, WITHOUT
from syncxr.factory.drafts import DraftStage
from syncxr.factory.executors import make_executor
from syncxr.factory.films import FilmStage
from syncxr.factory.generate import GenerationSummary, finish_dataset, generate
from syncxr.factory.home import check_backends, leave_terms, terms_of
from syncxr.factory.run_folder import open_run
from syncxr.factory.standalone import (
    PlanSummary,
    StageSummary,
    change_findings,
    curate_films,
    draft_plan,
    make_plan,
    render_reports,
)
from syncxr.factory.steps import once, recorded, seconds, timed
from syncxr.factory.verdicts import VerdictStage
from syncxr.images import RENDERERS
from syncxr.pretraining.data.options import SourceOptions
from syncxr.registry import BackendSpec, build, read_options
from syncxr.reports import WRITERS

if TYPE_CHECKING:
    from syncxr.evaluation.reporting.files import SuiteReport
    from syncxr.pretraining.training.summary import PretrainingSummary

BACKENDS = {"extractor": EXTRACTORS, "writer": WRITERS, "renderer": RENDERERS, "judge": JUDGES}
"""Parts of a configuration that are backends, in the order in which data meets them."""

_AUDIT_SHARD = 256
"""Films or reports in a shard of an audit: what a kill can cost, some minutes at most."""


class RunSummary(BaseModel):
    """Every figure of a run; what a step has not been done for is empty.

    Attributes:
        asked: Pairs asked for.
        entities: What the audit of the corpus found.
        balance: Category to figures of the corpus and of the plan.
        generation: The funnel from plan to dataset.
        faithfulness: Whether films show what their texts say.
        pretraining: The training run.
        evaluation: Zero-shot scores on held-out simulated films.
        seconds: Step to its duration, all parts of an interrupted run together.
        paths: Where things lie.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    asked: int
    entities: dict[str, Any] = {}
    balance: dict[str, dict[str, float]] = {}
    generation: GenerationSummary
    faithfulness: dict[str, Any] = {}
    pretraining: dict[str, Any] = {}
    evaluation: dict[str, Any] = {}
    seconds: dict[str, float] = {}
    paths: dict[str, str]


def run_generate(
    config: Config, folder: StoragePath, bank: StoragePath | None = None, *, extend: bool = False
) -> RunSummary:
    """Plan, draft, render and curate.

    Args:
        config: Settings; a folder made with others is refused.
        folder: Run folder.
        bank: Entity bank (Parquet or CSV); ``None`` audits the corpus of the configuration.
        extend: Add to the pairs that the folder holds, up to the number asked for; what is
            there is kept as it is.
    """
    check_parts(config, *(() if bank else ("corpus",)), *BACKENDS)
    grows = "sampling.pairs" if extend else None
    with open_run(folder, identity(config, bank), grows=grows):
        summary = generate_into(config, folder, bank)
        write_summary(summary, folder)
        return summary


def check_parts(config: Config, *parts: str) -> None:
    """See, before any work, that parts of a configuration are filled in and have right options.

    Nothing is written before: an option that is none may be a secret out of its place, and a
    folder would be bound to a configuration that never worked.

    Args:
        config: Settings.
        parts: Names of its fields.

    Raises:
        SyncxrError: A value is still ``???``, a backend or an option is unknown or wrong, or a
            package is not installed.
    """
    config.require(*parts)
    for part in parts:
        if part in BACKENDS:
            read_options(part, BACKENDS[part], getattr(config, part))


def identity(config: Config, bank: StoragePath | None = None) -> dict[str, Any]:
    """All that decides what a run makes, for :func:`syncxr.factory.run_folder.open_run`."""
    if bank is not None and not bank.is_file():
        raise SyncxrError(f"{bank} does not exist; `syncxr audit` writes a bank")
    # Where data may go decides nothing of what is made of it.
    decisive = config.model_dump(mode="json", exclude={"trusted_hosts"})
    return {**without_reach(decisive), "bank_sha256": sha256(bank) if bank else None}


def generate_into(config: Config, folder: StoragePath, bank: StoragePath | None) -> RunSummary:
    """Audit (without a bank), plan, draft, render and curate in a folder that is held open."""
    entities = bring_bank(config, folder, bank)
    planned, balance = bring_plan(config, folder)
    draft, film = make_stages(config)
    with timed(folder, "generation"):
        executor = make_executor(config.execution)
        summary = generate(folder, planned, draft, film, config.factory.shard_size, executor)
    decisive = identity(config, bank)
    del decisive["execution"]
    terms = terms_of(folder / "bank.parquet")
    finish_dataset(folder, film, decisive, _facts(config, bank, terms, summary))
    leave_terms(terms, folder / "dataset")
    of = dataset_hash(folder)
    return RunSummary(
        asked=config.sampling.pairs,
        entities=entities,
        balance=balance,
        generation=summary,
        # What a demo has measured on this very dataset stays in the summary.
        faithfulness=recorded(folder, "faithfulness", of) or {},
        pretraining=recorded(folder, "pretraining", of) or {},
        evaluation=recorded(folder, "evaluation", of) or {},
        seconds=seconds(folder),
        paths={
            "dataset": str(folder / "dataset"),
            "rejected": str(folder / "rejected"),
            "bank": str(folder / "bank.parquet"),
            "plan": str(folder / "plan.parquet"),
            "summary": str(folder / "summary.json"),
        },
    )


def bring_bank(config: Config, folder: StoragePath, bank: StoragePath | None) -> dict[str, Any]:
    """See that a folder has its ``bank.parquet``: the given one, else an audit's.

    Returns:
        What the audit found; of a given bank, its path.
    """
    corpus = None if bank else open_corpus(config.corpus)
    terms = corpus.terms if corpus else terms_of(bank) if bank else None
    keep_parts_home(config, terms, *BACKENDS, places=(folder,))
    leave_terms(terms, folder)
    if corpus is None:
        if bank is not None and not (folder / "bank.parquet").exists():
            Bank.read(bank).write(folder / "bank.parquet")
        return {"bank": str(bank)}
    extractor = build("extractor", EXTRACTORS, config.extractor)
    return once(
        folder,
        "audit",
        config.corpus,
        lambda: audit_reports(corpus, folder, extractor).model_dump(mode="json"),
    )


def keep_parts_home(
    config: Config, terms: Terms | None, *parts: str, places: Sequence[StoragePath] = ()
) -> None:
    """See, before any work, that parts of a configuration send restricted data nowhere.

    Args:
        config: Settings.
        terms: Of the data.
        parts: Backends that will see it.
        places: Where results are written.

    Raises:
        SyncxrError: One would send it to a host that is not trusted.
    """
    backends = {part: (BACKENDS[part], getattr(config, part)) for part in parts}
    cluster = config.execution.ray.address if config.execution.executor == "ray" else None
    # "auto" is the cluster that this machine is a part of.
    elsewhere = [cluster] if cluster and cluster != "auto" else []
    check_backends(terms, config.trusted_hosts, backends, *places, *elsewhere)


def dataset_hash(folder: StoragePath) -> str:
    """What a run's results are results of."""
    return sha256(folder / "dataset" / "manifest.json")


def write_summary(summary: RunSummary, folder: StoragePath) -> None:
    """Write ``summary.json``: every figure that the screen shows."""
    # A run without rejects has an empty folder rather than none: people look for it.
    make_folder(folder / "rejected")
    write_text(folder / "summary.json", summary.model_dump_json(indent=1) + "\n")


def make_stages(config: Config) -> tuple[DraftStage, FilmStage]:
    """The two stages of the factory as configured."""
    draft = DraftStage(
        config.writer,
        config.drafting,
        config.factory.draft_attempts,
        config.extractor,
        config.matching,
    )
    film = FilmStage(
        config.renderer,
        config.judge,
        config.factory.film_attempts,
        require_shown=not config.sampling.allow_unshown,
    )
    return draft, film


def corpus_reports(corpus: str) -> Iterator[Report]:
    """Reports of a corpus, see :func:`syncxr.corpora.opening.open_corpus`."""
    studies = open_corpus(corpus).studies()
    return (study.report for study in studies if study.report is not None)


def run_audit(
    config: Config,
    source: str,
    folder: Path,
    *,
    films: Path | None = None,
    reports: Path | None = None,
    judge: bool = True,
    score: bool = False,
) -> AuditSummary:
    """Audit a corpus with the extractor and the judge of the configuration.

    Args:
        config: Settings.
        source: Name or path of the corpus, see :func:`syncxr.corpora.opening.open_corpus`.
        folder: Where everything is written.
        films: Folder of the films, where the corpus does not say.
        reports: Folder or zip of the reports, likewise.
        judge: Inspect the films.
        score: Also score the rules against Open-i's labels.
    """
    check_parts(config, "extractor", *(("judge",) if judge else ()))
    corpus = open_corpus(source, films, reports)
    keep_parts_home(config, corpus.terms)  # the cluster; audit() looks at the backends
    return audit(
        corpus,
        folder,
        config.extractor,
        config.judge if judge else None,
        make_executor(config.execution),
        shard_size=_AUDIT_SHARD,
        trusted_hosts=config.trusted_hosts,
        score=score_extraction() if score else None,
    )


def run_plan(
    config: Config, bank: StoragePath, output: StoragePath, extend: StoragePath | None
) -> PlanSummary:
    """Plan reports over a bank."""
    check_parts(config, "renderer")
    return make_plan(bank, output, config.sampling, config.renderer, extend)


def run_draft(config: Config, source: StoragePath, folder: StoragePath) -> StageSummary:
    """Draft a plan."""
    check_parts(config, "extractor", "writer")
    terms = terms_of(source)
    keep_parts_home(config, terms, "extractor", "writer", places=(folder,))
    draft, _ = make_stages(config)
    executor = make_executor(config.execution)
    summary = draft_plan(source, folder, draft, config.factory.shard_size, executor)
    leave_terms(terms, folder)
    return summary


def run_render(
    config: Config, source: StoragePath, folder: StoragePath, *, judge: bool
) -> StageSummary:
    """Render reports; a finding that cannot be shown is told, not refused."""
    check_parts(config, "renderer", *(("judge",) if judge else ()))
    terms = terms_of(source, csv=table.TERMS)
    parts = ("renderer", "judge") if judge else ("renderer",)
    keep_parts_home(config, terms, *parts, places=(folder,))
    stage = FilmStage(
        config.renderer,
        config.judge if judge else None,
        config.factory.film_attempts if judge else 1,
        require_shown=False,
    )
    executor = make_executor(config.execution)
    summary = render_reports(source, folder, stage, config.factory.shard_size, executor)
    leave_terms(terms, folder, folder / "dataset")
    return summary


def run_counterfactual(
    config: Config,
    source: StoragePath,
    folder: StoragePath,
    *,
    pairs: int | None = None,
    regrade: bool = False,
) -> StageSummary:
    """Change a finding of each pair of a dataset; the text changes with the film."""
    check_parts(config, "renderer")
    terms = terms_of(source)
    keep_parts_home(config, terms, places=(folder,))
    ways = (WITHOUT, REGRADED) if regrade else (WITHOUT,)
    executor = make_executor(config.execution)
    summary = change_findings(source, folder, config.renderer, ways, pairs, executor)
    leave_terms(terms, folder, folder / "dataset")
    return summary


def run_curate(config: Config, source: StoragePath, folder: StoragePath) -> StageSummary:
    """Judge films that exist already."""
    check_parts(config, "judge")
    terms = terms_of(source)
    keep_parts_home(config, terms, "judge", places=(folder,))
    executor = make_executor(config.execution)
    stage = VerdictStage(config.judge)
    size, limit = config.factory.shard_size, config.execution.corrupt_limit
    summary = curate_films(source, folder, stage, size, executor, limit)
    leave_terms(terms, folder)
    return summary


def run_agreement(
    config: Config, source: StoragePath, against: Config | None, films: int, seed: int
) -> Agreement:
    """Let two judges look at the same films: of two configurations, or one asked in two ways."""
    check_parts(config, "judge")
    if against is not None:
        check_parts(against, "judge")
    terms = terms_of(source)
    for settings in (config, against or config):
        keep_parts_home(settings, terms, "judge")
    second = against.judge if against is not None else other_way(config.judge)
    return compare(source, config.judge, second, films, seed)


def run_pretraining(
    config: Config, sources: Sequence[SourceOptions | StoragePath], folder: Path
) -> PretrainingSummary:
    """Pre-train on sources, or on those of the configuration where none is given.

    Args:
        config: Settings.
        sources: What to train on; a path where nothing needs to be said beside it.
        folder: Becomes the checkpoint.
    """
    from syncxr.pretraining.training.run import pretrain

    options = config.pretraining
    if sources:
        given = tuple(
            source if isinstance(source, SourceOptions) else SourceOptions(path=str(source))
            for source in sources
        )
        data = options.data.model_copy(update={"sources": given})
        options = options.model_copy(update={"data": data})
    return pretrain(None, options, folder)


def run_evaluation(
    config: Config,
    checkpoints: Mapping[str, Path],
    suite: str,
    data: Mapping[str, Path],
    output: Path,
    *,
    labels: Path | None = None,
    prompt_set: str | None = None,
    published: Path | None = None,
) -> SuiteReport:
    """Score checkpoints by a suite, going on where an earlier call stopped.

    Args:
        config: Its ``test_set`` says how the simulated set is made where no path is given.
        checkpoints: Name to folder.
        suite: Name or YAML file of a suite.
        data: Test set to where it lies.
        output: Folder of results, cells and cache.
        labels: Table of the set ``folder``, if it is not ``labels.csv`` among its films.
        prompt_set: In the place of the suite's own.
        published: YAML file of numbers to be placed beside.

    Raises:
        SyncxrError: Anything given is missing, damaged or does not fit; one line.
    """
    from syncxr.evaluation.reporting.files import write_report
    from syncxr.evaluation.reporting.published import read_published
    from syncxr.evaluation.suites.running import run_suite
    from syncxr.evaluation.suites.suite import load_suite, with_prompts
    from syncxr.evaluation.testsets import making
    from syncxr.pretraining.checkpoint import describe

    chosen = load_suite(suite)
    if prompt_set is not None:
        chosen = with_prompts(chosen, prompt_set)
    beside = read_published(published) if published is not None else []
    # Told before anything is rendered.
    for folder in checkpoints.values():
        describe(folder)
    paths = dict(data)
    if "simulated" in chosen.sets and "simulated" not in paths:
        folder = output / "simulated"
        paths["simulated"] = making.make(config.test_set, folder, config.execution.workers)
    run = run_suite(checkpoints, chosen, paths, output, labels=labels)
    return write_report(chosen.about, run, beside, output)


def bring_plan(config: Config, folder: StoragePath) -> tuple[PlanFile, dict[str, dict[str, float]]]:
    """The plan of the run, with some reports more than pairs are asked for; and its balance."""
    planned = PlanFile(folder / "plan.parquet")
    wanted = math.ceil(config.sampling.pairs * (1 + config.factory.surplus))
    bank = Bank.read(folder / "bank.parquet")
    there = planned.path.exists()
    if not there or len(planned) < wanted:
        shows = build("renderer", RENDERERS, config.renderer).shows
        options = config.sampling.model_copy(update={"pairs": wanted})
        existing = Plan.read(planned.path) if there else None
        plan(bank, options, shows, existing).write(planned.path)
    return planned, balance_report(bank, planned)


def _facts(
    config: Config, bank: StoragePath | None, terms: Terms | None, summary: GenerationSummary
) -> CardFacts:
    sources = {
        "thorax-ct": config.renderer.name == "simulation",
        "smollm2-135m": config.writer.name == "llamacpp" and "model" not in config.writer.options,
        openi.ASSET: terms == openi.TERMS,
    }
    corpus = f"bank {bank.name}" if bank else f"corpus {config.corpus}"
    return CardFacts(
        made_by={
            "entities": f"{corpus}, extractor {config.extractor.name}",
            "reports": f"{_maker(config.writer)} writer, {config.drafting.strategy} drafting",
            "images": f"{_maker(config.renderer)} renderer",
            "curation": f"{_maker(config.judge)} judge",
        },
        sources=tuple(ASSETS[name] for name, used in sources.items() if used),
        corpora=()
        if terms is None or terms == openi.TERMS
        else (
            Source(name="entity bank", licence=terms.licence, source=terms.source, note=terms.note),
        ),
        rejected=sum(summary.rejected.values()),
    )


def _maker(spec: BackendSpec) -> str:
    """A backend by its name and, where it has one, its model; folders without their place."""
    model = str(spec.options.get("model") or "")
    known = Path(model).name if Path(model).is_dir() else model
    return f"{spec.name} ({known})" if known else spec.name
