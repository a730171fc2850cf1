"""Plan a dataset of the paper's size and measure time and memory.

    python benchmarks/plan_scaling.py

The bank is synthetic: as many strings of each category as RaTE-NER finds in MIMIC-CXR (Liu et al.,
arXiv 2410.13523), their counts falling with rank by Zipf's law. Bars: 200,000 reports in under 30 s
and under 1 GB, at k = 9, m = 3, τ_max = 15.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from syncxr.entities.bank import Bank, BankEntry
from syncxr.entities.plan import PlanFile
from syncxr.entities.sampling import SamplingOptions, plan
from syncxr.sample import Category, Entity, Polarity
from syncxr.views.console import write_json

UNIQUE = {
    Category.ABNORMALITY: 55_047,
    Category.NON_ABNORMALITY: 36_365,
    Category.DISEASE: 23_017,
    Category.NON_DISEASE: 22_103,
    Category.ANATOMY: 40_517,
}
DENIED = {Category.NON_ABNORMALITY, Category.NON_DISEASE, Category.ANATOMY}
SECONDS, BYTES = 30.0, 1e9


def long_tailed_bank(unique: dict[Category, int], most: int = 400_000) -> Bank:
    """Counts that fall with rank: the first ``most`` times, half of all once or a few times."""
    return Bank(
        BankEntry(
            Entity(
                f"{category.value.lower()} {rank}",
                category,
                Polarity.ABSENT if category in DENIED else Polarity.PRESENT,
            ),
            max(1, round(most / rank**1.3)),
        )
        for category, n in unique.items()
        for rank in range(1, n + 1)
    )


def peak() -> float:
    """Bytes of memory that this process has had at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure(pairs: int, k: int, m: int, tau_max: int) -> dict[str, Any]:
    """Plan once, check the plan, write it and read it."""
    bank = long_tailed_bank(UNIQUE)
    before = peak()
    start, busy = time.perf_counter(), time.process_time()
    planned = plan(bank, SamplingOptions(pairs=pairs, k=k, m=m, tau_max=tau_max), lambda _: True)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - busy
    planning_peak = peak()
    uses = planned.uses()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.parquet"
        start = time.perf_counter()
        planned.write(path)
        written = time.perf_counter()
        read = sum(1 for _ in PlanFile(path))
        ended = time.perf_counter()
        size = path.stat().st_size
    return {
        "reports": read,
        "bank rows": len(bank),
        "finding rows": len(bank) - UNIQUE[Category.ANATOMY],
        "seconds": round(seconds, 1),
        "of one core, seconds": round(cpu_seconds, 1),
        "bar, seconds": SECONDS,
        "peak, bytes": round(planning_peak),
        "bar, bytes": BYTES,
        "before planning, bytes": round(before),
        "most uses of a row": max(uses.values()),
        "rows used": len(uses),
        "every report has k + m statements": all(len(r.entities) == k + m for r in planned),
        "write, seconds": round(written - start, 1),
        "read in a stream, seconds": round(ended - written, 1),
        "file, bytes": size,
    }


def main() -> int:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=200_000)
    parser.add_argument("--k", type=int, default=9)
    parser.add_argument("--m", type=int, default=3)
    parser.add_argument("--tau-max", type=int, default=15)
    parser.add_argument("--json", metavar="FILE", help="- for stdout")
    options = parser.parse_args()
    figures = measure(options.pairs, options.k, options.m, options.tau_max)
    if options.json:
        write_json(figures, Path(options.json))
    if options.json != "-":
        for name, value in figures.items():
            print(f"{name:>34}  {value}")
    good = (
        figures["seconds"] < SECONDS
        and figures["peak, bytes"] < BYTES
        and figures["most uses of a row"] <= options.tau_max
        and figures["every report has k + m statements"]
    )
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
