"""What the terminal shows of an installation: assets, faults, the price of a run."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel
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
    """Each asset with its licence; under it who made it and the wheel that brings it."""
    states = result["assets"]
    width = max(len(state["name"]) for state in states)
    for state in states:
        colour = _COLOURS.get(state["state"], "default")
        size = f"{state['bytes'] / 1e6:.1f} MB" if state["bytes"] else ""
        out.print(
            f"[bold]{state['name']:<{width}}[/]  [{colour}]{state['state']:<8}[/]  {size:>8}  "
            f"{state['licence']}",
            highlight=False,
        )
        out.print(
            Padding(f"[dim]{escape(state['source'])}; {state['wheel']}[/]", (0, 0, 0, 4)),
            highlight=False,
        )
    for folder in sorted({state["folder"].rpartition("/")[0] for state in states} - {""}):
        out.print(f"in {folder}", highlight=False, soft_wrap=True)
    for state in states:
        if state["fault"]:
            out.print(f"[bold red]{state['name']}[/]: {escape(state['fault'])}", soft_wrap=True)


_MARKS = {
    "ok": "[green]✓[/]",
    "info": "[dim]·[/]",
    "warning": "[yellow]![/]",
    "fault": "[bold red]✗[/]",
}


def show_diagnosis(diagnosis: dict[str, Any]) -> None:
    """Every finding under its heading; behind an arrow, what to do."""
    for group, findings in groupby(diagnosis["findings"], lambda finding: finding["group"]):
        out.print(f"[bold]{group}[/]")
        out.print(_findings(list(findings)))
    faults = diagnosis["faults"]
    if faults:
        things = "thing" if faults == 1 else "things"
        out.print(f"[bold red]{faults} {things} configured cannot run[/]; see the arrows behind ✗")
    else:
        out.print("[green]everything configured can run[/]")


def _findings(findings: Sequence[dict[str, Any]]) -> Table:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=2, justify="right")
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for found in findings:
        text = escape(found["detail"])
        if found["remedy"]:
            text += f"\n[yellow]→[/] {escape(found['remedy'])}"
        grid.add_row(_MARKS[found["state"]], escape(found["name"]), text)
    return grid


def show_estimate(price: dict[str, Any]) -> None:
    """The price of a run: totals, then each stage with what it rests on."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold")
    grid.add_column()
    for name, text in _totals(price):
        grid.add_row(name, text)
    out.print(Panel(grid, title="price of the run", title_align="left"))
    out.print(_stages(price["stages"]))
    for note in price["notes"]:
        out.print(f"[yellow]![/] {escape(note)}")
    out.print(
        f"[dim]Measured in {_duration(price['measuring'])}; extrapolated in proportion from the "
        "samples named. Nothing was left behind.[/]"
    )


def _totals(price: dict[str, Any]) -> list[tuple[str, str]]:
    stages = price["stages"]
    gpu = sum(stage["gpu_hours"] for stage in stages)
    read = price["prompt_tokens"]
    free = price["bytes_free"]
    rows = [
        ("time", f"[bold]{_duration(price['seconds'])}[/]"),
        (
            "pairs",
            f"{price['pairs']:,.0f} expected of {price['planned']:,} planned "
            f"({price['asked']:,} asked for)",
        ),
        ("processor", f"{_hours(sum(stage['cpu_hours'] for stage in stages))} core-hours"),
    ]
    if gpu:
        names = ", ".join(sorted({stage["gpu"] for stage in stages} - {""}))
        rows.append(("GPU", f"{_hours(gpu)} GPU-hours ({names})"))
    rows += [
        (
            "tokens",
            f"{price['completion_tokens']:,.0f} written"
            + (f", {read:,.0f} read" if read is not None else "; what is read is not counted"),
        ),
        ("images", f"{price['images']:,.0f} rendered"),
        (
            "disk",
            f"{_gigabytes(price['bytes'])}"
            + (f" of {_gigabytes(free)} free" if free is not None else ""),
        ),
    ]
    return rows


def _stages(stages: Sequence[dict[str, Any]]) -> Table:
    """Each stage: its time with what that rests on; under it, how much of what."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column()
    for stage in stages:
        if not stage["measured"]:
            time = _duration(stage["seconds"])
            grid.add_row(stage["stage"], f"{time} [dim](done, and timed)[/]")
            continue
        margin = f" ± {stage['margin']:.0%}" if stage["margin"] is not None else ""
        spent = [f"{_hours(stage['cpu_hours'])} core-hours"]
        if stage["gpu_hours"]:
            spent.append(f"{_hours(stage['gpu_hours'])} GPU-hours")
        if stage["servers"]:
            spent.append(f"time of {', '.join(stage['servers'])}")
        workers = f"{stage['workers']} worker{'s' * (stage['workers'] > 1)}"
        grid.add_row(
            stage["stage"],
            f"{_duration(stage['seconds'])}{margin} with {workers} "
            f"[dim](measured on n = {stage['measured']})[/]\n"
            f"{stage['samples']:,} samples, {stage['attempts']:,.0f} attempts, "
            f"{stage['passed'] / stage['samples']:.0%} pass\n{', '.join(spent)}",
        )
    return grid


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86400:.1f} days"


def _hours(hours: float) -> str:
    return f"{hours:,.0f}" if hours >= 100 or not hours else f"{hours:.2g}"


def _gigabytes(size: float) -> str:
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"
