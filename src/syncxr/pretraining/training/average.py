"""A running mean of the weights, which is evaluated and kept in place of the last step's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Average:
    """Exponential moving average of all that training changes in a model.

    The decay of update t is ``min(decay, (1 + t) / (10 + t))``, so that the random start is soon
    forgotten (TensorFlow's ``ExponentialMovingAverage`` with ``num_updates``). Statistics of batch
    normalisation are averaged like weights, counters are copied.

    Args:
        model: Whose weights are averaged.
        decay: In (0, 1), e.g. .999.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self._model = model
        self._decay = decay
        self.values = copied(model)

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after a step, counted from 0."""
        decay = min(self._decay, (1 + step) / (10 + step))
        for name, value in _changing(self._model):
            mean = self.values[name]
            if mean.is_floating_point():
                mean.lerp_(value, 1 - decay)
            else:
                mean.copy_(value)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Let the model have the averaged weights for a while."""
        own = copied(self._model)
        self.fill(self.values)
        try:
            yield
        finally:
            self.fill(own)

    @torch.no_grad()
    def fill(self, values: Mapping[str, Tensor]) -> None:
        """Copy values into the model."""
        for name, value in _changing(self._model):
            value.copy_(values[name])


def copied(model: nn.Module) -> dict[str, Tensor]:
    """A copy of all that training changes in a model."""
    return {name: value.detach().clone() for name, value in _changing(model)}


def _changing(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    frozen = {name for name, value in model.named_parameters() if not value.requires_grad}
    for name, value in model.state_dict(keep_vars=True).items():
        if name not in frozen:
            yield name, value
