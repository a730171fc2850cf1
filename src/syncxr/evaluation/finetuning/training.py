"""What the three ways of fine-tuning share: order of films, the best epoch, the label loss."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from syncxr.errors import SyncxrError
from syncxr.sample import derive_seed


def batches(count: int, size: int, seed: int, epoch: int) -> list[NDArray[np.int64]]:
    """Every row once, in an order of its own each epoch, in batches of nearly equal size.

    Nothing is dropped, and no batch is so small that BatchNorm would see a film or two only
    because the number of films is one more than a multiple of ``size``.
    """
    order = np.random.default_rng(derive_seed(str(seed), "fine-tuning order", epoch))
    return np.array_split(order.permutation(count), math.ceil(count / size))


def label_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Binary cross-entropy over what is labelled.

    Args:
        logits: (N, K).
        labels: (N, K) of 1, 0 or NaN; NaN counts for nothing.

    Returns:
        Scalar; 0 where nothing is labelled.
    """
    known = ~labels.isnan()
    losses = binary_cross_entropy_with_logits(logits, labels.nan_to_num(0.0), reduction="none")
    return (losses * known).sum() / known.sum().clamp(min=1)


@dataclass
class Best:
    """The epoch to keep, and when to stop.

    Attributes:
        patience: Epochs without improvement before :attr:`exhausted`.
        value: Best value so far; higher is better.
        epoch: Its epoch, from 1.
        state: Tensors of the network then, on the CPU.
        history: One entry an epoch.
    """

    patience: int
    value: float = -math.inf
    epoch: int = 0
    state: dict[str, Tensor] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)

    def see(self, network: nn.Module, value: float, **figures: float) -> None:
        """Take note of an epoch that has ended.

        Raises:
            SyncxrError: ``value`` is not a number.
        """
        self.history.append({"epoch": len(self.history) + 1, **figures})
        if not math.isfinite(value):
            raise SyncxrError(
                f"fine-tuning diverged in epoch {len(self.history)}; lower learning_rate"
            )
        if value > self.value:
            self.value, self.epoch = value, len(self.history)
            self.state = {
                key: tensor.detach().cpu().clone() for key, tensor in network.state_dict().items()
            }

    @property
    def exhausted(self) -> bool:
        """Whether the last ``patience`` epochs brought nothing."""
        return len(self.history) - self.epoch >= self.patience

    def restore(self, network: nn.Module) -> None:
        """Put the best epoch's tensors back."""
        network.load_state_dict(self.state)


def check_labels(labels: NDArray[np.floating[Any]], findings: int, where: str) -> None:
    """Labels must be (N, K) of 1, 0 or NaN, and at least one film must be there.

    Raises:
        SyncxrError: They are not.
    """
    if labels.ndim != 2 or labels.shape[1] != findings or not len(labels):
        raise SyncxrError(f"{where}: labels are {labels.shape}, not (films, {findings} findings)")
    if not (np.isnan(labels) | np.isin(labels, (0, 1))).all():
        raise SyncxrError(f"{where}: a label is neither 0, 1 nor empty; mend the table")


def without_positive(
    labels: NDArray[np.floating[Any]], findings: tuple[str, ...]
) -> tuple[str, ...]:
    """Findings that no film of a fraction shows: what is learnt of them is that they are absent."""
    return tuple(
        name for name, column in zip(findings, labels.T, strict=True) if not (column == 1).any()
    )
