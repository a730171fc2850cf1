"""What the factory costs the language model: the drafting stage against the engine driven bare.

    python benchmarks/llm_throughput.py --plan FILE [--reports N] [--shard N] [--turns N]
                                        [--json FILE]

The real stage drafts reports of a plan (``syncxr plan``) through the real runner: prompts,
grammars, verification, shards written and committed. Bare, engines like its own (as many, as many
threads and slots) are handed the very same requests, ready made, by a pool of threads that does
nothing else. Both go over the same reports, in turns; the examples of their prompts have been read
before the clock starts.

Printed: tokens a second of both and their ratio, in one run, and the same per second of processor
time, which a busy machine disturbs less. Bar: at least 0.9.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue
from typing import Any

import numpy as np

from syncxr.dataset.reader import read
from syncxr.entities.plan import Plan
from syncxr.factory.drafts import DraftStage
from syncxr.factory.executors import LocalExecutor
from syncxr.factory.runner import run_stage
from syncxr.factory.sources import cut
from syncxr.progress import console
from syncxr.registry import BackendSpec
from syncxr.reports.draft import DraftRequest
from syncxr.reports.drafting import DraftingOptions, draft
from syncxr.reports.writer import Completion, Prompt
from syncxr.reports.writers.llamacpp import LlamaCppOptions, LlamaCppWriter
from syncxr.sample import Sample, derive_seed
from syncxr.views.console import write_json

BAR = 0.9


class Collecting:
    """A writer that writes nothing and keeps the prompts."""

    name = "collecting"

    def __init__(self) -> None:
        self.prompts: list[Prompt] = []

    def write(self, prompts: Sequence[Prompt]) -> list[Completion]:
        """Keep them."""
        self.prompts += prompts
        return [Completion("", 0) for _ in prompts]

    def provenance(self) -> dict[str, Any]:
        """Nothing was made."""
        return {}


class Bare:
    """The engines and their threads, and requests that are ready to be sent."""

    def __init__(self) -> None:
        self._writer = LlamaCppWriter(LlamaCppOptions())
        self._writer.load()
        self._slots = self._writer.options.slots

    def __call__(self, samples: Sequence[Sample]) -> tuple[int, float]:
        """Tokens and seconds."""
        bodies = self._bodies(samples)
        free: Queue[Any] = Queue()
        engines = self._writer.engines * self._slots
        for engine in engines:
            free.put(engine)

        def send(body: dict[str, Any]) -> int:
            engine = free.get()
            try:
                return int(engine.handle_completions(body)["usage"]["completion_tokens"])
            finally:
                free.put(engine)

        start = time.perf_counter()
        with ThreadPoolExecutor(len(engines)) as pool:
            tokens = sum(pool.map(send, bodies))
        return tokens, time.perf_counter() - start

    def _bodies(self, samples: Sequence[Sample]) -> list[dict[str, Any]]:
        collecting = Collecting()
        # The seeds of the stage's first round.
        requests = [
            DraftRequest(sample.id, sample.entities, derive_seed(sample.id, "draft", 0))
            for sample in samples
        ]
        list(draft(requests, collecting))
        return [self._writer.body(prompt) for prompt in collecting.prompts]


class Staged:
    """The stage through the runner; each call is a run of its own."""

    def __init__(self, shard: int) -> None:
        self._shard = shard
        self._stage = _SetUpOnce(BackendSpec(name="llamacpp"), DraftingOptions(), 8)

    def __call__(self, samples: Sequence[Sample]) -> tuple[int, float]:
        """Tokens and seconds."""
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            run_stage(Path(folder), self._stage, cut(samples, self._shard), LocalExecutor())
            seconds = time.perf_counter() - start
            made = [
                sample.provenance["draft"]["attempts"] for sample in read(Path(folder, "drafts"))
            ]
        return int(sum(each["scores"]["tokens"] for attempts in made for each in attempts)), seconds


class _SetUpOnce(DraftStage):
    """Keeps its engines from one run to the next, as one run keeps them from shard to shard."""

    _ready = False

    def setup(self) -> None:
        if not self._ready:
            super().setup()
            self._ready = True


def main() -> None:
    """Take turns, print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--plan", type=Path, required=True, help="plan.parquet of `syncxr plan`")
    parser.add_argument("--reports", type=int, default=200, help="at most, in all")
    parser.add_argument("--shard", type=int, default=15)
    parser.add_argument("--turns", type=int, default=4, help="of two shards each")
    parser.add_argument("--json", help="file for the figures, '-' = stdout")
    arguments = parser.parse_args()

    planned = list(Plan.read(arguments.plan))[: arguments.reports + 8]
    samples = [Sample(report.id, report.entities) for report in planned]
    warm, samples = samples[:8], samples[8:]
    ways: dict[str, Callable[[Sequence[Sample]], tuple[int, float]]] = {
        "bare": Bare(),
        "stage": Staged(arguments.shard),
    }
    totals = {name: np.zeros(3) for name in ways}
    for way in ways.values():
        way(warm)
    size = 2 * arguments.shard
    for turn, first in enumerate(range(0, size * arguments.turns, size)):
        part = samples[first : first + size]
        if not part:
            break
        # Who goes first changes, so that a machine that slows down favours neither.
        for name in list(ways)[:: 1 if turn % 2 == 0 else -1]:
            used = _processor_seconds()
            tokens, seconds = ways[name](part)
            totals[name] += tokens, seconds, _processor_seconds() - used
        result = figures(first + len(part), totals)
        show(result)
        if arguments.json and arguments.json != "-":
            write_json(result, Path(arguments.json))
    if arguments.json == "-":
        write_json(result, Path("-"))


def figures(reports: int, totals: dict[str, np.ndarray]) -> dict[str, Any]:
    """Rates so far, from tokens, seconds and processor seconds."""
    rates = {name: float(total[0] / total[1]) for name, total in totals.items()}
    busy = {name: float(total[0] / total[2]) for name, total in totals.items()}
    return {
        "reports": reports,
        "tokens": {name: int(total[0]) for name, total in totals.items()},
        "tokens_per_second": rates,
        "ratio": rates["stage"] / rates["bare"],
        "tokens_per_processor_second": busy,
        "processor_ratio": busy["stage"] / busy["bare"],
        "bar": BAR,
    }


def _processor_seconds() -> float:
    return sum(resource.getrusage(resource.RUSAGE_SELF)[:2])


def show(result: dict[str, Any]) -> None:
    """One line on stderr."""
    rates = result["tokens_per_second"]
    console.print(
        f"{result['reports']} reports: bare {rates['bare']:.1f} tokens/s, "
        f"stage {rates['stage']:.1f} tokens/s, ratio {result['ratio']:.3f} (bar ≥ {BAR}); "
        f"per processor second {result['processor_ratio']:.3f}"
    )


if __name__ == "__main__":
    main()
