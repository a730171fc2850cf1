"""Balanced sampling at the paper's scale, and what it does to a real bank, beside the bars.

    python benchmarks/sampling.py [--bank FILE] [--json FILE]

1. 200,000 reports of 9 + 3 entities over 136,532 findings and 40,517 ANATOMY rows, each used at
   most 15 times: seconds and memory. Entities are made up; the lexicon knows none of them.
2. With ``--bank`` (``bank.parquet`` of an audit): entropy and Gini, real against planned, on the
   laptop preset.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from syncxr.config import load_config
from syncxr.entities.bank import Bank, BankEntry
from syncxr.entities.sampling import SamplingOptions, balance_report, plan
from syncxr.images import RENDERERS
from syncxr.progress import console
from syncxr.registry import build
from syncxr.sample import Category, Entity, Polarity

FINDINGS = {
    Category.ABNORMALITY: 55_047,
    Category.NON_ABNORMALITY: 36_365,
    Category.DISEASE: 23_017,
    Category.NON_DISEASE: 22_103,
}
ANATOMY = 40_517
BAR_SECONDS, BAR_GIB = 30, 1.0


def paper_bank() -> Bank:
    """As many entities as the paper finds in MIMIC-CXR, with long-tailed counts."""
    rows = []
    for category, number in FINDINGS.items():
        denied = category in (Category.NON_ABNORMALITY, Category.NON_DISEASE)
        polarity = Polarity.ABSENT if denied else Polarity.PRESENT
        rows += [Entity(f"{category} {i}", category, polarity) for i in range(number)]
    rows += [Entity(f"place {i}", Category.ANATOMY, Polarity.ABSENT) for i in range(ANATOMY)]
    counts = np.minimum(np.random.default_rng(0).zipf(1.3, len(rows)), 10**7)
    return Bank(BankEntry(row, int(n)) for row, n in zip(rows, counts, strict=True))


def paper_scale() -> dict[str, Any]:
    """Seconds of one plan, on the clock and of the processor, and the greatest memory."""
    bank, options = paper_bank(), SamplingOptions(allow_unshown=True)
    start, busy = time.perf_counter(), time.process_time()
    made = plan(bank, options, lambda entity: True)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - busy
    gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    uses = made.uses().values()
    return {
        "reports": len(made),
        "rows": len(bank),
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "bar_seconds": BAR_SECONDS,
        "gib": gib,
        "bar_gib": BAR_GIB,
        "max_use": max(uses),
        "mean_use": sum(uses) / len(bank),
    }


def laptop_balance(path: Path) -> dict[str, Any]:
    """What the laptop preset makes of a bank."""
    config = load_config("laptop")
    bank = Bank.read(path)
    shows = build("renderer", RENDERERS, config.renderer).shows
    return balance_report(bank, plan(bank, config.sampling, shows))


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--bank", type=Path)
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    figures: dict[str, Any] = {"paper_scale": paper_scale()}
    scale = figures["paper_scale"]
    console.print(
        f"{scale['reports']:,} reports over {scale['rows']:,} rows: {scale['seconds']:.1f} s, "
        f"{scale['cpu_seconds']:.1f} s of one core (bar {BAR_SECONDS}), "
        f"{scale['gib']:.2f} GiB (bar {BAR_GIB}), greatest use {scale['max_use']} (cap 15)"
    )
    if arguments.bank:
        figures["balance"] = laptop_balance(arguments.bank)
        for name, row in figures["balance"].items():
            console.print(
                f"{name:>16}: {row['rows']:4.0f} rows, entropy {row['real_entropy']:.2f} → "
                f"{row['planned_entropy']:.2f} of {row['max_entropy']:.2f} bits, Gini "
                f"{row['real_gini']:.2f} → {row['planned_gini']:.2f}, uses "
                f"{row['min_use']:.0f}–{row['max_use']:.0f}"
            )
    if arguments.json == "-":
        json.dump(figures, sys.stdout, indent=1)
    elif arguments.json:
        Path(arguments.json).write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
