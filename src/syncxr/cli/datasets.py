"""Commands about test sets: what there is to get, and what is there of a download."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from syncxr.cli.app import App, app
from syncxr.cli.options import Json, finish

datasets = App(
    name="datasets",
    help="Test sets: where they come from, how they must lie, and what of one is there.",
    invoke_without_command=True,
)
app.add_typer(datasets)

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="Of a set, as `syncxr datasets` lists it.")
]
Download = Annotated[Path, typer.Argument(metavar="FOLDER", help="Of the download.")]
Seed = Annotated[int, typer.Option(metavar="N", help="Of splits that are drawn here.")]


@datasets.callback()
def list_(context: typer.Context, json: Json = None) -> None:
    """List every test set: source, licence, how to get it, expected layout."""
    from syncxr.evaluation.testsets.test_set import test_sets
    from syncxr.views.datasets import show_sets

    if context.invoked_subcommand is None:
        finish([info.to_dict() for info in test_sets()], json, show_sets)


@datasets.command()
def show(name: Name, json: Json = None) -> None:
    """One test set."""
    from syncxr.evaluation.testsets.test_set import test_set_class
    from syncxr.views.datasets import show_set

    finish(test_set_class(name).info, json, show_set)


@datasets.command()
def check(
    name: Name,
    path: Download,
    films: Annotated[
        int, typer.Option(min=0, metavar="N", help="Films of each split to open.")
    ] = 50,
    every: Annotated[bool, typer.Option("--all", help="Open every film and mask.")] = False,
    seed: Seed = 0,
    json: Json = None,
) -> None:
    """What is there, what is missing, the first wrong file; status 1 if anything is wrong."""
    from syncxr.evaluation.testsets.checking import check as run_check
    from syncxr.views.datasets import show_check

    found = run_check(name, path, None if every else films, seed)
    finish(found, json, show_check)
    if found.first_wrong:
        raise typer.Exit(1)


@datasets.command()
def patients(
    name: Name,
    path: Download,
    split: Annotated[
        str | None, typer.Option(metavar="SPLIT", help="Its first split by default.")
    ] = None,
    seed: Seed = 0,
) -> None:
    """Patients of a split (films, where no patient is named), one a line: leave them out."""
    from syncxr.evaluation.testsets.test_set import open_test_set

    opened = open_test_set(name, path, split, seed)
    typer.echo("\n".join(dict.fromkeys(item.patient or item.id for item in opened.items)))
