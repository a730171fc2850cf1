"""Commands that score."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from syncxr.cli.app import app
from syncxr.cli.options import ConfigSource, Json, Workers, configuration, finish


@app.command()
def evaluate(
    checkpoint: Annotated[Path, typer.Argument(help="Folder of a checkpoint.")],
    images: Annotated[Path | None, typer.Option(help="Folder of your own films.")] = None,
    labels: Annotated[
        Path | None, typer.Option(help="Their labels.csv: image, labels, patient, view, bbox.")
    ] = None,
    prompts: Annotated[str, typer.Option(help="Prompt set.")] = "pair",
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for the simulated test set.")
    ] = Path("runs/test"),
    config: ConfigSource = "laptop",
    workers: Workers = None,
    json: Json = None,
) -> None:
    """Score a model zero-shot, on your films or on held-out simulated ones."""
    from syncxr.pipeline import run_evaluation
    from syncxr.views.console import out

    settings = configuration(config, workers=workers)
    result = run_evaluation(settings, checkpoint, images, labels, output, prompts)
    finish(result, json, lambda _: out.print(*result.to_rich(), sep="\n"))
