"""What the terminal shows of decoded films."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from syncxr.views.console import out


def show_kept(found: dict[str, Any]) -> None:
    """Each decoded source, what was used last first."""
    entries = found["kept"]
    if entries:
        out.print(_table(entries))
    out.print(f"{_size(entries)} in {escape(found['folder'])}", highlight=False, soft_wrap=True)


def show_cleared(found: dict[str, Any]) -> None:
    """What is gone."""
    for entry in found["gone"]:
        out.print(f"deleted {escape(entry['source'] or entry['name'])}", highlight=False)
    out.print(f"{_size(found['gone'])} freed", highlight=False)


def _size(entries: Sequence[dict[str, Any]]) -> str:
    return f"{sum(entry['bytes'] for entry in entries) / 1e6:,.1f} MB"


def _table(entries: Sequence[dict[str, Any]]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("source", overflow="fold")
    for name in ("pairs", "pixels", "MB", "last used"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("folder", no_wrap=True)
    for entry in entries:
        table.add_row(
            escape(entry["source"] or "(not finished)"),
            f"{entry['pairs']:,}",
            str(entry["size"]),
            f"{entry['bytes'] / 1e6:,.1f}",
            str(entry["used"])[:10],
            entry["name"][:12],
        )
    return table
