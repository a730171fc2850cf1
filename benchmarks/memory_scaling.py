"""Whether memory stays flat as a run grows: peak RSS at 2,000 and at 20,000 planned samples.

    python benchmarks/memory_scaling.py

Each size is a whole `syncxr generate` in a process of its own: plan, drafts, films, manifest and
card, with a stub for the writer, the renderer and the judge. Bar: the peak at the greater size
within 15 % of that at the smaller.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import stub_backends
from syncxr.config import Config
from syncxr.entities.bank import Bank, BankEntry
from syncxr.entities.lexicon import load_lexicon
from syncxr.pipeline import run_generate
from syncxr.sample import Category, Entity, Polarity
from syncxr.views.console import write_json

BAR = 1.15

stub_backends.register()  # here, so that worker processes know them, too


def lexicon_bank() -> Bank:
    """Every finding of the lexicon, stated and denied, and every structure."""
    lexicon = load_lexicon()
    rows = [
        concept.entity(polarity)
        for concept in lexicon.concepts.values()
        for polarity in (Polarity.PRESENT, Polarity.ABSENT)
    ]
    rows += [Entity(name, Category.ANATOMY, Polarity.ABSENT) for name in lexicon.anatomies]
    return Bank(BankEntry(row, 1) for row in rows)


def run(pairs: int, folder: Path) -> None:
    """One run; prints its peak."""
    config = Config.model_validate(
        {
            "sampling": {"pairs": pairs, "k": 2, "m": 1, "tau_max": "auto"},
            "writer": {"name": "stub"},
            "renderer": {"name": "stub"},
            "judge": {"name": "stub"},
            "factory": {"surplus": 0},
            "execution": {"workers": 1},
        }
    )
    lexicon_bank().write(folder / "given.parquet")
    summary = run_generate(config, folder / "run", folder / "given.parquet")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"planned": pairs, "accepted": summary.generation.accepted, "peak": peak}))


def measure(sizes: list[int]) -> dict[str, Any]:
    """Both runs and their ratio."""
    runs = []
    for pairs in sizes:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, __file__, "--run", str(pairs), "--folder", folder]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            runs.append(json.loads(done.stdout.splitlines()[-1]))
    return {"runs": runs, "ratio": round(runs[-1]["peak"] / runs[0]["peak"], 3), "bar": BAR}


def main() -> int:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs=2, default=[2_000, 20_000])
    parser.add_argument("--json", metavar="FILE", help="- for stdout")
    parser.add_argument("--run", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        run(options.run, options.folder)
        return 0
    figures = measure(options.sizes)
    if options.json:
        write_json(figures, Path(options.json))
    if options.json != "-":
        for made in figures["runs"]:
            mib = made["peak"] / 2**20
            print(
                f"{made['planned']:>8,} planned  {made['accepted']:>8,} pairs  {mib:7.1f} MiB peak"
            )
        print(f"ratio {figures['ratio']} (bar: at most {BAR})")
    return int(figures["ratio"] > BAR)


if __name__ == "__main__":
    sys.exit(main())
