"""What the terminal shows: one screen a command, and the same figures as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from syncxr.dataset.files import write_text
from syncxr.figures import json_values

out = Console()


def write_json(result: Any, target: Path) -> None:
    """Write every figure of a result as JSON; ``-`` is stdout."""
    text = json.dumps(plain(result), indent=1) + "\n"
    if target == Path("-"):
        sys.stdout.write(text)
    else:
        write_text(target, text)


def plain(result: Any) -> Any:
    """A result as JSON values."""
    if isinstance(result, BaseModel):
        return json_values(result.model_dump(mode="python"))
    return json_values(result.to_dict() if hasattr(result, "to_dict") else result)


def show_run(run: dict[str, Any]) -> None:
    """The last screen of a demo or of a generation (see ``RunSummary``)."""
    out.print(Panel(_funnel(run), title="pairs", title_align="left"))
    if run["faithfulness"]:
        out.print(
            Panel(
                _faithfulness(run["faithfulness"]),
                title="films against their words",
                title_align="left",
            )
        )
    if run["evaluation"]:
        out.print(scores(run["evaluation"]))
    out.print(Panel(_places(run), title="where things lie", title_align="left"))


def show_stage(summary: dict[str, Any]) -> None:
    """What one stage by itself did."""
    grid = _grid()
    grid.add_row("given", f"{summary['samples']:,}")
    grid.add_row("accepted", f"{summary['accepted']:,}")
    grid.add_row("rejected", f"{summary['rejected']:,}")
    for name, count in summary["counts"].items():
        grid.add_row(name, f"{count:,}")
    grid.add_row("folder", summary["folder"])
    out.print(Panel(grid, title=summary["stage"], title_align="left"))
    _lines(summary["unreadable"])


def show_figures(summary: dict[str, Any]) -> None:
    """Any flat summary, a line a figure."""
    grid = _grid()
    for name, value in summary.items():
        grid.add_row(
            name.replace("_", " "), f"{value:.4g}" if isinstance(value, float) else str(value)
        )
    out.print(grid)


def show_plan(summary: dict[str, Any]) -> None:
    """What was planned, and what balancing did."""
    table = Table(
        title=f"{summary['reports']:,} reports planned, {summary['normal']:,} of them normal"
    )
    for column in (
        "category",
        "entities",
        "Gini corpus",
        "Gini plan",
        "entropy corpus",
        "entropy plan",
        "most",
        "uses",
    ):
        table.add_column(column, justify="left" if column == "category" else "right")
    for name, row in summary["balance"].items():
        table.add_row(
            name,
            f"{row['rows']:.0f}",
            f"{row['real_gini']:.2f}",
            f"{row['planned_gini']:.2f}",
            f"{row['real_entropy']:.2f}",
            f"{row['planned_entropy']:.2f}",
            f"{row['max_entropy']:.2f}",
            f"{row['min_use']:.0f}–{row['max_use']:.0f}",
        )
    out.print(table)
    out.print(f"plan: {summary['path']}")


def show_verification(summary: dict[str, Any]) -> None:
    """What a check of a run found."""
    grid = _grid()
    for name in ("files", "pairs", "masks", "verified_texts"):
        grid.add_row(name.replace("_", " "), f"{summary[name]:,}")
    faults = summary["faults"]
    count = sum(map(len, faults.values()))
    grid.add_row("faults", f"[bold red]{count:,}[/]" if faults else "[green]none[/]")
    out.print(Panel(grid, title="verify", title_align="left"))
    for kind, lines in faults.items():
        out.print(f"[bold red]✗[/] {kind}: {len(lines):,}", highlight=False)
        _lines(lines, shown=3)


def _lines(lines: Sequence[str], shown: int = 10) -> None:
    """The first of many; a file can be found with them, so that they are not folded."""
    for line in lines[:shown]:
        out.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
    if len(lines) > shown:
        out.print(f"  … and {len(lines) - shown:,} more; --json lists all", highlight=False)


def _grid() -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold")
    grid.add_column()
    return grid


def _funnel(run: dict[str, Any]) -> Table:
    funnel = run["generation"]
    grid = _grid()
    grid.add_row(
        "dataset",
        f"[bold green]{funnel['accepted']:,} pairs[/] ({run['asked']:,} asked for, "
        f"{funnel['planned']:,} planned, {sum(funnel['rejected'].values()):,} rejected)",
    )
    grid.add_row(
        "reports",
        f"{funnel['verified']:,} verified in {funnel['drafted']:,} drafts; first draft "
        f"accepted {funnel['first_round_acceptance']:.1%}{_why(funnel['draft_reasons'])}",
    )
    grid.add_row(
        "films",
        f"{funnel['accepted']:,} passed of {funnel['rendered']:,} rendered"
        f"{_why(funnel['film_reasons'])}",
    )
    if run["balance"]:
        row = run["balance"]["all"]
        grid.add_row(
            "balance",
            f"Gini {row['real_gini']:.2f} in the corpus → {row['planned_gini']:.2f} in the plan; "
            f"entropy {row['real_entropy']:.2f} → {row['planned_entropy']:.2f} "
            f"of {row['max_entropy']:.2f} bits",
        )
    return grid


def _why(reasons: dict[str, int]) -> str:
    if not reasons:
        return ""
    named = [f"{name} {count}" for name, count in list(reasons.items())[:4]]
    return "; failed for: " + ", ".join(named)


def _faithfulness(found: dict[str, Any]) -> Table:
    """Shares with n and interval; for absences also how many were measured on the film."""
    grid = _grid()
    for key, words in (
        ("positives", "stated findings visible"),
        ("negatives", "stated absences hold"),
        ("negatives_measured", "… of those measured"),
    ):
        rate = found[key]
        if not rate["n"]:
            grid.add_row(words, "none stated")
            continue
        grid.add_row(
            words,
            f"{rate['share']:.1%} [dim](n = {rate['n']}, 95 % {rate['low']:.1%}–"
            f"{rate['high']:.1%}, {found['films']} films)[/]",
        )
    return grid


def scores(evaluation: dict[str, Any]) -> Table:
    """Classification and pointing game side by side, a row a finding."""
    found, pointing = evaluation["classification"], evaluation["grounding"]
    hits = {row["finding"]: row for row in pointing["rows"]}
    notes = [
        f"{found['films']} films; {found['samples']} bootstrap samples over "
        f"{found['units']}; prompt set “{found['prompt_set']}”",
        *found["notes"],
    ]
    table = Table(
        title=f"zero-shot, {found['test_set']}", caption="\n".join(notes), title_justify="left"
    )
    for name in ("finding", "n", "AUROC", "95 % interval", "points inside", "blind point"):
        table.add_column(name, justify="left" if name == "finding" else "right")
    for row in found["rows"]:
        name = row["finding"]
        point = hits.get(name, {"rate": None, "chance": None})
        table.add_row(
            f"{name} *" if name in found["left_out"] else name,
            f"{row['positives']}",
            _figure(row["auroc"]),
            f"{_figure(row['low'])}–{_figure(row['high'])}",
            _figure(point["rate"]),
            _figure(point["chance"]),
        )
    table.add_section()
    table.add_row(
        "[bold]mean[/]",
        "",
        f"[bold]{_figure(found['mean'])}[/]",
        f"{_figure(found['low'])}–{_figure(found['high'])}",
        _figure(pointing["mean"]),
        _figure(pointing["mean_chance"]),
    )
    return table


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _places(run: dict[str, Any]) -> Table:
    grid = _grid()
    for name, path in run["paths"].items():
        grid.add_row(name, path)
    if run["seconds"]:
        steps = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in run["seconds"].items())
        grid.add_row("time", f"{sum(run['seconds'].values()) / 60:.1f} min: {steps}")
    dataset, checkpoint = run["paths"]["dataset"], run["paths"].get("checkpoint")
    folder = str(Path(dataset).parent)
    grid.add_row("try next", f"syncxr verify {folder}")
    if checkpoint:
        grid.add_row("", f"syncxr evaluate {checkpoint} --images FOLDER --labels CSV")
        grid.add_row("", f"syncxr pretrain {dataset} -o runs/longer --minutes 60")
    return grid
