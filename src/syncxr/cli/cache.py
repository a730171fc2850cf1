"""Commands that look after decoded films."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from syncxr.cli.app import App, app
from syncxr.cli.options import Json, finish

cache = App(
    name="cache",
    help="Films that pre-training decoded once and keeps: what lies there, and clearing it.",
    no_args_is_help=True,
)
app.add_typer(cache)

Where = Annotated[
    Path | None,
    typer.Option("--cache", metavar="FOLDER", help="If pretraining.data.cache names another."),
]


@cache.command("list")
def list_(where: Where = None, json: Json = None) -> None:
    """What lies there, how large it is, when a run last used it."""
    from syncxr.pretraining.data.store.kept import kept
    from syncxr.pretraining.data.store.layout import default_cache
    from syncxr.views.cache import show_kept

    folder = where or default_cache()
    found = [entry.model_dump(mode="json") for entry in kept(folder)]
    finish({"folder": str(folder), "kept": found}, json, show_kept)


@cache.command()
def clear(
    sources: Annotated[
        list[str] | None,
        typer.Argument(metavar="SOURCE", help="As `list` names them, or the names of the folders."),
    ] = None,
    days: Annotated[
        float, typer.Option(min=0, metavar="DAYS", help="Only what was not used for so long.")
    ] = 0,
    where: Where = None,
    json: Json = None,
) -> None:
    """Delete decoded films, all of them by default; a run that needs some decodes them again."""
    from syncxr.pretraining.data.store.kept import clear as run_clear
    from syncxr.pretraining.data.store.layout import default_cache
    from syncxr.views.cache import show_cleared

    folder = where or default_cache()
    gone = [entry.model_dump(mode="json") for entry in run_clear(folder, sources or (), days)]
    finish({"folder": str(folder), "gone": gone}, json, show_cleared)
