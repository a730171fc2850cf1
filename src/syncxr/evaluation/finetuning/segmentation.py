"""Fine-tuned segmentation: a U-Net from the pre-trained image tower (GLoRIA, MGCA)."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.optim import Adam, AdamW

from syncxr.errors import SyncxrError
from syncxr.evaluation.films.decoded import Masks
from syncxr.evaluation.films.features import BATCH, to_tensor
from syncxr.evaluation.finetuning.losses import LOSSES
from syncxr.evaluation.finetuning.options import SegmentationOptions
from syncxr.evaluation.finetuning.training import Best, batches
from syncxr.evaluation.finetuning.unet import UNet, check_side
from syncxr.pretraining.encoders.image import ImageEncoder
from syncxr.progress import bar
from syncxr.sample import derive_seed

Pixels = NDArray[np.uint8]


class Overlap(NamedTuple):
    """Pixels of each film, each (N,): truly inside, called inside, and both."""

    true: NDArray[np.int64]
    called: NDArray[np.int64]
    both: NDArray[np.int64]

    @property
    def dice(self) -> NDArray[np.float64]:
        """Dice of each film; empty on empty is 1."""
        below = self.true + self.called
        return np.where(below == 0, 1.0, 2 * self.both / np.maximum(below, 1))

    @property
    def iou(self) -> NDArray[np.float64]:
        """Intersection over union of each film; empty on empty is 1."""
        union = self.true + self.called - self.both
        return np.where(union == 0, 1.0, self.both / np.maximum(union, 1))


@dataclass(frozen=True)
class Segmented:
    """Films with their masks.

    Attributes:
        films: (N, S, S), prepared; may lie on disk.
        masks: Of the same films.
        rows: Which of them belong to this part; all must be drawn.
    """

    films: Pixels
    masks: Masks
    rows: NDArray[np.int64]

    def __len__(self) -> int:
        """Number of films of the part."""
        return len(self.rows)

    def images(self, places: NDArray[np.int64]) -> Pixels:
        """Films (n, S, S) of places in the part."""
        return np.asarray(self.films[self.rows[places]])

    def truth(self, places: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Masks (n, S, S) of places in the part."""
        return self.masks.batch(self.rows[places])


@dataclass(frozen=True)
class Segmenter:
    """A fine-tuned U-Net.

    Attributes:
        network: Its tensors are those of the best epoch.
        options: What it was trained with.
        epoch: The epoch kept, from 1.
        history: One entry an epoch: ``train_loss``, ``validation_dice``.
    """

    network: UNet
    options: SegmentationOptions
    epoch: int
    history: tuple[dict[str, float], ...]

    def predict(self, films: Pixels) -> NDArray[np.bool_]:
        """Masks (N, S, S) of prepared films."""
        starts = range(0, len(films), BATCH)
        parts = [self._call(np.asarray(films[start : start + BATCH])) for start in starts]
        return np.concatenate(parts)

    def measure(self, part: Segmented) -> Overlap:
        """Overlap of what is called with what was drawn, film by film."""
        return _measure(self.network, part, self.options.threshold)

    def _call(self, films: Pixels) -> NDArray[np.bool_]:
        return _called(self.network, films, self.options.threshold)


def fit_segmentation(
    encoder: ImageEncoder,
    train: Segmented,
    validation: Segmented,
    options: SegmentationOptions,
    seed: int,
) -> Segmenter:
    """Train a U-Net whose encoder starts as a copy of an image tower.

    Args:
        encoder: Pre-trained; stays as it is.
        train: Films and masks to train on.
        validation: Films and masks that decide when to stop and which epoch is kept.
        options: Settings.
        seed: Decides the decoder's start and the order.

    Raises:
        SyncxrError: An empty part, a film side that a U-Net cannot halve, or a tower that a U-Net
            cannot stand on.
    """
    if not len(train) or not len(validation):
        raise SyncxrError("segmentation needs training and validation films with masks")
    check_side(encoder, train.films.shape[1])
    device = next(encoder.parameters()).device
    loss_of = LOSSES[options.loss]
    with torch.random.fork_rng():
        torch.manual_seed(derive_seed(str(seed), "segmentation start", 0))
        network = UNet(copy.deepcopy(encoder), frozen=options.encoder == "frozen").to(device)
        network = network.to(memory_format=torch.channels_last)
        optimiser = (Adam if options.encoder == "full" else AdamW)(
            [parameter for parameter in network.parameters() if parameter.requires_grad],
            lr=options.learning_rate,
            weight_decay=options.decay,
        )
        best = Best(options.patience)
        with bar("segmentation", options.epochs) as progress:
            for epoch in range(options.epochs):
                network.train()
                total = 0.0
                for step, places in enumerate(batches(len(train), options.batch_size, seed, epoch)):
                    torch.manual_seed(derive_seed(f"{seed} {epoch}", "segmentation step", step))
                    images = to_tensor(train.images(places), device)
                    masks = torch.from_numpy(train.truth(places)).to(device).unsqueeze(1).float()
                    optimiser.zero_grad(set_to_none=True)
                    loss = loss_of(network(images), masks)
                    loss.backward()  # type: ignore[no-untyped-call]
                    optimiser.step()
                    total += float(loss.detach()) * len(places)
                dice = float(_measure(network, validation, options.threshold).dice.mean())
                mean_loss = total / len(train)
                best.see(network, dice, train_loss=mean_loss, validation_dice=dice)
                if not np.isfinite(mean_loss):
                    raise SyncxrError(f"the loss is {mean_loss}; lower learning_rate")
                progress.advance(note=f"validation Dice {dice:.3f}")
                if best.exhausted:
                    break
        best.restore(network)
    return Segmenter(network.eval(), options, best.epoch, tuple(best.history))


def overlap(called: NDArray[np.bool_], true: NDArray[np.bool_]) -> Overlap:
    """Pixel counts of masks (N, S, S)."""
    return Overlap(true.sum((1, 2)), called.sum((1, 2)), (called & true).sum((1, 2)))


def _measure(network: UNet, part: Segmented, threshold: float) -> Overlap:
    found = []
    for start in range(0, len(part), BATCH):
        places = np.arange(start, min(start + BATCH, len(part)))
        called = _called(network, part.images(places), threshold)
        found.append(overlap(called, part.truth(places)))
    return Overlap(*(np.concatenate(column) for column in zip(*found, strict=True)))


@torch.inference_mode()
def _called(network: UNet, films: Pixels, threshold: float) -> NDArray[np.bool_]:
    network.eval()
    images = to_tensor(films, next(network.parameters()).device)
    called: NDArray[np.bool_] = (network(images).sigmoid() >= threshold)[:, 0].cpu().numpy()
    return called
