"""What a run will take: some real reports and films, timed, and the rest by proportion."""

from __future__ import annotations

import math
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from syncxr.config import Config
from syncxr.dataset.shards import ShardRecord, commit_shard, read_shard
from syncxr.dataset.storage import StoragePath
from syncxr.errors import SyncxrError
from syncxr.factory.executors import Spread
from syncxr.factory.runner import ShardWork
from syncxr.factory.sources import cut
from syncxr.factory.stage import Stage
from syncxr.operations.backends import Backend, backends
from syncxr.operations.calibration import Calibration, calibrate
from syncxr.operations.checks.machine import free_disk
from syncxr.operations.price import Estimate, StagePrice
from syncxr.pipeline import BACKENDS, bring_bank, bring_plan, check_parts, make_stages
from syncxr.sample import Sample

T = TypeVar("T")

_BATCHES = 6
"""Batches that a worker is measured on at most, after those that warm it up."""
_SMALLEST_BATCH = 8


def estimate(config: Config, bank: StoragePath | None, output: StoragePath) -> Estimate:
    """Price a run before it starts, and leave nothing behind.

    The bank and the whole plan are made; reports spread evenly over the plan go through the real
    stages in a temporary folder, until each worker was measured on some batches.

    Args:
        config: Settings of the run.
        bank: Entity bank, as for the run.
        output: Where the run would go, for its free disk; not touched.

    Raises:
        SyncxrError: A backend cannot run, or no report or film passed: no run would make any.
    """
    check_parts(config, *(() if bank else ("corpus",)), *BACKENDS)
    with tempfile.TemporaryDirectory(prefix="syncxr-dry-run-") as scratch:
        return _Pricing(config, bank, Path(scratch)).estimate(output)


@dataclass(frozen=True)
class _Timed(Generic[T]):
    result: T
    seconds: float
    cpu: float


@dataclass(frozen=True)
class _Measured:
    """A stage, how it is spread, and what driving it showed."""

    stage: Stage
    spread: Spread
    calibration: Calibration
    accepted: list[Sample]
    rejected: list[Sample]
    bytes: float

    @property
    def entered(self) -> int:
        return len(self.accepted) + len(self.rejected)

    @property
    def passes(self) -> float:
        """Share of samples that pass."""
        return len(self.accepted) / self.entered

    @property
    def attempts(self) -> float:
        """Attempts at one sample."""
        counted: int = sum(
            count
            for record in self.calibration.records
            for name, count in record.statistics.items()
            if name.endswith("attempts")
        )
        return counted / self.entered

    def reasons(self) -> str:
        """Why samples failed, the commonest first, for a message."""
        counts: Counter[str] = Counter()
        for record in self.calibration.records:
            for name, count in record.statistics.items():
                if ": " in name:
                    counts[name.partition(": ")[2]] += count
        return ", ".join(f"{name} {count}" for name, count in counts.most_common(3)) or "unknown"


class _Pricing:
    """One estimate in its temporary folder."""

    def __init__(self, config: Config, bank: StoragePath | None, folder: Path) -> None:
        self._config = config
        self._bank = bank
        self._folder = folder
        self._backends = {backend.kind: backend for backend in backends(config)}

    def estimate(self, output: StoragePath) -> Estimate:
        began = time.monotonic()
        audit = _timed(lambda: bring_bank(self._config, self._folder, self._bank))
        planning = _timed(lambda: bring_plan(self._config, self._folder)[0])
        plan = planning.result
        draft, film = make_stages(self._config)
        check = _timed(film.check)  # A run does so, too, before it drafts.
        planned = [Sample(report.id, report.entities) for report in plan]
        sizes = _sizes(len(planned), self._config.factory.shard_size)

        drafts = self._measure(draft, planned, len(sizes), self._asked("extractor", "writer"))
        self._some_passed(drafts, "report")
        films = self._measure(film, drafts.accepted, len(sizes), self._asked("renderer", "judge"))
        self._some_passed(films, "film")

        stages = [
            *([_done("audit", audit)] if self._bank is None else []),
            _done("plan", planning),
            self._price(drafts, sizes, self._asked("extractor", "writer")),
            self._price(
                films,
                [size * drafts.passes for size in sizes],
                self._asked("renderer", "judge"),
                more=check.seconds,
            ),
        ]
        prompt, completion = _tokens(drafts.accepted + drafts.rejected)
        verified = len(planned) * drafts.passes
        disk = drafts.bytes * len(planned) + films.bytes * verified + _size(self._folder)
        free = free_disk(output) if isinstance(output, Path) else None
        pairs = verified * films.passes
        return Estimate(
            asked=self._config.sampling.pairs,
            planned=len(planned),
            pairs=pairs,
            seconds=sum(stage.seconds for stage in stages),
            stages=tuple(stages),
            prompt_tokens=None if prompt is None else prompt / drafts.entered * len(planned),
            completion_tokens=completion / drafts.entered * len(planned),
            images=films.attempts * verified,
            bytes=disk,
            bytes_free=free,
            measuring=time.monotonic() - began,
            notes=tuple(self._notes(stages, pairs, disk, free)),
        )

    def _asked(self, *kinds: str) -> list[Backend]:
        return [self._backends[kind] for kind in kinds]

    def _measure(
        self, stage: Stage, samples: Sequence[Sample], shards: int, asked: Sequence[Backend]
    ) -> _Measured:
        """Drive a stage over samples spread evenly over those given."""
        spread = Spread.of(ShardWork(self._folder, stage), self._config.execution, shards)
        # On a cluster one worker of this machine stands for all.
        workers = spread.workers if self._config.execution.executor == "local" else 1
        in_hand = min(spread.shards, math.ceil(shards / workers))
        batches = workers * (in_hand + _BATCHES)
        busy = max(math.ceil(2 * backend.at_once() / in_hand) for backend in asked)
        wanted = min(max(_SMALLEST_BATCH, busy), self._config.factory.shard_size)
        size = max(1, min(wanted, len(samples) // (workers * (in_hand + 1))))
        chosen = _spread_out(samples, size * batches)
        local = Spread(workers, in_hand, spread.cpus, spread.gpus)
        calibration = calibrate(self._folder, stage, cut(chosen, size), local)
        accepted = list(_read(self._folder, calibration.records, stage.output + "/"))
        rejected = list(_read(self._folder, calibration.records, "rejected/"))
        whole = commit_shard(
            self._folder / "whole",
            stage.name,
            0,
            {"accepted.parquet": accepted, "rejected.parquet": rejected},
            {},
        )
        return _Measured(
            stage,
            spread,
            calibration,
            accepted,
            rejected,
            bytes=sum(file.bytes for file in whole.files) / (len(accepted) + len(rejected)),
        )

    def _some_passed(self, measured: _Measured, what: str) -> None:
        if not measured.accepted:
            raise SyncxrError(
                f"none of {measured.entered} calibration {what}s passed ({measured.reasons()}), "
                "so no run would make a pair; `syncxr doctor` shows what each backend answers"
            )

    def _price(
        self,
        measured: _Measured,
        sizes: Sequence[float],
        asked: Sequence[Backend],
        more: float = 0.0,
    ) -> StagePrice:
        """What a stage takes over all its shards; ``more`` seconds come before it."""
        samples, seen = sum(sizes), measured.calibration
        workers = min(measured.spread.workers, len(sizes))
        seconds = seen.total(sizes, workers) + more
        gpus = workers * (measured.spread.gpus or 1.0) if seen.gpu else 0.0
        servers = [backend.server() for backend in asked]
        return StagePrice(
            stage=measured.stage.name,
            samples=round(samples),
            attempts=samples * measured.attempts,
            passed=samples * measured.passes,
            seconds=seconds,
            cpu_hours=(seen.cpu_start_up + seen.cpu_per_sample * samples) / 3600,
            gpu_hours=seconds * gpus / 3600,
            gpu=seen.gpu,
            gpu_bytes=seen.gpu_bytes,
            servers=tuple(server.url for server in servers if server),
            workers=workers,
            measured=seen.measured,
            margin=seen.margin,
        )

    def _notes(
        self, stages: Sequence[StagePrice], pairs: float, disk: float, free: int | None
    ) -> Iterator[str]:
        asked = self._config.sampling.pairs
        if pairs < asked:
            yield (
                f"the run would end with about {pairs:,.0f} pairs of {asked:,}: raise "
                "factory.surplus, or factory.draft_attempts and factory.film_attempts"
            )
        if free is not None and disk > free:
            yield (
                f"the disk has {free / 1e9:.1f} GB free, {disk / 1e9:.1f} GB are needed: "
                "choose another folder with -o"
            )
        if any(stage.servers for stage in stages):
            yield "a server's GPUs are not counted: wall time × GPUs behind it is the most it costs"
        if self._config.execution.executor == "ray":
            yield "measured on one worker of this machine; assumes workers of the cluster like it"


def _timed(make: Callable[[], T]) -> _Timed[T]:
    start, cpu = time.monotonic(), time.process_time()
    result = make()
    return _Timed(result, time.monotonic() - start, time.process_time() - cpu)


def _done(stage: str, timed: _Timed[Any]) -> StagePrice:
    """A step that was done in full and takes that time again."""
    return StagePrice(
        stage=stage,
        samples=0,
        attempts=0,
        passed=0,
        seconds=timed.seconds,
        cpu_hours=timed.cpu / 3600,
    )


def _sizes(samples: int, shard: int) -> list[int]:
    return [min(shard, samples - start) for start in range(0, samples, shard)]


def _spread_out(samples: Sequence[Sample], count: int) -> list[Sample]:
    """``count`` samples in even steps from the first to the last, all if there are fewer."""
    if count >= len(samples):
        return list(samples)
    return [samples[index * len(samples) // count] for index in range(count)]


def _read(root: Path, records: Sequence[ShardRecord], beginning: str) -> Iterator[Sample]:
    for record in records:
        for file in record.files:
            if file.path.startswith(beginning):
                yield from read_shard(root / file.path)


def _tokens(samples: Sequence[Sample]) -> tuple[float | None, float]:
    """Tokens read and written over all attempts at these reports."""
    scores = [attempt["scores"] for s in samples for attempt in s.provenance["draft"]["attempts"]]
    written = sum(score.get("tokens", 0.0) for score in scores)
    read = sum(score.get("prompt_tokens", 0.0) for score in scores)
    return read or None, written


def _size(folder: Path) -> int:
    """Bytes of what a run folder holds beside its shards."""
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
