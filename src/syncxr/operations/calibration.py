"""A stage driven for a short while through its real executor, with a clock beside it."""

from __future__ import annotations

import math
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from scipy.stats import t as student

from syncxr.dataset.shards import ShardRecord
from syncxr.factory.executors import LocalExecutor, Spread
from syncxr.factory.options import ExecutionOptions, StageOptions
from syncxr.factory.runner import ShardWork
from syncxr.factory.sources import ShardSource
from syncxr.factory.stage import Stage
from syncxr.progress import bar
from syncxr.resources import Resources

_BUDGET = 30.0
"""Seconds after which no worker begins another batch, once it has measured one."""


@dataclass(frozen=True)
class Batch:
    """What one batch took; times are ``time.monotonic()``.

    Attributes:
        size: Samples given.
        record: What was committed; ``None`` if the time was up before.
        worker: Process that did it.
        cold: Begun before its worker had finished any: models and caches were cold.
        start: When it began.
        end: When it was committed.
        cpu: Processor seconds of its process until then.
        gpu: Name of the GPU that the process has used, ``""`` = none.
        gpu_bytes: The most GPU memory it has held.
    """

    size: int
    record: ShardRecord | None
    worker: int = 0
    cold: bool = False
    start: float = 0.0
    end: float = 0.0
    cpu: float = 0.0
    gpu: str = ""
    gpu_bytes: int = 0


class TimedWork:
    """A stage's work with a clock beside it."""

    def __init__(self, root: Path, stage: Stage) -> None:
        self._work = ShardWork(root, stage)

    @property
    def name(self) -> str:
        """The stage's."""
        return self._work.name

    @property
    def resources(self) -> Resources:
        """What a worker needs."""
        return self._work.resources

    def setup(self) -> None:
        """Load the stage's models in this process."""
        self._work.setup()
        self._lock = threading.Lock()
        self._warm_since = math.inf
        self._measured = 0

    def __call__(self, source: ShardSource, done: Callable[[int], None]) -> Batch:
        """Process one batch, unless the time is up."""
        start = time.monotonic()
        cold = self._warm_since == math.inf
        if self._measured and start - self._warm_since > _BUDGET:
            done(source.size)
            return Batch(source.size, None)
        record = self._work(source, done)
        with self._lock:
            end = time.monotonic()
            self._warm_since = min(self._warm_since, end)
            self._measured += not cold
        gpu, held = _gpu()
        cpu = time.process_time()
        return Batch(source.size, record, os.getpid(), cold, start, end, cpu, gpu, held)


@dataclass(frozen=True)
class Calibration:
    """What driving a stage for a while showed.

    Attributes:
        start_up: Seconds before the first batch began: processes, models.
        warm_up: Seconds that first batches took beyond what they would have taken later.
        seconds_per_sample: Of one worker beside the others, warm.
        margin: Half the 95 % interval of it, as a share of it; ``None`` with fewer than three
            batches, or where they differ too much to say.
        cpu_per_sample: Processor seconds of one sample.
        cpu_start_up: Processor seconds of all workers before they were warm, beyond that.
        gpu: Name of the GPU used, ``""`` = none.
        gpu_bytes: The most GPU memory that a worker held.
        measured: Samples behind the rate.
        records: What was committed, cold batches included.
    """

    start_up: float
    warm_up: float
    seconds_per_sample: float
    margin: float | None
    cpu_per_sample: float
    cpu_start_up: float
    gpu: str
    gpu_bytes: int
    measured: int
    records: tuple[ShardRecord, ...]

    def total(self, sizes: Sequence[float], workers: int) -> float:
        """Wall seconds of a stage over shards of these sizes.

        Args:
            sizes: Samples in each shard, in order.
            workers: Workers; each takes the next shard when it is free.
        """
        free = [0.0] * max(1, min(workers, len(sizes)))
        for size in sizes:
            free[free.index(min(free))] += size * self.seconds_per_sample
        return self.start_up + self.warm_up + max(free)


def calibrate(
    root: Path, stage: Stage, sources: Sequence[ShardSource], spread: Spread
) -> Calibration:
    """Drive a stage over some batches on this machine.

    Args:
        root: Empty folder for what is made.
        stage: The stage as a run would use it.
        sources: Batches, the first of each worker for warming up; those that no worker has
            begun when the time is up are left out.
        spread: Workers, and batches that each has in hand.
    """
    chosen = StageOptions(workers=spread.workers, shards=spread.shards)
    executor = LocalExecutor(ExecutionOptions.model_validate({"stages": {stage.name: chosen}}))
    start, cpu = time.monotonic(), time.process_time()
    with bar(f"calibrate {stage.name}", sum(source.size for source in sources)) as progress:
        # The executor hands on whatever the work gives.
        results: Any = executor.map(TimedWork(root, stage), sources, progress.advance)
        batches: list[Batch] = [batch for batch in results if batch.record is not None]
    batches.sort(key=lambda batch: batch.worker)
    # What this process has done before is no part of it; a process of its own begins at 0.
    workers = [
        _worker(list(group), cpu if number == os.getpid() else 0.0)
        for number, group in groupby(batches, lambda batch: batch.worker)
    ]
    measured = sum(worker.samples for worker in workers)
    rate = sum(worker.seconds for worker in workers) / measured
    cpu_rate = sum(worker.cpu for worker in workers) / measured
    greatest = max(batches, key=lambda batch: batch.gpu_bytes)
    return Calibration(
        start_up=min(batch.start for batch in batches) - start,
        warm_up=max(worker.cold(rate) for worker in workers),
        seconds_per_sample=rate,
        margin=_margin([(batch.end - batch.start) / batch.size for batch in _warm(batches)]),
        cpu_per_sample=cpu_rate,
        cpu_start_up=sum(
            max(worker.cold_cpu - cpu_rate * worker.cold_samples, 0.0) for worker in workers
        ),
        gpu=greatest.gpu,
        gpu_bytes=greatest.gpu_bytes,
        measured=measured,
        records=tuple(batch.record for batch in batches if batch.record is not None),
    )


@dataclass(frozen=True)
class _Worker:
    """One worker's time: cold, then warm over so many samples."""

    cold_seconds: float
    cold_cpu: float
    cold_samples: int
    seconds: float
    samples: int
    cpu: float

    def cold(self, rate: float) -> float:
        """Seconds that its cold batches took beyond the rate of warm ones."""
        return max(self.cold_seconds - rate * self.cold_samples, 0.0)


def _worker(batches: Sequence[Batch], cpu_before: float = 0.0) -> _Worker:
    """Sum up one worker; several batches at a time count by the time that they took together."""
    start = min(batch.start for batch in batches)
    end = max(batch.end for batch in batches)
    cold = [batch for batch in batches if batch.cold]
    warm = [batch for batch in batches if not batch.cold]
    if not warm:  # So few samples that every batch was a first one: their time is all there is.
        size = sum(batch.size for batch in cold)
        spent = max(batch.cpu for batch in cold) - cpu_before
        return _Worker(0.0, 0.0, 0, end - start, size, spent)
    warm_from = sum(batch.end for batch in cold) / len(cold)
    cpu_from = sum(batch.cpu for batch in cold) / len(cold)
    return _Worker(
        cold_seconds=warm_from - start,
        cold_cpu=cpu_from - cpu_before,
        cold_samples=sum(batch.size for batch in cold),
        seconds=end - warm_from,
        samples=sum(batch.size for batch in warm),
        cpu=max(batch.cpu for batch in warm) - cpu_from,
    )


def _warm(batches: Sequence[Batch]) -> Sequence[Batch]:
    return [batch for batch in batches if not batch.cold] or batches


def _margin(rates: Sequence[float]) -> float | None:
    """Half the 95 % interval of the mean of ``rates`` (Student's t), as a share of it."""
    n = len(rates)
    if n < 3:
        return None
    mean = sum(rates) / n
    deviation = math.sqrt(sum((rate - mean) ** 2 for rate in rates) / (n - 1))
    margin = float(student.ppf(0.975, n - 1)) * deviation / math.sqrt(n) / mean
    return margin if margin < 1 else None


def _gpu() -> tuple[str, int]:
    """Name of the GPU that this process has put something on, and the most it held there."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available() or not torch.cuda.is_initialized():
        return "", 0
    held = int(torch.cuda.max_memory_allocated())
    return (str(torch.cuda.get_device_name()), held) if held else ("", 0)
