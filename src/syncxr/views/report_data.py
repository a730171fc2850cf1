"""What the HTML report tells, as data; read from a run folder.

Sections of ``summary.json`` are recognised by what they hold (a score table has rows with an
AUROC), not by where they stand, so that the page also serves a run that did only some stages.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml

from syncxr.assets import ASSETS
from syncxr.dataset.reader import shard_paths
from syncxr.dataset.shards import read_shard
from syncxr.dataset.storage import StoragePath
from syncxr.entities.bank import Bank, surface
from syncxr.entities.plan import Plan
from syncxr.entities.sampling import balance_report
from syncxr.errors import SyncxrError
from syncxr.sample import Category, Polarity, Sample

GALLERY = 24
"""Pairs shown."""
REJECTED = 12
"""Rejected samples shown; all are counted."""

_SCANNED_SHARDS = 40
"""Shards from which the gallery is chosen."""


@dataclass(frozen=True)
class FunnelStep:
    """One step from plan to dataset: samples that reached it, and a remark."""

    label: str
    count: int
    note: str = ""


@dataclass(frozen=True)
class Distribution:
    """Use of the entities of one category, in the corpus and in the plan.

    Attributes:
        category: Category, or ``"all"``.
        real: Surface and count in the corpus, falling.
        planned: Surface and count in the plan, falling.
        balance: See :func:`syncxr.entities.sampling.balance_report`.
    """

    category: str
    real: Sequence[tuple[str, int]]
    planned: Sequence[tuple[str, int]]
    balance: Mapping[str, float]


@dataclass(frozen=True)
class Refused:
    """A sample that never passed: where it failed and why each attempt did."""

    sample: Sample
    stage: str
    attempts: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Licence:
    """A third-party file that went into the run."""

    name: str
    licence: str
    source: str
    note: str


@dataclass(frozen=True)
class ReportData:
    """Everything on the page; what a run did not do is empty and leaves its section out.

    Attributes:
        title: Heading.
        facts: Short statements on what was run, name to value.
        funnel: Steps from plan to dataset.
        draft_reasons: Why drafts failed, over all attempts.
        film_reasons: Why films failed, over all attempts.
        distributions: All categories together first.
        gallery: Pairs of the dataset.
        rejected: Samples that never passed.
        rejected_total: How many there are.
        history: One mapping an epoch, see ``checkpoint/history.jsonl``.
        pretraining: Summary of the pre-training.
        scores: AUROC tables, see ``evaluation/reporting/score_tables.py``.
        pointing: Pointing-game tables, likewise.
        faithfulness: See :class:`syncxr.images.faithfulness.Faithfulness`.
        licences: Sources with their licences.
        environment: Versions on which bytes depend.
        configuration: The run's configuration, YAML.
        figures: Every figure of the summary, dotted name to value.
    """

    title: str
    facts: Mapping[str, str] = field(default_factory=dict)
    funnel: Sequence[FunnelStep] = ()
    draft_reasons: Mapping[str, int] = field(default_factory=dict)
    film_reasons: Mapping[str, int] = field(default_factory=dict)
    distributions: Sequence[Distribution] = ()
    gallery: Sequence[Sample] = ()
    rejected: Sequence[Refused] = ()
    rejected_total: int = 0
    history: Sequence[Mapping[str, float]] = ()
    pretraining: Mapping[str, Any] = field(default_factory=dict)
    scores: Sequence[Mapping[str, Any]] = ()
    pointing: Sequence[Mapping[str, Any]] = ()
    faithfulness: Mapping[str, Any] = field(default_factory=dict)
    licences: Sequence[Licence] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    configuration: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)


def load(run: Path) -> ReportData:
    """Read a run folder.

    Raises:
        SyncxrError: It has no ``summary.json``, or a file in it is damaged.
    """
    summary = _json(run / "summary.json")
    manifest = _json(run / "dataset" / "manifest.json", needed=False)
    generation = _first(summary, {"planned", "verified", "accepted"})
    rejected = list(_rejected(run))
    configuration = _text(run / "config.yaml")
    return ReportData(
        title=f"syncxr run “{run.resolve().name}”",
        facts=_facts(configuration, manifest),
        funnel=_funnel(generation),
        draft_reasons=generation.get("draft_reasons", {}),
        film_reasons=generation.get("film_reasons", {}),
        distributions=_distributions(run),
        gallery=_gallery(run),
        rejected=rejected[:REJECTED],
        rejected_total=len(rejected),
        history=_history(run / "checkpoint" / "history.jsonl"),
        pretraining=_first(summary, {"train_loss", "epochs"}),
        scores=[t for t in _all(summary, {"rows", "mean", "films"}) if _has(t, "auroc")],
        pointing=[t for t in _all(summary, {"rows", "mean", "mean_chance"}) if _has(t, "hits")],
        faithfulness=_first(summary, {"positives", "negatives", "by_concept"}),
        licences=[
            Licence(asset.name, asset.licence, asset.source, asset.note)
            for asset in ASSETS.values()
        ],
        environment=manifest.get("environment", {}),
        configuration=configuration,
        figures=dict(_flat(summary)),
    )


# ---------------------------------------------------------------- files


def _json(path: Path, needed: bool = True) -> dict[str, Any]:
    if not path.is_file():
        if needed:
            raise SyncxrError(f"{path} does not exist; give the folder of a finished run")
        return {}
    try:
        value = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise SyncxrError(f"{path} is not JSON ({error}); make the run again") from error
    if not isinstance(value, dict):
        raise SyncxrError(f"{path} holds no mapping; make the run again")
    return value


def _text(path: Path) -> str:
    return path.read_text("utf-8") if path.is_file() else ""


def _history(path: Path) -> list[dict[str, float]]:
    try:
        return [json.loads(line) for line in _text(path).splitlines() if line.strip()]
    except ValueError as error:
        raise SyncxrError(f"{path} is damaged ({error}); train again") from error


def _facts(configuration: str, manifest: Mapping[str, Any]) -> dict[str, str]:
    """What was run, in a few words, from the configuration."""
    settings = yaml.safe_load(configuration) if configuration else {}
    facts = {}
    sampling = settings.get("sampling") or {}
    if settings.get("corpus"):
        facts["Reports from"] = str(settings["corpus"])
    if sampling:
        get = sampling.get
        facts["Plan"] = (
            f"{get('pairs')} pairs asked for, k = {get('k')}, m = {get('m')}, "
            f"cap {get('tau_max')}, {100 * float(get('normal_fraction', 0)):.0f} % normal, "
            f"seed {get('seed')}"
        )
    for name, label in (("writer", "Text by"), ("renderer", "Films by"), ("judge", "Curated by")):
        if isinstance(settings.get(name), dict):
            facts[label] = str(settings[name].get("name"))
    if manifest.get("configuration"):
        facts["Configuration"] = str(manifest["configuration"])[:12]
    return facts


# ---------------------------------------------------------------- sections


def _funnel(generation: Mapping[str, Any]) -> list[FunnelStep]:
    """Samples at each step; attempts are told beside them, since one sample may need several."""
    if not generation:
        return []
    planned, verified = int(generation["planned"]), int(generation["verified"])
    drafts, films = int(generation.get("drafted", 0)), int(generation.get("rendered", 0))
    first = 100 * float(generation.get("first_round_acceptance", 0))
    return [
        FunnelStep("Planned", planned),
        FunnelStep("Drafted", planned, f"{drafts:,} drafts, {first:.1f} % verified at the first"),
        FunnelStep("Verified", verified, "text states the plan, no more and no less"),
        FunnelStep("Rendered", verified, f"{films:,} films, refused ones rendered again"),
        FunnelStep("Passed", int(generation["accepted"]), "pairs in the dataset"),
    ]


def _distributions(run: Path) -> list[Distribution]:
    bank_path, plan_path = run / "bank.parquet", run / "plan.parquet"
    if not (bank_path.is_file() and plan_path.is_file()):
        return []
    bank, plan = Bank.read(bank_path), Plan.read(plan_path)
    balance = balance_report(bank, plan)
    uses = plan.uses().most_common()
    found = []
    for name, figures in balance.items():
        wanted = None if name == "all" else Category(name)
        real = [
            (surface(e.entity), e.count)
            for e in sorted(bank, key=lambda e: -e.count)
            if wanted in (None, e.entity.category)
        ]
        planned = [(surface(e), n) for e, n in uses if wanted in (None, e.category)]
        found.append(Distribution(name, real, planned, figures))
    return found


def _gallery(run: Path) -> list[Sample]:
    """Pairs in which each finding, and normal, stand about equally often."""
    if not (run / "dataset").is_dir():
        return []
    groups: dict[str, list[tuple[str, StoragePath]]] = {}
    for path in shard_paths(run / "dataset")[:_SCANNED_SHARDS]:
        for row in pq.read_table(path, columns=["id", "entities"]).to_pylist():
            shown = [e["concept"] for e in row["entities"] if e["polarity"] == Polarity.PRESENT]
            for concept in sorted(set(shown)) or ["normal"]:
                groups.setdefault(concept, []).append((row["id"], path))
    order = (groups[name] for name in sorted(groups))
    turns = (entry for turn in zip_longest(*order) for entry in turn if entry is not None)
    chosen = dict.fromkeys(turns)
    wanted = dict(list(chosen.items())[:GALLERY])
    by_id = {
        sample.id: sample
        for path in sorted({path for _, path in wanted})
        for sample in read_shard(path)
        if (sample.id, path) in wanted
    }
    return [by_id[id] for id, _ in wanted]


def _rejected(run: Path) -> Iterator[Refused]:
    folder = run / "rejected"
    for path in sorted(folder.glob("*.parquet")) if folder.is_dir() else []:
        stage = path.name.partition("-")[0]
        for sample in read_shard(path):
            yield Refused(sample, stage, _attempts(sample, stage))


def _attempts(sample: Sample, stage: str) -> list[list[str]]:
    """Reasons of each attempt, as the stage left them in the provenance."""
    record = sample.provenance.get(stage.removesuffix("s"), {})
    attempts = [list(attempt.get("reasons", ())) for attempt in record.get("attempts", ())]
    if attempts:
        return attempts
    return [list(sample.provenance.get("curation", {}).get("reasons", ()))]


# ---------------------------------------------------------------- shapes in the summary


def _all(tree: Any, keys: set[str]) -> Iterator[dict[str, Any]]:
    """Every mapping in ``tree`` that has all ``keys``, outermost first."""
    if isinstance(tree, dict):
        if keys <= set(tree):
            yield tree
        else:
            for value in tree.values():
                yield from _all(value, keys)
    elif isinstance(tree, list):
        for value in tree:
            yield from _all(value, keys)


def _first(tree: Any, keys: set[str]) -> dict[str, Any]:
    return next(_all(tree, keys), {})


def _has(table: Mapping[str, Any], column: str) -> bool:
    rows = table["rows"]
    return isinstance(rows, list) and bool(rows) and column in rows[0]


def _flat(tree: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _flat(value, f"{name}.{key}" if name else str(key))
    elif isinstance(tree, list) and any(isinstance(value, dict | list) for value in tree):
        for index, value in enumerate(tree):
            yield from _flat(value, f"{name}[{index}]")
    else:
        yield name, tree
