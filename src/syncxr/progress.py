"""Progress bars with rate and remaining time, one look for every stage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

console = Console(stderr=True)
"""Progress and messages go to stderr, so that ``--json -`` keeps stdout clean."""

_WIDE = 110
"""Columns of a terminal that has room for all of a line; in a narrower one it is cut short."""


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        # Over the whole time: films and drafts come in bursts, and a burst's rate misleads.
        done = task.completed - task.fields["already"]
        rate = f"{done / task.elapsed:.1f}/s" if done and task.elapsed else "–/s"
        return Text(rate, style="cyan")


class _Remaining(ProgressColumn):
    def render(self, task: Task) -> Text:
        done = task.completed - task.fields["already"]
        if task.total is None or not done or not task.elapsed:
            return Text("–:––:––", style="cyan")
        seconds = round((task.total - task.completed) * task.elapsed / done)
        return Text(str(timedelta(seconds=seconds)), style="cyan")


class Bar:
    """Handle of one running bar."""

    def __init__(self, progress: Progress, task: int) -> None:
        self._progress = progress
        self._task = task

    def advance(self, steps: float = 1, note: str | None = None) -> None:
        """Move on by ``steps``; ``note`` replaces the text at the end of the line."""
        fields = {} if note is None else {"note": note}
        self._progress.update(self._task, advance=steps, **fields)  # type: ignore[arg-type]


@contextmanager
def bar(label: str, total: int | None, done: int = 0) -> Iterator[Bar]:
    """A bar over ``total`` steps of which ``done`` were finished by an earlier run.

    ``None`` where nobody knows how many there are.
    """
    wide = console.width >= _WIDE
    progress = Progress(
        TextColumn("{task.description:<22}" if wide else "{task.description}"),
        BarColumn(bar_width=28 if wide else 8),
        MofNCompleteColumn(),
        _Rate(),
        *((TimeElapsedColumn(),) if wide else ()),
        TextColumn("left"),
        _Remaining(),
        TextColumn("{task.fields[note]}"),
        console=console,
    )
    with progress:
        task = progress.add_task(label, total=total, completed=done, note="", already=done)
        yield Bar(progress, task)
        if total is None:  # now it is known
            progress.update(task, total=progress.tasks[0].completed)
