"""Commands that score."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from syncxr.cli.app import app
from syncxr.cli.options import ConfigSource, Json, Output, Overrides, Workers, configuration, finish


@app.command()
def evaluate(
    checkpoints: Annotated[
        list[str],
        typer.Argument(metavar="CHECKPOINT", help="Folders of checkpoints, or NAME=FOLDER."),
    ],
    suite: Annotated[
        str | None,
        typer.Option(
            "--suite",
            "-s",
            metavar="SUITE|FILE",
            help="simulated (default), laptop, paper, folder, or your own YAML file.",
        ),
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(
            "--data",
            "-d",
            metavar="NAME=PATH",
            help="Where a test set lies; or a YAML file of such lines.",
        ),
    ] = None,
    images: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Of your own films.")
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Their labels.csv: image, labels, patient, view, bbox."),
    ] = None,
    prompts: Annotated[
        str | None,
        typer.Option(metavar="SET|FILE", help="Prompt set, instead of the suite's own."),
    ] = None,
    published: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="YAML file of published numbers to place beside."),
    ] = None,
    output: Output = Path("runs/evaluation"),
    config: ConfigSource = "laptop",
    overrides: Overrides = None,
    workers: Workers = None,
    json: Json = None,
) -> None:
    """Score checkpoints by a suite: zero-shot, grounding, fine-tuned; goes on where it stopped.

    Without --suite: zero-shot, on held-out simulated films or, with --images and --labels, on
    films of your own.
    """
    from syncxr.evaluation.suites.arguments import named_checkpoints, named_paths, own_films
    from syncxr.pipeline import run_evaluation
    from syncxr.views.console import out

    report = run_evaluation(
        configuration(config, overrides, workers=workers),
        named_checkpoints(checkpoints),
        suite or ("films" if images else "simulated"),
        {**named_paths(data or []), **own_films(images, labels)},
        output,
        labels=labels,
        prompt_set=prompts,
        published=published,
    )
    finish(report, json, lambda _: out.print(*report.to_rich(), sep="\n"))
