"""Curves for those who watch: TensorBoard, Weights & Biases."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from accelerate.tracking import TensorBoardTracker, WandBTracker

from syncxr.errors import SyncxrError
from syncxr.pretraining.options import Tracker
from syncxr.registry import install_command

_EVERY = 10
"""Steps between two points of a curve: each costs a write to disk."""


class Tracking:
    """Writes curves with accelerate's trackers; only the main process does.

    Args:
        names: Which; ``None`` = TensorBoard if it is installed.
        folder: Of the checkpoint; TensorBoard's files go to ``tensorboard/`` in it.
        run: What the run is; one that goes on after a stop continues its curves.
        step: Steps done; points that a killed run left beyond them are dropped.
        settings: Shown beside the curves.

    Raises:
        SyncxrError: One that is asked for is not installed.
    """

    def __init__(
        self,
        names: tuple[Tracker, ...] | None,
        folder: Path,
        run: str,
        step: int,
        settings: Mapping[str, Any],
    ) -> None:
        usual: tuple[Tracker, ...] = ("tensorboard",) if find_spec("tensorboard") else ()
        chosen = usual if names is None else names
        self._trackers = [_make(name, folder, run, step) for name in chosen]
        for tracker in self._trackers:
            tracker.start()
            if tracker.name == "wandb":  # TensorBoard's would be a second run beside the first
                tracker.store_init_configuration(dict(settings))

    def step(self, number: int, values: Mapping[str, float]) -> None:
        """Points after a step; one in ten is written."""
        if number % _EVERY == 0:
            self.write(number, values)

    def write(self, number: int, values: Mapping[str, float]) -> None:
        """Points at a step."""
        for tracker in self._trackers:
            tracker.log(dict(values), step=number)

    def close(self) -> None:
        """Write what is left."""
        for tracker in self._trackers:
            tracker.finish()


def _make(name: Tracker, folder: Path, run: str, step: int) -> Any:
    if find_spec(name) is None:
        raise SyncxrError(f"tracker {name!r} is not installed; run: {install_command(name)}")
    if name == "wandb":
        return WandBTracker("syncxr", name=folder.name, dir=str(folder), id=run, resume="allow")
    return TensorBoardTracker("tensorboard", str(folder), purge_step=step + 1)
