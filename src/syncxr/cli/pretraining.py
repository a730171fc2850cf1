"""Commands that train."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from syncxr.cli.app import app
from syncxr.cli.options import (
    ConfigSource,
    Json,
    Output,
    Overrides,
    configuration,
    finish,
    source_anywhere,
)


@app.command()
def pretrain(
    sources: Annotated[
        list[Any] | None,
        source_anywhere(
            "Datasets, CSVs with image and text columns, openi, MIMIC-CXR-JPG's folder, or folders "
            "of films and .txt reports; those of the configuration (pretraining.data.sources) if "
            "none is given."
        ),
    ] = None,
    output: Output = Path("runs/checkpoint"),
    images: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Of the films, for a CSV or openi.")
    ] = None,
    reports: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER|ZIP", help="Of the reports, for MIMIC-CXR."),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="A:B:…",
            help="Shares of every epoch that come from each source, e.g. 1:3; without, each pair "
            "once.",
        ),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Stop after so many.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(metavar="MINUTES", help="Stop after this long.")
    ] = None,
    config: ConfigSource = "laptop",
    overrides: Overrides = None,
    json: Json = None,
) -> None:
    """Train a vision-language model on image-report pairs; goes on where it stopped.

    Ctrl-C and SIGTERM save after the running step and exit with status 75: the same command goes
    on. Several processes: accelerate launch -m syncxr pretrain …
    """
    from syncxr.pipeline import run_pretraining
    from syncxr.pretraining.data.arguments import named_sources
    from syncxr.pretraining.training.engine import is_first
    from syncxr.views.training import show_training

    settings = configuration(config, overrides, epochs=epochs, minutes=minutes)
    named = named_sources([str(source) for source in sources or ()], images, reports, weights)
    summary = run_pretraining(settings, named, output)
    if is_first():
        finish(summary, json, show_training)


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(metavar="CHECKPOINT", help="Folder of a checkpoint.")],
    second: Annotated[Path, typer.Argument(metavar="OTHER", help="Folder of another.")],
    json: Json = None,
) -> None:
    """Tell whether two pre-training runs differ in their data alone; if not, exit with 1."""
    from syncxr.pretraining.training import comparison
    from syncxr.views.training import show_comparison

    found = comparison.compare(first, second)
    finish(found, json, show_comparison)
    if not found.only_data:
        raise typer.Exit(1)
