"""What the pipeline itself costs: wall time of a stage over the time its backends need.

    python benchmarks/pipeline_overhead.py

The backends are stubs of fixed latency. Drafting asks a server that takes a fixed number of
requests at a time; the ideal is then rounds × latency. Films come from one GPU, one after the
other; the ideal is films × (latency of the renderer + latency of the judge). Bar: at most 1.05 ×
the ideal, for each stage; what is made is what any run makes (grammar, verification, rounds, PNG,
Parquet, hashes, fsync).
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import stub_backends
from memory_scaling import lexicon_bank
from syncxr.entities.plan import PlanFile
from syncxr.entities.sampling import SamplingOptions, plan
from syncxr.factory.drafts import DraftStage
from syncxr.factory.executors import make_executor
from syncxr.factory.films import FilmStage
from syncxr.factory.generate import cut_plan
from syncxr.factory.options import ExecutionOptions
from syncxr.factory.run_folder import open_run
from syncxr.factory.runner import outputs, run_stage
from syncxr.registry import BackendSpec
from syncxr.reports.drafting import DraftingOptions
from syncxr.views.console import write_json

BAR = 1.05
SHARD = 50

stub_backends.register()  # here, so that worker processes know them, too


def stub(**options: float) -> BackendSpec:
    """A stub with its options."""
    return BackendSpec.model_validate({"name": "stub", **options})


def measure(
    reports: int,
    films: int,
    request: float,
    concurrency: int,
    film: float,
    verdict: float,
    size: int,
) -> dict[str, Any]:
    """Run both stages once; figures as JSON values.

    Args:
        reports: Reports to draft.
        films: Films of the first of them.
        request: Seconds of one request to the language model.
        concurrency: Requests that its server takes at a time.
        film: Seconds of one film.
        verdict: Seconds of one verdict.
        size: Side of a film, pixels.
    """
    draft = DraftStage(stub(latency=request, concurrency=concurrency), DraftingOptions(), 3)
    render = FilmStage(stub(latency=film, size=size), stub(latency=verdict), 3, require_shown=True)
    executor = make_executor(ExecutionOptions(workers=1))
    with tempfile.TemporaryDirectory() as folder, open_run(Path(folder), {}) as root:
        options = SamplingOptions(pairs=reports, k=3, m=1, tau_max="auto")
        plan(lexicon_bank(), options, lambda _: True).write(root / "plan.parquet")
        sources = cut_plan(PlanFile(root / "plan.parquet"), SHARD, {})
        start = time.perf_counter()
        drafted = sum(record.size for record in run_stage(root, draft, sources, executor))
        middle = time.perf_counter()
        made = run_stage(root, render, outputs(root, draft)[: films // SHARD], executor)
        end = time.perf_counter()
        pairs = sum(record.statistics["accepted"] for record in made)
    drafting = math.ceil(drafted / concurrency) * request
    rendering = pairs * (film + verdict)
    return {
        "reports": drafted,
        "pairs": pairs,
        "drafts": row(middle - start, drafting),
        "films": row(end - middle, rendering),
        "bar": BAR,
    }


def row(wall: float, ideal: float) -> dict[str, float]:
    """Wall time beside the ideal."""
    return {"wall": round(wall, 2), "ideal": round(ideal, 2), "ratio": round(wall / ideal, 4)}


def main() -> int:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--reports", type=int, default=1600)
    parser.add_argument("--films", type=int, default=300)
    parser.add_argument("--request", type=float, default=4.0, help="seconds")
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument("--film", type=float, default=0.4, help="seconds")
    parser.add_argument("--verdict", type=float, default=0.1, help="seconds")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--json", metavar="FILE", help="- for stdout")
    options = vars(parser.parse_args())
    json_file = options.pop("json")
    figures = measure(**options)
    if json_file:
        write_json(figures, Path(json_file))
    if json_file != "-":
        for stage in ("drafts", "films"):
            made = figures[stage]
            print(
                f"{stage}: {made['wall']} s, ideal {made['ideal']} s, ratio {made['ratio']} "
                f"(bar: at most {BAR})"
            )
    return int(max(figures[stage]["ratio"] for stage in ("drafts", "films")) > BAR)


if __name__ == "__main__":
    sys.exit(main())
