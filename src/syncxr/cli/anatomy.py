"""Commands for bodies of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from syncxr.cli.app import App, app

bodies = App(no_args_is_help=True, help="Chest CTs that simulated patients are drawn from.")
app.add_typer(bodies, name="anatomy")


@bodies.command()
def add(
    ct: Annotated[
        Path,
        typer.Argument(metavar="CT", help="NIfTI file, or folder with one DICOM series, in HU."),
    ],
    labels: Annotated[
        Path,
        typer.Argument(metavar="LABELS", help="TotalSegmentator label map on the same grid."),
    ],
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="To call it by; the CT's name.")
    ] = None,
    names: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="JSON or CSV of label numbers, if not the usual."),
    ] = None,
) -> None:
    """Check a chest CT with its label map and add it to the population."""
    from syncxr.images.simulation.anatomies import store

    entry = store.add(name or ct.name.partition(".")[0], ct, labels, names)
    typer.echo(
        f"added {entry.key}; draw patients from it: simulation anatomies [lidc, {entry.name}]"
    )


@bodies.command("list")
def list_() -> None:
    """Show the bodies that patients can be drawn from."""
    from syncxr.images.simulation.anatomies import store
    from syncxr.images.simulation.thorax import SOURCE

    typer.echo(f"{SOURCE}  shipped (LIDC-IDRI-0001, CC BY 3.0)")
    for entry in store.entries():
        size = " x ".join(map(str, entry.shape))
        typer.echo(f"{entry.key}  {entry.ct}, {size} voxels, scaled by {entry.scale:.3f}")


@bodies.command()
def remove(name: Annotated[str, typer.Argument(metavar="NAME", help="Of the body.")]) -> None:
    """Forget a body; films made from it stay."""
    from syncxr.images.simulation.anatomies import store

    store.remove(name)
    typer.echo(f"removed {name}")
