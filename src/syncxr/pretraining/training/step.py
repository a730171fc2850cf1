"""One step of training: from batches to changed weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor, nn
from torch.optim import Adam

from syncxr.errors import SyncxrError
from syncxr.pretraining.augmentation import augment
from syncxr.pretraining.data.loader import Batch
from syncxr.pretraining.encoders.features import Tokens
from syncxr.pretraining.model import DualEncoder, as_pixels
from syncxr.pretraining.options import PretrainingOptions
from syncxr.pretraining.training.average import Average, copied
from syncxr.pretraining.training.engine import prepare
from syncxr.pretraining.training.schedule import rate
from syncxr.sample import derive_seed


class Taken(NamedTuple):
    """A step: mean loss of its batches before the update, and captions that were cut."""

    loss: float
    truncated: int


class Stepper:
    """Changes a model step by step; all that is random follows from the seed and the number.

    Args:
        engine: See :func:`syncxr.pretraining.training.engine.start_engine`.
        model: Is trained, in place.
        options: Settings of the run.
        total: Steps of the whole run.
    """

    def __init__(
        self, engine: Any, model: DualEncoder, options: PretrainingOptions, total: int
    ) -> None:
        self._engine, self._options, self._total = engine, options, total
        self.model = model
        self._wrapped = prepare(engine, model)
        self.optimiser = engine.prepare(
            Adam(
                [parameter for parameter in model.parameters() if parameter.requires_grad],
                lr=options.learning_rate,
                betas=options.betas,
                weight_decay=options.weight_decay,
            )
        )
        self.average = Average(model, options.ema) if options.ema else None

    @property
    def learning_rate(self) -> float:
        """Of the last step."""
        return float(self.optimiser.param_groups[0]["lr"])

    def worth_keeping(self) -> dict[str, Tensor]:
        """A copy of the weights that are validated."""
        with self.average.in_place() if self.average else nullcontext():
            return copied(self.model)

    def step(self, number: int, batches: Sequence[Batch], losses: Sequence[float]) -> Taken:
        """One update.

        Args:
            number: Of the step, from 0.
            batches: As many as are accumulated.
            losses: Validation losses so far, for the schedule.

        Raises:
            SyncxrError: The loss is no number, or does not reach a part of the model.
        """
        self._set_rate(number, losses)
        self._wrapped.train()
        values, truncated = [], 0
        for part, batch in enumerate(batches):
            with self._engine.accumulate(self._wrapped):
                films, tokens = self._prepare(batch, number * len(batches) + part)
                values.append(self._backward(films, tokens, number))
                truncated += int((tokens.mask.sum(1) >= self.model.text_encoder.max_tokens).sum())
                self._update()
        if self.average is not None:
            self.average.update(number)
        return Taken(math.fsum(values) / len(values), truncated)

    def _prepare(self, batch: Batch, index: int) -> tuple[Tensor, Tokens]:
        """Augmented films and tokens, where the model is."""
        rank = self._engine.process_index
        # Processes draw apart, the first as if it were alone.
        scope = f"pretraining step of process {rank}" if rank else "pretraining step"
        seed = derive_seed(str(self._options.seed), scope, index)
        torch.manual_seed(seed)  # dropout
        generator, device = Generator().manual_seed(seed), self._engine.device
        films = as_pixels(batch.films).to(device)
        films = augment(films, self._options.augmentation, generator)
        films = films.contiguous(memory_format=torch.channels_last)
        return films, self.model.text_encoder.tokens(batch.texts, device)

    def _backward(self, films: Tensor, tokens: Tokens, number: int) -> float:
        """Loss of a batch; its gradients are added to what is there."""
        loss = self._wrapped(films, tokens)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise SyncxrError(f"the loss is {value} at step {number}; lower learning_rate")
        self._engine.backward(loss)
        if number == 0:
            _check_gradients(self.model)
        return value

    def _update(self) -> None:
        """Move the weights, once the last batch of the step is in: accelerate counts them."""
        if self._options.clip is not None and self._engine.sync_gradients:
            self._engine.clip_grad_norm_(self.model.parameters(), self._options.clip)
        self.optimiser.step()
        self.optimiser.zero_grad()

    def _set_rate(self, number: int, losses: Sequence[float]) -> None:
        options = self._options
        relative = rate(options.schedule, number, self._total, options.warmup, losses)
        for group in self.optimiser.param_groups:
            group["lr"] = options.learning_rate * relative


def _check_gradients(model: nn.Module) -> None:
    """A tower that is cut off from the loss would look as if it trained."""
    deaf = [
        name
        for name, parameter in model.named_parameters()
        if parameter.requires_grad and parameter.grad is None
    ]
    if deaf:
        raise SyncxrError(
            f"{len(deaf)} parameters get no gradient, the first {deaf[0]}; "
            "choose another encoder or freeze them"
        )
