"""What two judges said of the same films, on the screen."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table

from syncxr.factory.agreement import Agreement
from syncxr.views.console import out


def show_agreement(result: Agreement) -> None:
    """A row a question, and one for the whole verdict."""
    table = Table(title=f"agreement on {result.films} films, 95 % intervals", box=SIMPLE_HEAD)
    for heading in ("question", "n", "differ", "agreement", "kappa"):
        table.add_column(heading, justify="left" if heading == "question" else "right")
    for row in result.rows:
        differ = str(row.only_first + row.only_second)
        table.add_row(
            row.question,
            str(row.n),
            differ,
            _with_interval(row.agreement, row.interval),
            _with_interval(row.kappa, row.kappa_interval),
        )
    out.print(table)


def _with_interval(value: float | None, interval: tuple[float, float] | None) -> str:
    if value is None or interval is None:
        return "–"
    return f"{value:.3f} [{interval[0]:.3f}, {interval[1]:.3f}]"
