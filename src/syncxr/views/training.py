"""What the terminal shows of a pre-training run, and of two beside each other."""

from __future__ import annotations

from typing import Any

from rich.panel import Panel
from rich.table import Table

from syncxr.views.console import out


def show_training(summary: dict[str, Any]) -> None:
    """The last screen of a run (see ``PretrainingSummary``)."""
    grid = _grid()
    state = "finished" if summary["finished"] else "ended by the time limit"
    grid.add_row("checkpoint", f"[bold green]{summary['folder']}[/] ({summary['method']}, {state})")
    grid.add_row("pairs", _pairs(summary))
    grid.add_row(
        "training",
        f"{_count(summary['epochs'], 'epoch')}, {_count(summary['steps'], 'step')} in "
        f"{_minutes(summary['seconds'])}, {summary['images_per_second']:.1f} films/s",
    )
    loss = f"{summary['train_loss']:.3f} in training"
    if summary["validation_loss"] is not None:
        loss += f", {summary['validation_loss']:.3f} on what was kept out"
    grid.add_row("loss", loss)
    if summary["retrieval"]:
        found = "   ".join(f"{name} {value:.1%}" for name, value in summary["retrieval"].items())
        grid.add_row(
            "retrieval", f"{found}   [dim](film → text, {summary['validation']:,} pairs)[/]"
        )
    if summary["truncated"]:
        grid.add_row(
            "captions", f"{summary['truncated']:,} of the last epoch were cut at the limit"
        )
    for name, report in zip(("start", ""), summary["loaded"], strict=True):
        grid.add_row(name, report)
    grid.add_row("settings", f"{summary['configuration'][:16]} [dim](the data apart)[/]")
    grid.add_row("try next", f"syncxr evaluate {summary['folder']}")
    out.print(Panel(grid, title="pre-training", title_align="left"))


def show_comparison(found: dict[str, Any]) -> None:
    """Whether two runs differ in their data alone."""
    table = Table(box=None, padding=(0, 2))
    for name in ("", found["first"], found["second"]):
        table.add_column(name)
    table.add_row("settings", *(value[:16] for value in found["configuration"]))
    table.add_row("data", *(value[:16] for value in found["data"]))
    table.add_row("sources", *(", ".join(names) for names in found["sources"]))
    table.add_row("steps", *(f"{value:,}" for value in found["steps"]))
    for key, values in found["differences"].items():
        table.add_row(f"[red]{key}[/]", *(str(value) for value in values))
    out.print(table)
    if found["only_data"]:
        same = found["data"][0] == found["data"][1]
        out.print("[green]the same run[/]" if same else "[green]only the data differ[/]")
    else:
        out.print(f"[bold red]{_count(len(found['differences']), 'difference')} beside the data[/]")


def _pairs(summary: dict[str, Any]) -> str:
    parts = [f"{summary['training']:,} trained on", f"{summary['validation']:,} kept out"]
    if summary["skipped"]:
        parts.append(f"[yellow]{summary['skipped']:,} could not be used[/] (see checkpoint.json)")
    return ", ".join(parts)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def _grid() -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold")
    grid.add_column()
    return grid
