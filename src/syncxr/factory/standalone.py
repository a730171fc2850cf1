"""Each stage by itself, on the previous stage's output or on the user's own files."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from syncxr.chat.options import without_reach
from syncxr.corpora.films import film_paths
from syncxr.corpora.table import read_reports
from syncxr.dataset.files import atomic, sha256
from syncxr.dataset.manifest import build_manifest, write_manifest
from syncxr.dataset.reader import count_rows, find_shards
from syncxr.dataset.shards import ShardRecord, committed, read_shard
from syncxr.dataset.storage import StoragePath, at_once, below, local, make_folder
from syncxr.entities.bank import Bank
from syncxr.entities.extraction import entities_of, extract
from syncxr.entities.plan import Plan, PlanFile
from syncxr.entities.sampling import SamplingOptions, balance_report, plan
from syncxr.errors import SyncxrError
from syncxr.factory.counterfactuals.stage import OTHERWISE, CounterfactualStage
from syncxr.factory.counterfactuals.tasks import TASK, cut_tasks, renderer_of
from syncxr.factory.drafts import DraftStage
from syncxr.factory.executors import Executor
from syncxr.factory.films import FilmStage
from syncxr.factory.generate import cut_plan
from syncxr.factory.run_folder import open_run
from syncxr.factory.runner import run_stage
from syncxr.factory.sources import FilmsSource, ShardFileSource, ShardSource, cut
from syncxr.factory.stage import Stage
from syncxr.factory.unreadable import Unreadable
from syncxr.factory.verdicts import VerdictStage
from syncxr.images import RENDERERS
from syncxr.registry import BackendSpec, build
from syncxr.sample import Sample

_LIVELY = {"run.jsonl", ".lock"}
"""Files of a run folder that change while nothing that a stage reads does."""


class PlanSummary(BaseModel):
    """What was planned.

    Attributes:
        reports: Reports in the plan.
        normal: Reports without a positive finding.
        balance: Category to figures, see :func:`syncxr.entities.sampling.balance_report`.
        path: The plan.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    reports: int
    normal: int
    balance: dict[str, dict[str, float]]
    path: str


class StageSummary(BaseModel):
    """What a stage by itself did.

    Attributes:
        stage: Its name.
        samples: Samples given.
        accepted: Samples that passed.
        rejected: Samples that did not; they lie in ``rejected/`` with their reasons.
        counts: What the shards recorded, summed: attempts and reasons.
        folder: Where everything lies.
        unreadable: A line for each file that does not open as a film.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    stage: str
    samples: int
    accepted: int
    rejected: int
    counts: dict[str, int]
    folder: str
    unreadable: tuple[str, ...] = ()


def make_plan(
    bank: StoragePath,
    output: StoragePath,
    options: SamplingOptions,
    renderer: BackendSpec,
    extend: StoragePath | None,
) -> PlanSummary:
    """Plan reports over a bank; only what the renderer shows is drawn as a positive finding.

    Args:
        bank: ``bank.parquet`` of an audit, or a CSV with a column ``entity``.
        output: The plan, Parquet.
        options: Numbers of the plan.
        renderer: Who will make the films.
        extend: An earlier plan whose reports are kept; new ones are added up to ``pairs``.
    """
    entities = Bank.read(bank)
    shows = build("renderer", RENDERERS, renderer).shows
    existing = Plan.read(extend) if extend else None
    planned = plan(entities, options, shows, existing)
    planned.write(output)
    return PlanSummary(
        reports=len(planned),
        normal=sum(report.normal for report in planned),
        balance=balance_report(entities, planned),
        path=str(output),
    )


def draft_plan(
    source: StoragePath, output: StoragePath, stage: DraftStage, size: int, executor: Executor
) -> StageSummary:
    """Draft a plan (Parquet, or CSV with ``id`` and ``entities``)."""
    with open_run(output, _configuration("draft", stage, source, size)):
        path = output / "plan.parquet"
        Plan.read(source).write(path)
        sources = cut_plan(PlanFile(path), size, committed(output, stage.name))
        return _summary(output, stage, run_stage(output, stage, sources, executor))


def render_reports(
    source: StoragePath, output: StoragePath, stage: FilmStage, size: int, executor: Executor
) -> StageSummary:
    """Render drafts (folder of a draft run), or one's own reports (CSV or folder of .txt)."""
    configuration = _configuration("render", stage, source, size)
    with open_run(output, configuration):
        stage.check()
        records = run_stage(output, stage, _reports(source, size), executor)
        _finish_dataset(output, records, configuration)
        return _summary(output, stage, records)


def change_findings(
    source: StoragePath,
    output: StoragePath,
    renderer: BackendSpec,
    ways: Sequence[str],
    pairs: int | None,
    executor: Executor,
) -> StageSummary:
    """Counterfactuals of a dataset: its pairs again, a finding of each changed.

    Args:
        source: Run folder, or its dataset.
        output: Run folder of what is made.
        renderer: What made the films, where no configuration beside the dataset tells it.
        ways: Of :mod:`syncxr.factory.counterfactuals.tasks`.
        pairs: The first so many pairs that show a finding; by default all.
        executor: Where shards are worked on.

    Raises:
        SyncxrError: No folder, no pair shows a finding, or the renderer cannot take a film again,
            or none as it is stored.
    """
    if not source.is_dir():
        raise SyncxrError(f"{source} is not a folder; give a run folder or a dataset folder")
    stage = CounterfactualStage(renderer_of(source) or renderer, _content(source))
    configuration = {
        "counterfactual": {**stage.describe(), "ways": list(ways), "pairs": pairs},
        "source": {"path": str(source.resolve()), "sha256": _content(source)},
    }
    with open_run(output, configuration):
        stage.check()
        tasks = cut_tasks(_shards(source, ("dataset", ".")), ways, pairs)
        if not tasks:
            raise SyncxrError(
                f"{source} holds no pair whose film shows a finding; give the folder of a dataset "
                "that `syncxr generate` or `syncxr render` made"
            )
        records = run_stage(output, stage, tasks, executor)
        _finish_dataset(output, records, configuration)
        summary = _summary(output, stage, records)
    if summary.counts.get(f"{TASK}: {OTHERWISE}") == summary.samples:
        raise SyncxrError(
            f"{source}: none of its films comes out as it is stored; give the run folder, whose "
            "config.yaml names the renderer, or its options (--set renderer.size=...), the version "
            "of syncxr and the kind of processor that made them, and another --output"
        )
    return summary


def curate_films(
    source: StoragePath,
    output: StoragePath,
    stage: VerdictStage,
    size: int,
    executor: Executor,
    corrupt_limit: float,
) -> StageSummary:
    """Judge the films of a dataset, or a folder of images; ``verdicts.csv`` lists each.

    The good films of a dataset become a dataset; one's own images are not copied.

    Raises:
        SyncxrError: More than a share of ``corrupt_limit`` of the images do not open, or all.
    """
    configuration = _configuration("curate", stage, source, size)
    with open_run(output, configuration):
        sources = film_sources(source, size)
        unreadable = Unreadable(source, output, sum(part.size for part in sources), corrupt_limit)
        records = run_stage(output, stage, sources, executor, unreadable.add)
        if not any(isinstance(shard, FilmsSource) for shard in sources):
            _finish_dataset(output, records, configuration)
        _write_verdicts(output, records)
        summary = _summary(output, stage, records)
        return summary.model_copy(update={"unreadable": tuple(sorted(unreadable.lines))})


def _configuration(command: str, stage: Stage, source: StoragePath, size: int) -> dict[str, Any]:
    """What a run of one stage is: another content of the source is another run."""
    return {
        command: without_reach(stage.describe()),
        "source": {"path": str(source.resolve()), "sha256": _content(source)},
        "shard_size": size,
    }


def _content(source: StoragePath) -> str:
    """Hash of a file, or of the names and sizes of a folder's files.

    Sizes, not bytes: a hospital's folder is read once, by the stage, which notices a changed file.
    """
    if source.is_file():
        return sha256(source)
    found: list[StoragePath] = [*source.rglob("*")]
    files = sorted((path for path in found if path.is_file()), key=str)
    lines = [
        f"{below(path, source)} {path.stat().st_size}" for path in files if path.name not in _LIVELY
    ]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _finish_dataset(
    output: StoragePath, records: Sequence[ShardRecord], configuration: Mapping[str, Any]
) -> None:
    make_folder(output / "dataset")
    write_manifest(build_manifest(records, "dataset", configuration), output / "dataset")


def _summary(output: StoragePath, stage: Stage, records: Sequence[ShardRecord]) -> StageSummary:
    counts: Counter[str] = Counter()
    for record in records:
        counts.update(record.statistics)
    accepted, rejected = counts.pop("accepted"), counts.pop("rejected")
    return StageSummary(
        stage=stage.name,
        samples=accepted + rejected,
        accepted=accepted,
        rejected=rejected,
        counts=dict(sorted(counts.items())),
        folder=str(output),
    )


def _shards(folder: StoragePath, parts: Sequence[str]) -> list[ShardFileSource]:
    """Shards in the first of some parts of a folder that has any."""
    for part in parts:
        if (folder / part).is_dir() and (paths := find_shards(folder / part)):
            rows = at_once(count_rows, paths)
            return [
                ShardFileSource(index, *of)
                for index, of in enumerate(zip(rows, paths, strict=True))
            ]
    return []


def _reports(source: StoragePath, size: int) -> Sequence[ShardSource]:
    shards = _shards(source, ("drafts", "dataset", ".")) if source.is_dir() else []
    if shards:
        return shards
    samples = [
        Sample(
            report.id,
            tuple(sorted(entities_of(extract(report.findings)))),
            report.findings,
            report.impression,
        )
        for report in read_reports(local(source, "a file of reports"))
    ]
    return cut(samples, size)


def film_sources(source: StoragePath, size: int) -> Sequence[ShardSource]:
    """Films to judge: shards of a dataset, or a folder of images in parts of ``size``."""
    if not source.is_dir():
        raise SyncxrError(f"{source} is not a folder; give a dataset or a folder of images")
    shards = _shards(source, ("dataset", "."))
    if shards:
        return shards
    folder = local(source, "a folder of images")
    paths = film_paths(folder)
    # Paths, not pixels, travel to the workers: a hospital's folder does not fit in memory.
    return [
        FilmsSource(start // size, part, folder)
        for start in range(0, len(paths), size)
        if (part := tuple(paths[start : start + size]))
    ]


def _write_verdicts(output: StoragePath, records: Iterable[ShardRecord]) -> None:
    rows = [
        sample
        for record in records
        for file in record.files
        for sample in read_shard(output / file.path)
    ]
    rows.sort(key=lambda sample: sample.id)
    names = sorted({name for sample in rows for name in sample.quality})
    with atomic(output / "verdicts.csv") as partial, partial.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "passed", "reasons", *names])
        for sample in rows:
            reasons = sample.provenance["curation"]["reasons"]
            # A judge may have left a question without an answer.
            scores = [f"{sample.quality[n]:.4f}" if n in sample.quality else "" for n in names]
            writer.writerow([sample.id, not reasons, " ".join(reasons), *scores])
