"""Commands that look at judges."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from syncxr.cli.app import app
from syncxr.cli.options import (
    ConfigSource,
    Json,
    Overrides,
    configuration,
    finish,
    source_anywhere,
)


@app.command()
def agreement(
    source: Annotated[Any, source_anywhere("A dataset, or your folder of images.")],
    config: ConfigSource = "laptop",
    against: Annotated[
        str | None, typer.Option(help="Configuration of the other judge.", metavar="FILE")
    ] = None,
    films: Annotated[
        int, typer.Option(min=2, metavar="N", help="Films to judge, drawn at random.")
    ] = 200,
    seed: Annotated[int, typer.Option(metavar="N", help="Of that draw.")] = 0,
    overrides: Overrides = None,
    json: Json = None,
) -> None:
    """Whether two judges say the same: one call a question against all six at once.

    Without --against, the chat judge of the configuration is asked in both ways.
    """
    from syncxr.pipeline import run_agreement
    from syncxr.views.judging import show_agreement

    settings = configuration(config, overrides)
    other = configuration(against) if against else None
    result = run_agreement(settings, source, other, films, seed)
    finish(result, json, lambda _: show_agreement(result))
