"""Do ConVIRT and GLoRIA learn to see what the pairs say? The proof, on 5,000 films and two cores.

    python benchmarks/learning.py DATASET... [--minutes 60] [--real FOLDER] [--json FILE]

Trains each method for at most --minutes on the same pairs, one after the other, with the
settings of METHODS below, and scores both on the held-out simulated set (other words, other
patients; one source CT), with every prompt set, as much hangs on it. Bars: with the prompts that
suit a method (PROMPTS) mean zero-shot AUROC >= .80 and every finding >= .70, and with sentences
(PHRASES) GLoRIA's pointing game above ConVIRT's. With --real the scores on a folder of real films
with labels.csv are printed too, by the strict rules. A training that a signal stopped says so in a
line, with status 75, and the same command goes on.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from rich.console import Console

from syncxr.config import Config, load_config
from syncxr.errors import Stopped, SyncxrError
from syncxr.evaluation.prompts.sets import shipped
from syncxr.evaluation.suites.held_out import evaluate
from syncxr.evaluation.testsets.making import SimulatedOptions
from syncxr.evaluation.testsets.making import make as make_test_set
from syncxr.pipeline import run_evaluation, run_pretraining
from syncxr.views.console import scores, write_json

MEAN_BAR, FINDING_BAR = 0.80, 0.70

METHODS: dict[str, dict[str, Any]] = {
    "convirt": {},
    "gloria": {"pretraining.text_encoder.last_layers": 4, "pretraining.batch_size": 48},
}
"""What each method sets beside the laptop preset."""

PROMPTS = {"convirt": "single", "gloria": "severity-location"}
"""ConVIRT's paper asks with one text a class (its text-image retrieval), GLoRIA's with texts that
vary severity and place; neither with a denial, which "pair" and "ensemble" compare with."""

PHRASES = "ensemble"
"""A phrase to be found in a film is a sentence, as in reports; one set for all methods."""


def settings(method: str, arguments: argparse.Namespace) -> Config:
    """The laptop preset for one method."""
    common = {
        "pretraining.method.name": method,
        # ConVIRT's paper samples a sentence; of short reports that say little else than what is
        # seen, whole ones teach more in an hour.
        "pretraining.data.caption": "report",
        "pretraining.precision": "bf16",
        "pretraining.preprocessing.size": arguments.size,
        "pretraining.epochs": arguments.epochs,
        "pretraining.minutes": arguments.minutes,
        "pretraining.seed": arguments.seed,
        "pretraining.threads": arguments.threads,
    }
    return load_config("laptop", common | METHODS[method])


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Train and score every method."""
    work = arguments.work
    test = arguments.test or make_test_set(
        SimulatedOptions(films=arguments.films), work / f"test-{arguments.films}", 2
    )
    figures: dict[str, Any] = {"bars": {"mean": MEAN_BAR, "each": FINDING_BAR}}
    console = Console(stderr=True)
    for method in arguments.methods:
        config, folder = settings(method, arguments), work / method
        trained = run_pretraining(config, arguments.datasets, folder)
        figures[method] = {
            "options": config.pretraining.model_dump(mode="json"),
            "pretraining": trained.to_dict(),
            "scores": {},
        }
        for prompts in shipped():
            found = evaluate(folder, test, work / "evaluation", prompt_set=prompts).to_dict()
            console.print(f"[bold]{method}, prompts “{prompts}”")
            console.print(scores(found))
            figures[method]["scores"][prompts] = found
    if arguments.real:
        figures["real"] = real_scores(arguments, console)
    return figures


def real_scores(arguments: argparse.Namespace, console: Console) -> Any:
    """Scores on real films, raw, within the abnormal, stratified, brightness beside."""
    report = run_evaluation(
        load_config("laptop"),
        {method: arguments.work / method for method in arguments.methods},
        "films",
        {"folder": arguments.real},
        arguments.work / f"real-{'-'.join(arguments.methods)}",
    )
    console.print(*report.to_rich(), sep="\n")
    return report.to_dict()


def verdict(figures: dict[str, Any], methods: list[str]) -> list[str]:
    """The figures beside their bars."""
    lines: list[str] = []
    for method in methods:
        lines += [f"{method}: {spent(figures[method])}", *scored(method, figures[method])]
    if {"convirt", "gloria"} <= set(methods):
        pointing = {
            name: figures[name]["scores"][PHRASES]["grounding"]["mean"]
            for name in ("convirt", "gloria")
        }
        above = pointing["gloria"] > pointing["convirt"]
        lines.append(f"GLoRIA points better than ConVIRT: {'yes' if above else 'NO'}")
    return [*lines, "held-out simulated films; one source CT"]


def spent(found: dict[str, Any]) -> str:
    """What a training was given."""
    trained, options = found["pretraining"], found["options"]
    return (
        f"{trained['pairs']} pairs, {options['preprocessing']['size']} px, "
        f"{trained['seconds'] / 60:.0f} minutes on {options['threads']} threads, "
        f"{trained['epochs']} epochs"
    )


def scored(method: str, found: dict[str, Any]) -> list[str]:
    """Scores of a method, those with its own prompts beside their bars."""
    lines = []
    for prompts, one in found["scores"].items():
        table, grounding = one["classification"], one["grounding"]
        # A finding that cannot be scored has no AUROC; it is named below.
        worst = min(
            (row for row in table["rows"] if row["finding"] not in table["left_out"]),
            key=lambda row: float(row["auroc"]),
        )
        own = prompts == PROMPTS[method]
        lines += [
            f"  {prompts}: mean AUROC {table['mean']:.3f} [{table['low']:.3f}, {table['high']:.3f}]"
            f"{beside(table['mean'], MEAN_BAR, own)}, "
            f"lowest {worst['finding']} {worst['auroc']:.3f}"
            f"{beside(worst['auroc'], FINDING_BAR, own)}, "
            f"pointing game {grounding['mean']:.3f} (blind {grounding['mean_chance']:.3f})",
            *(f"    left out: {name} ({why})" for name, why in table["left_out"].items()),
        ]
    return lines


def beside(value: float, bar: float, wanted: bool) -> str:
    """A figure's bar, where it has one."""
    return f" (bar {bar:.2f} {'reached' if value >= bar else 'MISSED'})" if wanted else ""


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("datasets", type=Path, nargs="+", help="folders of generated datasets")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--minutes", type=float, default=60.0, help="limit of each training")
    parser.add_argument("--epochs", type=int, default=16, help="the rate falls to zero over these")
    parser.add_argument("--size", type=int, default=160, help="of the films in training, pixels")
    parser.add_argument("--films", type=int, default=600, help="held-out test films")
    parser.add_argument("--test", type=Path, help="a held-out set made before")
    parser.add_argument("--real", type=Path, help="folder of real films with labels.csv")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", type=Path, default=Path("runs/benchmark-learning"))
    parser.add_argument("--json", metavar="FILE", help='"-" = stdout')
    arguments = parser.parse_args()
    try:
        figures = measure(arguments)
    except Stopped as stop:
        print(stop, file=sys.stderr)
        sys.exit(stop.status)
    except SyncxrError as error:
        sys.exit(f"error: {error}")
    lines = verdict(figures, arguments.methods)
    print("\n".join(lines), file=sys.stderr if arguments.json == "-" else sys.stdout)
    if arguments.json:
        write_json(figures, Path(arguments.json))


if __name__ == "__main__":
    main()
