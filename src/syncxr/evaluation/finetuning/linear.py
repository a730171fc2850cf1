"""Protocol ``linear``: a linear layer on frozen features (MGCA, GLoRIA)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.optim import AdamW

from syncxr.evaluation.finetuning.options import LinearOptions
from syncxr.evaluation.finetuning.training import Best, batches, check_labels, label_loss
from syncxr.sample import derive_seed
from syncxr.threads import torch_threads

Features = NDArray[np.float32]
LabelTable = NDArray[np.float64]


@dataclass(frozen=True)
class LinearProbe:
    """A trained linear layer.

    Attributes:
        weight: (K, C).
        bias: (K,).
        epoch: The epoch kept, from 1.
        history: One entry an epoch: ``train_loss``, ``validation_loss``.
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    epoch: int
    history: tuple[dict[str, float], ...]

    def predict(self, features: Features) -> NDArray[np.float64]:
        """Probabilities (N, K)."""
        logits = features.astype(np.float64) @ self.weight.T + self.bias
        return np.asarray(1 / (1 + np.exp(-logits)))


def fit_linear(
    train: tuple[Features, LabelTable],
    validation: tuple[Features, LabelTable],
    options: LinearOptions,
    seed: int,
) -> LinearProbe:
    """Train a linear layer; runs on one thread, so that the same seed gives the same bytes.

    Args:
        train: Features (N, C) and labels (N, K) of 1, 0 or NaN.
        validation: As ``train``; decides when to stop and which epoch is kept.
        options: Settings.
        seed: Decides the start and the order.

    Raises:
        SyncxrError: Labels of another shape or kind, or the loss is no number.
    """
    findings = train[1].shape[1]
    for (_, labels), where in ((train, "training part"), (validation, "validation part")):
        check_labels(labels, findings, where)
    with torch_threads(1), torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(str(seed), "linear start", 0))
        layer = nn.Linear(train[0].shape[1], findings)
        optimiser = AdamW(
            layer.parameters(), lr=options.learning_rate, weight_decay=options.weight_decay
        )
        (seen, targets), (unseen, truth) = (
            (torch.from_numpy(np.asarray(x, np.float32)), torch.from_numpy(y).float())
            for x, y in (train, validation)
        )
        best = Best(options.patience)
        for epoch in range(options.epochs):
            total = 0.0
            for rows in batches(len(seen), options.batch_size, seed, epoch):
                optimiser.zero_grad(set_to_none=True)
                loss = label_loss(layer(seen[rows]), targets[rows])
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                total += float(loss.detach()) * len(rows)
            with torch.inference_mode():
                held_out = float(label_loss(layer(unseen), truth))
            best.see(layer, -held_out, train_loss=total / len(seen), validation_loss=held_out)
            if best.exhausted:
                break
        best.restore(layer)
    weight, bias = (parameter.detach().numpy() for parameter in (layer.weight, layer.bias))
    return LinearProbe(weight, bias, best.epoch, tuple(best.history))
