"""Where a run is, and how it comes back there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from syncxr.dataset.files import write_text
from syncxr.errors import SyncxrError
from syncxr.pretraining.checkpoint import Checkpoint, load_training, load_weights
from syncxr.pretraining.training.step import Stepper

HISTORY = "history.jsonl"
"""One JSON object an epoch: losses, retrieval, rate, films a second."""


@dataclass
class State:
    """What has happened so far, but for tensors.

    Attributes:
        history: A record for each finished epoch, as ``history.jsonl`` has it.
        losses: Of the steps of the running epoch.
        truncated: Captions of the running epoch that were cut.
        seconds: Training time so far.
        rest: A record like those of ``history`` for an epoch that the time limit cut off.
    """

    history: list[dict[str, Any]] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    truncated: int = 0
    seconds: float = 0.0
    rest: dict[str, Any] = field(default_factory=dict)

    def add(self, loss: float, truncated: int) -> None:
        """A step was taken."""
        self.losses.append(loss)
        self.truncated += truncated
        self.rest = {}

    @property
    def validation_losses(self) -> list[float]:
        """Of the finished epochs."""
        return [epoch["validation_loss"] for epoch in self.history if "validation_loss" in epoch]

    @property
    def best(self) -> dict[str, Any]:
        """The finished epoch with the lowest validation loss, the first of several."""
        return min(self.history, key=lambda epoch: float(epoch["validation_loss"]))

    def close_epoch(self, record: dict[str, Any]) -> None:
        """The running epoch has ended."""
        self.history.append(record)
        self.losses, self.truncated = [], 0


def write_history(folder: Path, state: State) -> None:
    """Write ``history.jsonl``."""
    lines = [*state.history, state.rest] if state.rest else state.history
    write_text(folder / HISTORY, "".join(json.dumps(line) + "\n" for line in lines))


def freeze(
    engine: Any, state: State, stepper: Stepper, kept: Mapping[str, Tensor]
) -> dict[str, Any]:
    """All that a run needs beside the checkpoint's weights to go on.

    Args:
        engine: Has the scale of half precision.
        state: What has happened so far.
        stepper: Has the weights and the optimiser.
        kept: What the checkpoint has in place of the model's own weights, if anything.
    """
    average = stepper.average.values if stepper.average else {}
    return {
        "state": json.dumps(asdict(state)),
        "optimiser": stepper.optimiser.state_dict(),
        "scaler": engine.scaler.state_dict() if engine.scaler is not None else {},
        "weights": stepper.model.state_dict() if kept else {},
        "average": average if kept is not average else {},
    }


def thaw(
    engine: Any, folder: Path, checkpoint: Checkpoint, stepper: Stepper
) -> tuple[State, dict[str, Tensor]]:
    """Take over a run as :func:`freeze` left it, or a finished one.

    Returns:
        What has happened so far, and the checkpoint's weights.

    Raises:
        SyncxrError: A file is damaged.
    """
    kept = load_weights(folder, checkpoint)
    if checkpoint.training is None:
        stepper.model.load_state_dict(kept)
        return _finished(folder), kept
    found = load_training(folder, checkpoint)
    stepper.model.load_state_dict(found["weights"] or kept)
    stepper.optimiser.load_state_dict(found["optimiser"])
    if engine.scaler is not None:
        engine.scaler.load_state_dict(found["scaler"])
    if stepper.average is not None:
        for name, value in stepper.average.values.items():
            value.copy_((found["average"] or kept)[name])
    return State(**json.loads(found["state"])), kept


def _finished(folder: Path) -> State:
    path = folder / HISTORY
    try:
        history = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        return State(history, seconds=history[-1]["seconds"])
    except (OSError, ValueError, LookupError) as error:
        raise SyncxrError(f"{path} is missing or damaged; name another folder") from error
