"""Does pre-training on generated pairs learn what the pairs say? Bar: mean zero-shot AUROC ≥ .65.

    python benchmarks/pretraining.py [--pairs 1000] [--dataset FOLDER] [--minutes M] [--json FILE]

Trains twice with one configuration: on the pairs, and on the same pairs with captions shuffled
among films. Both are scored on the held-out simulated set (other words, other patients; one
source CT). Without --dataset the pairs are made here: the laptop preset's plan over the Open-i
entity bank, texts by a random walk through the report grammar (no language model), films by the
simulator.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from syncxr.config import load_config
from syncxr.corpora import openi
from syncxr.entities.bank import Bank
from syncxr.entities.sampling import plan
from syncxr.errors import Stopped, SyncxrError
from syncxr.evaluation.suites.held_out import evaluate
from syncxr.evaluation.testsets.making import SimulatedOptions
from syncxr.evaluation.testsets.making import make as make_test_set
from syncxr.factory.audit.entities import audit_reports
from syncxr.factory.executors import LocalExecutor
from syncxr.factory.films import FilmStage
from syncxr.factory.options import ExecutionOptions
from syncxr.factory.run_folder import open_run
from syncxr.factory.runner import run_stage
from syncxr.factory.sources import cut
from syncxr.images import RENDERERS
from syncxr.pretraining.data.pairs import Pairs
from syncxr.pretraining.training.run import pretrain
from syncxr.registry import build
from syncxr.reports.constrained import report_grammar
from syncxr.reports.drafting import DraftRequest
from syncxr.sample import Sample, derive_seed
from syncxr.views.console import scores, write_json

BAR = 0.65


def make_pairs(count: int, folder: Path, workers: int) -> Path:
    """Plan, walk the grammar, render; goes on where an earlier call stopped."""
    config = load_config("laptop")
    if not (folder / "bank.parquet").exists():
        audit_reports(openi.OpenI(), folder)
    options = config.sampling.model_copy(update={"pairs": count})
    renderer = build("renderer", RENDERERS, config.renderer)
    samples = []
    for report in plan(Bank.read(folder / "bank.parquet"), options, renderer.shows):
        request = DraftRequest(report.id, report.entities, derive_seed(report.id, "walk", 0))
        text = report_grammar(request).walk(np.random.default_rng(request.seed))
        findings, _, impression = text.partition("IMPRESSION:")
        samples.append(Sample(report.id, report.entities, findings.strip(), impression.strip()))
    stage = FilmStage(config.renderer, judge=None, max_attempts=3, require_shown=True)
    with open_run(folder, {"pairs": count, "renderer": config.renderer.model_dump(mode="json")}):
        run_stage(folder, stage, cut(samples, 50), LocalExecutor(ExecutionOptions(workers=workers)))
    return folder / "dataset"


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Train and score both runs."""
    work = arguments.work
    dataset = arguments.dataset or make_pairs(
        arguments.pairs, work / f"pairs-{arguments.pairs}", arguments.workers
    )
    test = make_test_set(
        SimulatedOptions(films=arguments.films), work / f"test-{arguments.films}", arguments.workers
    )
    every = Pairs.from_dataset(dataset)
    pairs = replace(every, items=every.items[: arguments.pairs])
    options = load_config("laptop").pretraining.model_copy(
        update={"minutes": arguments.minutes, "seed": arguments.seed}
        | ({"epochs": arguments.epochs} if arguments.epochs else {})
    )
    figures: dict[str, Any] = {"bar": BAR, "options": options.model_dump(mode="json")}
    console = Console(stderr=True)
    for name, given in (("true", pairs), ("shuffled", pairs.shuffled(arguments.seed))):
        folder = work / f"checkpoint-{name}-{len(pairs)}-{given.fingerprint()[:8]}"
        trained = pretrain(given, options, folder)
        scores_in = work / "evaluation"
        scored = evaluate(folder, test, scores_in, prompt_set=arguments.prompt_set).to_dict()
        console.print(f"[bold]captions: {name}")
        console.print(scores(scored))
        figures[name] = {"pretraining": trained.to_dict(), **scored}
    return figures


def verdict(figures: dict[str, Any]) -> list[str]:
    """The figures beside their bars."""
    true, shuffled = (figures[name]["classification"] for name in ("true", "shuffled"))
    apart = true["low"] > shuffled["high"]
    return [
        f"mean zero-shot AUROC {true['mean']:.3f} [{true['low']:.3f}, {true['high']:.3f}], "
        f"bar ≥ {BAR}: {'reached' if true['mean'] >= BAR else 'MISSED'}",
        f"captions shuffled      {shuffled['mean']:.3f} "
        f"[{shuffled['low']:.3f}, {shuffled['high']:.3f}], "
        f"intervals apart: {'yes' if apart else 'NO'}",
        f"{true['test_set']}, prompt set “{true['prompt_set']}”; one source CT",
    ]


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--dataset", type=Path, help="folder of a generated dataset")
    parser.add_argument("--films", type=int, default=1000, help="held-out test films")
    parser.add_argument("--minutes", type=float, help="limit of each training run")
    parser.add_argument("--epochs", type=int, help="instead of the laptop preset's")
    parser.add_argument("--prompt-set", default="pair")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--work", type=Path, default=Path("runs/benchmark-pretraining"))
    parser.add_argument("--json", metavar="FILE", help='"-" = stdout')
    arguments = parser.parse_args()
    try:
        figures = measure(arguments)
    except Stopped as stop:
        print(stop, file=sys.stderr)
        sys.exit(stop.status)
    except SyncxrError as error:
        sys.exit(f"error: {error}")
    lines = verdict(figures)
    print("\n".join(lines), file=sys.stderr if arguments.json == "-" else sys.stdout)
    if arguments.json:
        write_json(figures, Path(arguments.json))


if __name__ == "__main__":
    main()
