"""All that shows how a run goes: the live line and the curves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from syncxr.pretraining.options import PretrainingOptions
from syncxr.pretraining.training.console import Live, live
from syncxr.pretraining.training.record import fingerprint
from syncxr.pretraining.training.tracking import Tracking


class Reports:
    """Tells steps and epochs to whoever watches."""

    def __init__(self, line: Live, curves: Tracking) -> None:
        self._line, self._curves = line, curves

    def step(self, number: int, loss: float, rate: float, films_per_second: float) -> None:
        """A step was taken, the ``number``-th."""
        self._line.step(loss, films_per_second)
        values = {"loss": loss, "learning_rate": rate, "films_per_second": films_per_second}
        self._curves.step(number, {f"train/{name}": value for name, value in values.items()})

    def epoch(self, record: Mapping[str, Any]) -> None:
        """An epoch has ended, or was cut off."""
        self._line.epoch(record)
        found = {
            f"validation/{name.removeprefix('validation_')}": value
            for name, value in record.items()
            if name == "validation_loss" or name.startswith("R@")
        }
        self._curves.write(record["step"], found)


@contextmanager
def reporting(
    options: PretrainingOptions,
    folder: Path,
    configuration: Mapping[str, Any],
    *,
    total: int,
    done: int,
    shown: bool,
) -> Iterator[Reports]:
    """Show a run while the block lasts.

    Args:
        options: Settings of the run.
        folder: Of the checkpoint.
        configuration: The settings as they are recorded.
        total: Steps of the whole run.
        done: Steps of earlier parts of the run.
        shown: Whether this process has the screen.
    """
    name = fingerprint({"folder": str(folder.resolve()), **configuration})[:16]
    curves = Tracking(options.trackers, folder, name, done, configuration)
    with closing(curves), live(total, done, options.epochs, shown) as line:
        yield Reports(line, curves)
