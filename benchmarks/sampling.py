"""What balanced sampling does to a real bank: entropy and Gini, real against planned.

    python benchmarks/sampling.py BANK [--json FILE]

BANK is ``bank.parquet`` of an audit; planned is the laptop preset. Time and memory at the paper's
scale: ``benchmarks/plan_scaling.py``.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from syncxr.config import load_config
from syncxr.entities.bank import Bank
from syncxr.entities.sampling import balance_report, plan
from syncxr.images import RENDERERS
from syncxr.progress import console
from syncxr.registry import build
from syncxr.views.console import write_json


def laptop_balance(path: Path) -> dict[str, Any]:
    """What the laptop preset makes of a bank."""
    config = load_config("laptop")
    bank = Bank.read(path)
    shows = build("renderer", RENDERERS, config.renderer).shows
    return balance_report(bank, plan(bank, config.sampling, shows))


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("bank", type=Path)
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    figures = laptop_balance(arguments.bank)
    for name, row in figures.items():
        console.print(
            f"{name:>16}: {row['rows']:4.0f} rows, entropy {row['real_entropy']:.2f} → "
            f"{row['planned_entropy']:.2f} of {row['max_entropy']:.2f} bits, Gini "
            f"{row['real_gini']:.2f} → {row['planned_gini']:.2f}, uses "
            f"{row['min_use']:.0f}–{row['max_use']:.0f}"
        )
    if arguments.json:
        write_json(figures, Path(arguments.json))


if __name__ == "__main__":
    main()
