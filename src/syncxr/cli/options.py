"""Options that several commands share, and what they do with a result."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from syncxr.dataset.storage import local, locate

Json = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", help="Also write every figure here; - for stdout."),
]
Output = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        metavar="FOLDER",
        parser=lambda text: local(locate(text), "what is made here"),
        help="Folder for what is made.",
    ),
]
# Any: a path or the UPath of a URL, which typer cannot say.
OutputAnywhere = Annotated[
    Any,
    typer.Option(
        "--output",
        "-o",
        metavar="FOLDER|URL",
        parser=locate,
        help="Folder for what is made, or a URL such as s3://bucket/run.",
    ),
]
ConfigSource = Annotated[
    str,
    typer.Option(
        "--config",
        "--preset",
        "-c",
        metavar="PRESET|FILE",
        help="laptop, paper, paper-gloria or your own YAML file.",
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change one key of the configuration, e.g. sampling.k=4; may be given again.",
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(metavar="N", help="Processes that render and judge; changes no byte."),
]


def source_anywhere(help: str) -> Any:
    """An argument that takes a path or a URL."""
    return typer.Argument(parser=locate, metavar="PATH|URL", help=help)


def configuration(source: str, overrides: list[str] | None = None, **options: Any) -> Any:
    """A configuration with ``--set`` and then the options that a command takes laid over it."""
    from syncxr.config import load_config, parse_overrides

    keys = {
        "pairs": "sampling.pairs",
        "workers": "execution.workers",
        "epochs": "pretraining.epochs",
        "minutes": "pretraining.minutes",
    }
    given = {keys[name]: value for name, value in options.items() if value is not None}
    return load_config(source, parse_overrides(overrides or ()) | given)


def finish(result: Any, json: Path | None, show: Any) -> None:
    """Print a result for people or, if asked, as JSON on stdout; and write it to a file."""
    from syncxr.views.console import plain, write_json

    if json != Path("-"):
        show(plain(result))
    if json is not None:
        write_json(result, json)
