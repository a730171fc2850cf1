"""Options that several commands share, and what they do with a result."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

Json = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", help="Also write every figure here; - for stdout."),
]
Output = Annotated[Path, typer.Option("--output", "-o", help="Folder for what is made.")]
ConfigSource = Annotated[
    str,
    typer.Option("--config", "--preset", "-c", help="A preset (laptop) or your own YAML file."),
]
Workers = Annotated[
    int | None, typer.Option(help="Processes that render and judge; changes no byte.")
]


def configuration(source: str, **options: Any) -> Any:
    """A configuration with the options that a command takes laid over it."""
    from syncxr.config import load_config

    keys = {
        "pairs": "sampling.pairs",
        "workers": "execution.workers",
        "epochs": "pretraining.epochs",
        "minutes": "pretraining.minutes",
    }
    return load_config(source, {keys[name]: value for name, value in options.items()})


def finish(result: Any, json: Path | None, show: Any) -> None:
    """Print a result for people or, if asked, as JSON on stdout; and write it to a file."""
    from syncxr.views.console import plain, write_json

    if json != Path("-"):
        show(plain(result))
    if json is not None:
        write_json(result, json)
