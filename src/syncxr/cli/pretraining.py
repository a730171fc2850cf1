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
    source: Annotated[Any, source_anywhere("A dataset, or a CSV with image and text columns.")],
    output: Output = Path("runs/checkpoint"),
    images: Annotated[
        Path | None, typer.Option(help="Folder that a CSV's image column is relative to.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1)] = None,
    minutes: Annotated[float | None, typer.Option(help="Stop after this long.")] = None,
    config: ConfigSource = "laptop",
    overrides: Overrides = None,
    json: Json = None,
) -> None:
    """Train a vision-language model on image-report pairs; goes on where it stopped."""
    from syncxr.pipeline import run_pretraining
    from syncxr.views.console import show_figures

    settings = configuration(config, overrides, epochs=epochs, minutes=minutes)
    finish(run_pretraining(settings, source, output, images), json, show_figures)
