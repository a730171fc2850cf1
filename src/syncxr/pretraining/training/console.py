"""What a person sees of a run: one live line, and a line for each epoch that stays."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from syncxr.progress import Bar, bar, console

_RECENT = 20
"""Steps whose mean loss is shown."""


class Pace:
    """Films a second since an epoch began, or was gone on with.

    Args:
        films: A step.
    """

    def __init__(self, films: int) -> None:
        self._films = films
        self.start()

    def start(self) -> None:
        """Count from now on."""
        self._start, self._steps, self.films_per_second = time.monotonic(), 0, 0.0

    def step(self) -> float:
        """A step was taken."""
        self._steps += 1
        self.films_per_second = self._steps * self._films / (time.monotonic() - self._start)
        return self.films_per_second


class Live:
    """The live line; in a pipe only the lines of the epochs come out."""

    def __init__(self, line: Bar | None, epochs: int, shown: bool) -> None:
        self._line, self._epochs, self._shown = line, epochs, shown
        self._recent: list[float] = []

    def step(self, loss: float, films_per_second: float) -> None:
        """A step was taken."""
        if self._line is None:
            return
        self._recent = [*self._recent, loss][-_RECENT:]
        self._line.advance(note=f"loss {np.mean(self._recent):.3f}  {films_per_second:.0f} films/s")

    def epoch(self, record: Mapping[str, Any]) -> None:
        """An epoch has ended."""
        if self._shown:
            console.print(epoch_line(record, self._epochs), highlight=False, soft_wrap=True)


@contextmanager
def live(total: int, done: int, epochs: int, shown: bool) -> Iterator[Live]:
    """The live line of a run.

    Args:
        total: Steps of the whole run.
        done: Steps of earlier parts of the run.
        epochs: Of the whole run.
        shown: Whether this process is the one to show it.
    """
    if not (shown and console.is_terminal):
        yield Live(None, epochs, shown)
        return
    with bar("training", total, done) as line:
        yield Live(line, epochs, shown)


def epoch_line(record: Mapping[str, Any], epochs: int) -> str:
    """An epoch's figures in a line."""
    parts = [
        f"epoch {record['epoch']:g}/{epochs}",
        f"loss {record['train_loss']:.3f}",
    ]
    if "validation_loss" in record:
        parts.append(f"validation {record['validation_loss']:.3f}")
        recalls = " / ".join(f"{record[key]:.1%}" for key in ("R@1", "R@5", "R@10"))
        parts.append(f"R@1/5/10 {recalls}")
    parts.append(f"{record['films_per_second']:.0f} films/s")
    parts.append(f"{record['seconds'] / 60:.1f} min")
    return "  ".join(parts)
