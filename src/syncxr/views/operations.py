"""What the terminal shows of an installation: assets, faults, the price of a run."""

from __future__ import annotations

from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from syncxr.views.console import out

_COLOURS = {
    "verified": "green",
    "imported": "green",
    "absent": "dim",
    "damaged": "bold red",
    "refused": "bold red",
}


def show_assets(result: dict[str, Any]) -> None:
    """One line an asset; under it where it lies, and what is wrong."""
    states = result["assets"]
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("asset", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("MB", justify="right", no_wrap=True)
    table.add_column("licence", no_wrap=True)
    table.add_column("from", overflow="fold")
    for state in states:
        colour = _COLOURS.get(state["state"], "default")
        table.add_row(
            state["name"],
            f"[{colour}]{state['state']}[/]",
            f"{state['bytes'] / 1e6:.1f}" if state["bytes"] else "–",
            state["licence"],
            f"{state['source']}\n[dim]{state['wheel']}[/]",
        )
    out.print(table)
    for folder in sorted({state["folder"].rpartition("/")[0] for state in states} - {""}):
        out.print(f"in {folder}", highlight=False, soft_wrap=True)
    for state in states:
        if state["fault"]:
            out.print(f"[bold red]{state['name']}[/]: {state['fault']}", soft_wrap=True)
