"""Learning rate and end of a run, each a function of what is on record: resuming needs no state."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

Schedule = Literal["constant", "cosine", "plateau"]

PLATEAU_FACTOR = 0.5
PLATEAU_PATIENCE = 5
"""GLoRIA's settings of torch's ``ReduceLROnPlateau``."""

_LEAST_GAIN = 1e-4
"""Relative improvement that counts: the default of torch's ``ReduceLROnPlateau``."""


def rate(
    schedule: Schedule, step: int, total: int, warmup: float, losses: Sequence[float] = ()
) -> float:
    """Learning rate at a step relative to the peak, in (0, 1].

    Args:
        schedule: ``cosine`` falls to zero over all steps; ``plateau`` is halved whenever
            validation has not improved for more than five epochs.
        step: From 0.
        total: Steps of the whole run.
        warmup: Share of the steps over which the rate rises from zero.
        losses: Validation losses of the epochs so far.
    """
    rising = warmup * total
    if step < rising:
        return (step + 1) / (rising + 1)
    if schedule == "constant":
        return 1.0
    if schedule == "plateau":
        return PLATEAU_FACTOR ** _falls(losses)
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(total - rising, 1)))


def exhausted(losses: Sequence[float], patience: int | None) -> bool:
    """Whether the last ``patience`` epochs brought no lower validation loss (early stopping)."""
    if patience is None or len(losses) <= patience:
        return False
    return min(losses[-patience:]) >= min(losses[:-patience])


def _falls(losses: Sequence[float]) -> int:
    """How often the rate has fallen, by the rule of torch's ``ReduceLROnPlateau``."""
    falls = waiting = 0
    best = math.inf
    for loss in losses:
        if loss < best * (1 - _LEAST_GAIN):
            best, waiting = loss, 0
        else:
            waiting += 1
        if waiting > PLATEAU_PATIENCE:
            falls, waiting = falls + 1, 0
    return falls
