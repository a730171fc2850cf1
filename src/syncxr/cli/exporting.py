"""Commands that hand trained models to other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from syncxr.cli.app import app
from syncxr.cli.options import Json, finish


@app.command()
def export(
    checkpoint: Annotated[
        Path,
        typer.Argument(metavar="CHECKPOINT", help="Folder that `syncxr pretrain` wrote."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="New, or empty.")
    ],
    to: Annotated[
        str,
        typer.Option(metavar="FORMAT", help="vision-text-dual-encoder (transformers), or onnx."),
    ] = "vision-text-dual-encoder",
    json: Json = None,
) -> None:
    """Write a checkpoint in another layout, and compare its vectors with the model's."""
    from syncxr.pretraining.export.running import export as write
    from syncxr.views.console import show_figures

    finish(write(checkpoint, to, output), json, show_figures)
