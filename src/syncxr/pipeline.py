"""What each command runs: the parts of a configuration put together."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from syncxr.assets import ASSETS
from syncxr.config import Config
from syncxr.corpora import openi, table
from syncxr.corpora.report import Report
from syncxr.dataset.card import CardFacts
from syncxr.dataset.files import sha256, write_text
from syncxr.dataset.reader import read
from syncxr.dataset.storage import StoragePath, local, make_folder
from syncxr.entities.bank import Bank
from syncxr.entities.plan import Plan, PlanFile
from syncxr.entities.sampling import balance_report, plan
from syncxr.errors import SyncxrError
from syncxr.factory.audit import audit
from syncxr.factory.drafts import DraftStage
from syncxr.factory.executors import make_executor
from syncxr.factory.films import FilmStage
from syncxr.factory.generate import GenerationSummary, finish_dataset, generate
from syncxr.factory.run_folder import open_run
from syncxr.factory.standalone import (
    PlanSummary,
    StageSummary,
    curate_films,
    draft_plan,
    make_plan,
    render_reports,
)
from syncxr.factory.steps import once, recorded, seconds, timed
from syncxr.factory.verdicts import VerdictStage
from syncxr.images import RENDERERS
from syncxr.registry import build

if TYPE_CHECKING:
    from syncxr.evaluation.reporting.files import SuiteReport
    from syncxr.pretraining.trainer import PretrainingSummary


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
    config.require(*(() if bank else ("corpus",)), "extractor", "writer", "renderer", "judge")
    grows = "sampling.pairs" if extend else None
    with open_run(folder, identity(config, bank), grows=grows):
        summary = generate_into(config, folder, bank)
        write_summary(summary, folder)
        return summary


def identity(config: Config, bank: StoragePath | None = None) -> dict[str, Any]:
    """All that decides what a run makes, for :func:`syncxr.factory.run_folder.open_run`."""
    if bank is not None and not bank.is_file():
        raise SyncxrError(f"{bank} does not exist; `syncxr audit` writes a bank")
    # Where data may go decides nothing of what is made of it.
    decisive = config.model_dump(mode="json", exclude={"trusted_hosts"})
    return {**decisive, "bank_sha256": sha256(bank) if bank else None}


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
    finish_dataset(folder, film, decisive, _facts(config, bank, summary))
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
    entities: dict[str, Any] = {"bank": str(bank)}
    if bank is None:
        entities = once(
            folder,
            "audit",
            config.corpus,
            lambda: audit(corpus_reports(config.corpus), folder).model_dump(mode="json"),
        )
    elif not (folder / "bank.parquet").exists():
        Bank.read(bank).write(folder / "bank.parquet")
    return entities


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
    """Reports of a corpus: ``"openi"``, or a CSV or folder of .txt files."""
    return openi.read_reports() if corpus == "openi" else table.read_reports(Path(corpus))


def run_plan(
    config: Config, bank: StoragePath, output: StoragePath, extend: StoragePath | None
) -> PlanSummary:
    """Plan reports over a bank."""
    config.require("renderer")
    return make_plan(bank, output, config.sampling, config.renderer, extend)


def run_draft(config: Config, source: StoragePath, folder: StoragePath) -> StageSummary:
    """Draft a plan."""
    config.require("extractor", "writer")
    draft, _ = make_stages(config)
    executor = make_executor(config.execution)
    return draft_plan(source, folder, draft, config.factory.shard_size, executor)


def run_render(
    config: Config, source: StoragePath, folder: StoragePath, *, judge: bool
) -> StageSummary:
    """Render reports; a finding that cannot be shown is told, not refused."""
    config.require("renderer", *(("judge",) if judge else ()))
    stage = FilmStage(
        config.renderer,
        config.judge if judge else None,
        config.factory.film_attempts if judge else 1,
        require_shown=False,
    )
    executor = make_executor(config.execution)
    return render_reports(source, folder, stage, config.factory.shard_size, executor)


def run_curate(config: Config, source: StoragePath, folder: StoragePath) -> StageSummary:
    """Judge films that exist already."""
    config.require("judge")
    executor = make_executor(config.execution)
    stage = VerdictStage(config.judge)
    return curate_films(source, folder, stage, config.factory.shard_size, executor)


def run_pretraining(
    config: Config, source: StoragePath, folder: Path, images: Path | None = None
) -> PretrainingSummary:
    """Pre-train on a dataset folder, or on a CSV with films in ``images``."""
    from syncxr.pretraining.pairs import Pairs
    from syncxr.pretraining.trainer import pretrain

    if source.is_dir():
        dataset = source / "dataset" if (source / "dataset").is_dir() else source
        pairs = Pairs.from_samples(read(dataset), str(dataset))
    else:
        table_file = local(source, "a CSV of pairs")
        pairs = Pairs.from_table(table_file, images or table_file.parent)
    return pretrain(pairs, config.pretraining, folder)


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
    from syncxr.evaluation.running import run_suite
    from syncxr.evaluation.suite import load_suite, with_prompts
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


def _facts(config: Config, bank: StoragePath | None, summary: GenerationSummary) -> CardFacts:
    sources = {
        "thorax-ct": config.renderer.name == "simulation",
        "smollm2-135m": config.writer.name == "llamacpp" and "model" not in config.writer.options,
        "openi-reports": bank is None and config.corpus == "openi",
    }
    corpus = f"bank {bank.name}" if bank else f"corpus {config.corpus}"
    return CardFacts(
        made_by={
            "entities": f"{corpus}, rule extractor and lexicon of syncxr",
            "reports": f"{config.writer.name} writer, constrained by a grammar",
            "images": f"{config.renderer.name} renderer",
            "curation": f"{config.judge.name} judge",
        },
        sources=tuple(ASSETS[name] for name, used in sources.items() if used),
        rejected=sum(summary.rejected.values()),
    )
