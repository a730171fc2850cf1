"""Protocol ``full``: the image tower trains with its linear layer (MAVL)."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor, nn
from torch.optim import AdamW

from syncxr.errors import SyncxrError
from syncxr.evaluation.films.features import BATCH, to_tensor
from syncxr.evaluation.finetuning.options import FullOptions
from syncxr.evaluation.finetuning.training import Best, batches, check_labels, label_loss
from syncxr.evaluation.metrics.binary import auroc
from syncxr.pretraining.augmentation import augment
from syncxr.pretraining.encoders.image import ImageEncoder
from syncxr.progress import bar
from syncxr.sample import derive_seed

Pixels = NDArray[np.uint8]
LabelTable = NDArray[np.float64]


class Classifier(nn.Module):
    """An image tower with a linear layer on its pooled feature."""

    def __init__(self, encoder: ImageEncoder, findings: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(encoder.channels, findings)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (N, K) of films (N, 1, S, S) in [0, 1]."""
        logits: Tensor = self.head(self.encoder(images).pooled)
        return logits


@dataclass(frozen=True)
class FullyTuned:
    """A fine-tuned classifier.

    Attributes:
        network: Its tensors are those of the best epoch.
        epoch: The epoch kept, from 1.
        history: One entry an epoch: ``train_loss``, ``validation_auroc``.
    """

    network: Classifier
    epoch: int
    history: tuple[dict[str, float], ...]

    def predict(self, films: Pixels) -> NDArray[np.float64]:
        """Probabilities (N, K) of prepared films (N, S, S)."""
        return _predict(self.network, films)


def fit_full(
    encoder: ImageEncoder,
    train: tuple[Pixels, LabelTable],
    validation: tuple[Pixels, LabelTable],
    options: FullOptions,
    seed: int,
) -> FullyTuned:
    """Train a copy of an image tower and a linear layer on it.

    Args:
        encoder: Pre-trained; stays as it is.
        train: Prepared films (N, S, S), which may lie on disk, and labels (N, K) of 1, 0 or NaN.
        validation: As ``train``; decides which epoch is kept.
        options: Settings.
        seed: Decides the layer's start, the order and the augmentation.

    Raises:
        SyncxrError: Labels of another shape or kind, or no finding of which the validation part
            has both positives and negatives.
    """
    findings = train[1].shape[1]
    for (_, labels), where in ((train, "training part"), (validation, "validation part")):
        check_labels(labels, findings, where)
    device = next(encoder.parameters()).device
    with torch.random.fork_rng():
        torch.manual_seed(derive_seed(str(seed), "full start", 0))
        network = Classifier(copy.deepcopy(encoder).requires_grad_(True), findings).to(device)
        optimiser = AdamW(
            network.parameters(), lr=options.learning_rate, weight_decay=options.weight_decay
        )
        films, targets = train[0], torch.from_numpy(train[1]).float()
        best = Best(options.epochs)
        with bar("full fine-tuning", options.epochs) as progress:
            for epoch in range(options.epochs):
                network.train()
                total = 0.0
                for step, rows in enumerate(batches(len(films), options.batch_size, seed, epoch)):
                    draw = derive_seed(f"{seed} {epoch}", "full augmentation", step)
                    torch.manual_seed(draw)  # dropout, where the tower has any
                    images = to_tensor(np.asarray(films[rows]))
                    images = augment(images, options.augmentation, Generator().manual_seed(draw))
                    optimiser.zero_grad(set_to_none=True)
                    loss = label_loss(network(images.to(device)), targets[rows].to(device))
                    loss.backward()  # type: ignore[no-untyped-call]
                    optimiser.step()
                    total += float(loss.detach()) * len(rows)
                area = mean_auroc(validation[1], _predict(network, validation[0]))
                best.see(network, area, train_loss=total / len(films), validation_auroc=area)
                progress.advance(note=f"validation AUROC {area:.3f}")
        best.restore(network)
    return FullyTuned(network.eval(), best.epoch, tuple(best.history))


def mean_auroc(labels: LabelTable, scores: NDArray[np.float64]) -> float:
    """Mean AUROC over the findings that have both positives and negatives.

    Raises:
        SyncxrError: None has.
    """
    areas = []
    for truth, own in zip(labels.T, scores.T, strict=True):
        known = ~np.isnan(truth)
        areas.append(auroc(truth[known], own[known]))
    scored = [area for area in areas if not np.isnan(area)]
    if not scored:
        raise SyncxrError(
            "the validation part has no finding with both a positive and a negative film, so no "
            "epoch can be chosen; give more validation films"
        )
    return float(np.mean(scored))


@torch.inference_mode()
def _predict(network: Classifier, films: Pixels) -> NDArray[np.float64]:
    network.eval()
    device = next(network.parameters()).device
    parts = [
        network(to_tensor(np.asarray(films[start : start + BATCH]), device)).double().cpu()
        for start in range(0, len(films), BATCH)
    ]
    return np.asarray(torch.sigmoid(torch.cat(parts)).numpy())
