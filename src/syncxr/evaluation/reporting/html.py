"""Tables as one HTML page: nothing fetched, made to be sent to a colleague."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from syncxr.evaluation.reporting.layout import Column, Figure, ResultTable

_TEMPLATES = Path(__file__).parent / "templates"


def html(
    title: str,
    tables: Sequence[ResultTable],
    remarks: Sequence[str] = (),
    comparisons: Sequence[str] = (),
) -> str:
    """The page as text.

    Args:
        title: Of the page.
        tables: Main ones are open, others folded.
        remarks: What stands below the title.
        comparisons: Paired comparisons of models, a line each.
    """
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("results.html.j2").render(
        title=title,
        remarks=remarks,
        comparisons=comparisons,
        sections=_sections(tables),
        heads=_heads,
        bar=_bar,
        style=Markup((_TEMPLATES / "results.css").read_text("utf-8")),
    )


def _sections(
    tables: Sequence[ResultTable],
) -> list[tuple[str, str, list[ResultTable], list[ResultTable]]]:
    """Anchor, task, main tables and the others, in the order of tasks."""
    by_task: dict[str, list[ResultTable]] = {}
    for table in tables:
        by_task.setdefault(table.task, []).append(table)
    return [
        (
            task.replace(" ", "-"),
            task[0].upper() + task[1:],
            [table for table in own if table.main],
            [table for table in own if not table.main],
        )
        for task, own in by_task.items()
    ]


def _heads(columns: Sequence[Column]) -> list[tuple[str, int]]:
    """Heads of neighbouring columns of one test set, with their number."""
    return [(head, len(list(own))) for head, own in groupby(columns, key=lambda c: c.head)]


def _bar(figure: Figure, chance: bool) -> Markup:
    """The interval on the scale 0 to 1 with a dot at the value; a mark at a half if asked."""

    def place(value: float) -> str:
        return f"{2 + 96 * min(max(value, 0.0), 1.0):.1f}"

    dot = f'<circle cx="{place(figure.value)}" cy="4" r="1.9"/>' if figure.point else ""
    half = '<line class="scale" x1="50" x2="50" y1="0.5" y2="7.5"/>' if chance else ""
    return Markup(
        '<svg viewBox="0 0 100 8" aria-hidden="true"><line class="scale" x1="2" x2="98" y1="4" '
        f'y2="4"/>{half}'
        f'<line class="range" x1="{place(figure.low)}" x2="{place(figure.high)}" y1="4" y2="4"/>'
        f"{dot}</svg>"
    )
