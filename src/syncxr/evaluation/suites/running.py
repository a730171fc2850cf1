"""Running a suite: every model on every cell, each committed when it is done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from syncxr import __version__
from syncxr.dataset.files import atomic, write_text
from syncxr.errors import SyncxrError
from syncxr.evaluation.metrics.bootstrap import interval
from syncxr.evaluation.scoring.results import Result
from syncxr.evaluation.scoring.sheet import Scored, difference
from syncxr.evaluation.suites.bench import Bench, Loaded, Outcome
from syncxr.evaluation.suites.cells import run
from syncxr.evaluation.suites.suite import Suite, Work, works
from syncxr.evaluation.testsets.test_set import test_set_class
from syncxr.pretraining.checkpoint import Checkpoint, describe, load
from syncxr.progress import console


@dataclass(frozen=True)
class SuiteRun:
    """What came of a suite.

    Attributes:
        models: Names of the checkpoints, in the order given.
        results: Every number of every cell, means over seeds of training, and baselines once.
        differences: Paired comparison of the first model with each other one.
        not_compared: What could not be compared, and why.
        not_scored: Test sets of the suite for which no path was given.
        notes: What a reader must know of the sets that were scored.
        cells: How many there are.
        done_before: How many of them lay there already.
    """

    models: tuple[str, ...]
    results: tuple[Result, ...]
    differences: tuple[Result, ...]
    not_compared: tuple[str, ...]
    not_scored: tuple[str, ...]
    notes: tuple[str, ...]
    cells: int
    done_before: int


def run_suite(
    checkpoints: Mapping[str, Path],
    suite: Suite,
    data: Mapping[str, Path],
    output: Path,
    *,
    samples: int = 1000,
    labels: Path | None = None,
) -> SuiteRun:
    """Do what is not done yet.

    Args:
        checkpoints: Name to folder.
        suite: Tasks and test sets.
        data: Name of a test set to where it lies; sets without a path are not scored, and named.
        output: Folder; ``cells/`` holds what is done, ``cache/`` decoded films and features.
        samples: Bootstrap samples.
        labels: Table of the set ``folder``, if it is not ``labels.csv`` among its films.

    Raises:
        SyncxrError: No checkpoint there; a path that does not exist or belongs to no set of the
            suite; another run in the folder; a cell that cannot be done.
    """
    _check(data, suite)
    described = {name: describe(path) for name, path in checkpoints.items()}
    plan = tuple(work for work in works(suite) if work.test_set in data)
    bench = Bench(data, output / "cache", samples, labels, plan)
    # Every set is opened before anything is trained: a wrong path shows now, not in hours.
    cells = {work: bench.content(work) for work in plan if bench.applies(work)}
    output.mkdir(parents=True, exist_ok=True)
    lock = FileLock(output / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise SyncxrError(f"another run writes to {output}; wait or name another") from error
    try:
        found, before = _all_cells(bench, checkpoints, described, cells, output / "cells")
    finally:
        lock.release()
    first, *others = (
        [_mean_over_seeds(runs) for runs in _by_work(name, done)] for name, done in found.items()
    )
    rows = [row for done in found.values() for _, o in done for s in o.scored for row in s.results]
    rows += [
        row
        for merged in (first, *others)
        for scored, runs in merged
        if runs > 1
        for row in scored.results
    ]
    pairs = [
        (mine, theirs)
        for other in others
        for (mine, _), (theirs, _) in zip(first, other, strict=True)
    ]
    return SuiteRun(
        models=tuple(checkpoints),
        results=tuple({_identity(row): row for row in rows}.values()),
        differences=tuple(
            row
            for mine, theirs in pairs
            if mine.measured_on == theirs.measured_on
            for row in difference(mine, theirs)
        ),
        not_compared=tuple(
            _unlike(mine, theirs)
            for mine, theirs in pairs
            if mine.measured_on != theirs.measured_on
        ),
        not_scored=tuple(name for name in suite.sets if name not in data),
        notes=tuple(
            f"{info.title}: {note}"
            for info in (test_set_class(n).info for n in suite.sets if n in data)
            for note in info.notes
        ),
        cells=len(cells) * len(checkpoints),
        done_before=before,
    )


def _check(data: Mapping[str, Path], suite: Suite) -> None:
    for name, path in data.items():
        if name not in suite.sets:
            raise SyncxrError(
                f"the suite has no test set {name!r}; it has: {', '.join(suite.sets)}"
            )
        if not path.exists():
            raise SyncxrError(f"{path} does not exist; give the folder of {name!r}")
    if not data:
        raise SyncxrError(
            f"no test set is given: add --data NAME=PATH for some of {', '.join(suite.sets)}"
        )


def _all_cells(
    bench: Bench,
    checkpoints: Mapping[str, Path],
    described: Mapping[str, Checkpoint],
    cells: Mapping[Work, str],
    folder: Path,
) -> tuple[dict[str, list[tuple[Work, Outcome]]], int]:
    """Outcomes by model in the order of the cells, and how many were there before.

    ``cells`` says of each what its films, labels and masks are.
    """
    found: dict[str, list[tuple[Work, Outcome]]] = {name: [] for name in checkpoints}
    before, number = 0, 0
    for name, about in described.items():
        loaded: Loaded | None = None
        for work, content in cells.items():
            number += 1
            identity = _cell_identity(bench, about, work, content)
            store = folder / f"{_key(identity)}.json"
            if store.exists():
                found[name].append((work, _read(store, name)))
                before += 1
                continue
            if loaded is None:
                loaded = Loaded(name, about.weights_sha256, load(checkpoints[name]))
            total = len(cells) * len(checkpoints)
            told = f"{number}/{total} {name}: {work.label}"
            console.print(told, style="bold", markup=False, highlight=False)
            outcome = run(bench, loaded, work)
            _write(store, name, outcome, identity)
            found[name].append((work, outcome))
    return found, before


def _cell_identity(bench: Bench, about: Checkpoint, work: Work, content: str) -> dict[str, Any]:
    """All that decides a cell's numbers."""
    return {
        **work.identity(),
        "weights_sha256": about.weights_sha256,
        "preprocessing": about.preprocessing.model_dump(mode="json"),
        "content": content,
        "samples": bench.samples,
        "code": __version__,
    }


def _key(identity: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:32]


def _write(store: Path, name: str, outcome: Outcome, identity: Mapping[str, Any]) -> None:
    """Commit a cell: its draws, then the record that makes it done."""
    draws = {str(n): np.array(s.draws, np.float32) for n, s in enumerate(outcome.scored)}
    with atomic(store.with_suffix(".npz")) as partial, partial.open("wb") as stream:
        np.savez_compressed(stream, **draws)  # type: ignore[arg-type]
    record = {
        "identity": dict(identity),
        "model": name,
        "training": outcome.training,
        "scored": [
            {"measured_on": s.measured_on, "results": [row.to_dict() for row in s.results]}
            for s in outcome.scored
        ],
    }
    write_text(store, json.dumps(record, indent=1) + "\n")


def _read(store: Path, name: str) -> Outcome:
    """A committed cell, under the name that its model has now.

    Raises:
        SyncxrError: It is damaged.
    """
    try:
        record = json.loads(store.read_text("utf-8"))
        with np.load(store.with_suffix(".npz")) as kept:
            draws = [kept[str(n)].astype(np.float64) for n in range(len(record["scored"]))]
        scored = []
        for entry, drawn in zip(record["scored"], draws, strict=True):
            rows = [Result.from_dict(row) for row in entry["results"]]
            renamed = (
                replace(row, model=name) if row.model == record["model"] else row for row in rows
            )
            scored.append(Scored(tuple(renamed), tuple(drawn), entry["measured_on"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SyncxrError(f"{store} is damaged ({error}); delete it and run again") from error
    return Outcome(tuple(scored), record["training"])


def _by_work(name: str, done: Sequence[tuple[Work, Outcome]]) -> list[list[Scored]]:
    """The model's scores without those of baselines, runs that differ in the seed together."""

    def but_seed(pair: tuple[Work, Outcome]) -> str:
        return json.dumps({**pair[0].identity(), "seed": None}, sort_keys=True)

    found: list[list[Scored]] = []
    for _, runs in groupby(done, key=but_seed):
        own = [[s for s in o.scored if s.results[0].model == name] for _, o in runs]
        # A cell scores a model by several protocols, or by one.
        found += map(list, zip(*own, strict=True))
    return found


def _mean_over_seeds(runs: Sequence[Scored]) -> tuple[Scored, int]:
    """Mean of runs on the same films in the same bootstrap samples; and how many there are."""
    if len(runs) == 1:
        return runs[0], 1
    rows, draws = [], []
    for place, row in enumerate(runs[0].results):
        own = [run.results[place] for run in runs]
        values = np.array([other.value for other in own])
        drawn = np.mean([run.draws[place] for run in runs], axis=0)
        value = float(values.mean())
        low, high = interval(drawn if np.isfinite(value) else ())
        spread = f"standard deviation over seeds {values.std(ddof=1):.3f}"
        note = "; ".join(filter(None, (row.note, spread)))
        protocol = f"{row.protocol}; mean of {len(runs)} seeds"
        rows.append(replace(row, protocol=protocol, value=value, low=low, high=high, note=note))
        draws.append(drawn)
    return Scored(tuple(rows), tuple(draws), runs[0].measured_on), len(runs)


def _unlike(mine: Scored, theirs: Scored) -> str:
    first, second = mine.results[0], theirs.results[0]
    return (
        f"{first.model} and {second.model} are not compared on {first.test_set}, {first.task}: at "
        f"{first.preprocessing} and {second.preprocessing} not the same films are positive"
    )


def _identity(row: Result) -> tuple[Any, ...]:
    """What makes a row another row; baselines come once from each model's cells."""
    return (
        row.task, row.model, row.test_set, row.split, row.finding, row.protocol, row.prompt_set,
        repr(row.fraction), row.seed, row.metric,
    )  # fmt: skip
