"""What the terminal shows of test sets: what to get, and what is there of it."""

from __future__ import annotations

from typing import Any

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from syncxr.views.console import out


def show_sets(sets: list[dict[str, Any]]) -> None:
    """Every set, a panel each; lines fold in a narrow terminal."""
    for info in sets:
        show_set(info)
    out.print("Point at yours: syncxr datasets check NAME FOLDER", highlight=False)


def show_set(info: dict[str, Any]) -> None:
    """One set: what it is, how to get it, how it must lie."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, text in (
        ("tasks", ", ".join(info["tasks"])),
        ("splits", ", ".join(info["splits"])),
        ("findings", _findings(info["findings"])),
        ("source", info["source"]),
        ("cite", info["citation"]),
        ("licence", info["licence"]),
        ("get it", info["how_to_get"]),
    ):
        if text:
            grid.add_row(label, escape(text))
    for number, part in enumerate(info["parts"]):
        where = " or ".join(part["patterns"][:3])
        instead = f" [dim](without: {escape(part['instead'])})[/]" if part["instead"] else ""
        grid.add_row("" if number else "layout", f"{part['what']}: {escape(where)}{instead}")
    if info["counts"]:
        grid.add_row("published", ", ".join(f"{n:,} {what}" for what, n in info["counts"].items()))
    if info["known_broken"]:
        grid.add_row("broken", f"{len(info['known_broken'])} files, left out by name (--json)")
    for number, note in enumerate(info["notes"]):
        grid.add_row("" if number else "notes", escape(note))
    title = f"[bold]{info['name']}[/]  {escape(info['title'])}"
    out.print(Panel(grid, title=title, title_align="left"))


def show_check(found: dict[str, Any]) -> None:
    """What is there, what is missing, the first wrong file, counts against the published ones."""
    out.print(f"[bold]{found['name']}[/] in {escape(found['path'])}", highlight=False)
    out.print(_parts(found["parts"]))
    out.print(_splits(found["splits"]))
    if found["counts"]:
        out.print(_counts(found["counts"]))
    for split in found["splits"]:
        if split["note"]:
            colour = "bold yellow" if split["note"].startswith("LEAKY") else "dim"
            out.print(f"[{colour}]{split['split']}: {escape(split['note'])}[/]", highlight=False)
        if split["left_out"]:
            first, reason = next(iter(split["left_out"].items()))
            out.print(
                f"{split['split']}: {len(split['left_out'])} films left out by name, the first "
                f"{escape(first)} ({escape(reason)})",
                highlight=False,
            )
        empty = [name for name, films in split["positives"].items() if not films]
        if empty and not split["error"]:
            named = escape(", ".join(empty))
            out.print(f"[yellow]![/] {split['split']}: no film is positive for {named}")
        if split["shipped"] is False:
            out.print(
                f"[yellow]![/] {split['split']} is not the shipped split: its ids have another "
                "sha256; numbers on it compare with nobody's",
            )
    for pair, units in found["leaks"].items():
        mark = "[bold red]✗[/]" if units else "[green]✓[/]"
        out.print(f"{mark} {units} in both {pair}", highlight=False)
    if found["first_wrong"]:
        more = f" ({found['wrong']} files do not open)" if found["wrong"] else ""
        out.print(f"[bold red]✗ first fault[/]{more}: {escape(found['first_wrong'])}")
    else:
        out.print(f"[green]✓[/] {found['opened']} films opened with their masks", highlight=False)


def _findings(names: list[str]) -> str:
    listed = ", ".join(names[:14])
    return f"{listed} and {len(names) - 14} more" if len(names) > 14 else listed


def _parts(parts: list[dict[str, Any]]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("part", no_wrap=True)
    table.add_column("files", justify="right", no_wrap=True)
    table.add_column("where, or what happens without", overflow="fold")
    for part in parts:
        if part["files"]:
            count, text = f"[green]{part['files']:,}[/]", escape(part["pattern"])
        elif part["instead"]:
            count, text = "[yellow]none[/]", f"instead: {escape(part['instead'])}"
        else:
            count, text = "[bold red]none[/]", f"expected: {escape(part['pattern'])}"
        table.add_row(part["what"], count, text)
    return table


def _splits(splits: list[dict[str, Any]]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("split", "films", "units", "ids sha256"):
        table.add_column(name, justify="right" if name in {"films", "units"} else "left")
    for split in splits:
        if split["error"]:
            table.add_row(split["split"], "[bold red]–[/]", "–", "does not open")
            continue
        units = f"{split['units']:,} {'patients' if split['by_patient'] else 'films'}"
        mark = {True: " [green]as shipped[/]", False: " [yellow]differs[/]", None: ""}
        table.add_row(
            split["split"],
            f"{split['films']:,}",
            units,
            f"{split['digest'][:12]}{mark[split['shipped']]}",
        )
    return table


def _counts(counts: list[dict[str, Any]]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("count", "published", "here"):
        table.add_column(name, justify="left" if name == "count" else "right")
    for count in counts:
        same = count["found"] == count["published"]
        here = "–" if count["found"] is None else f"{count['found']:,}"
        table.add_row(
            count["what"], f"{count['published']:,}", f"[{'green' if same else 'yellow'}]{here}[/]"
        )
    return table
