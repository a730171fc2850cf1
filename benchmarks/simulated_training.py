"""Plain networks trained on simulated films only, for so many minutes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import (
    affine_grid,
    avg_pool2d,
    binary_cross_entropy_with_logits,
    grid_sample,
    interpolate,
    softplus,
)
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from syncxr.evaluation.finetuning.losses import dice_bce_loss
from syncxr.evaluation.finetuning.unet import UNet
from syncxr.images.look import equalise
from syncxr.pretraining.encoders.image import ImageEncoder, build_image_encoder
from syncxr.pretraining.options import ImageEncoderOptions
from syncxr.progress import bar

BATCH = 32

RATE = {"head": 2e-3, "backbone": 6e-4}
"""Greatest learning rates (AdamW); a head from nothing learns faster than what ImageNet taught."""

DECAY = 0.02

LITTLE, MUCH = (0.12, 0.13, 0.10, 0.12), (0.15, 0.25, 0.18, 0.22)
"""Greatest turn (rad), zoom and squeeze (logarithms) and shift (half sides): a lung's outline bears
little, a classifier much, which else learns the simulator by heart."""

SMOOTHING = 0.998
"""Of the running mean of the weights that is kept."""


def started() -> ImageEncoder:
    """EfficientNet-Lite0 as ImageNet left it."""
    return build_image_encoder(ImageEncoderOptions(weights="efficientnet-lite0"))[0]


class Classifier(nn.Module):
    """Logits of findings from a film.

    Args:
        findings: How many.
    """

    def __init__(self, findings: int) -> None:
        super().__init__()
        self.encoder = started()
        self.drop = nn.Dropout(0.2)
        self.head = nn.Linear(self.encoder.channels, findings)

    def forward(self, images: Tensor) -> Tensor:
        """(N, 1, S, S) in [0, 1] to (N, K)."""
        logits: Tensor = self.head(self.drop(self.encoder(images).pooled))
        return logits


def abnormality(logits: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Log odds against a normal film that independent findings (N, K) make: minus log of no one."""
    total = softplus(torch.from_numpy(np.asarray(logits, np.float64))).sum(1)
    found: NDArray[np.float64] = total.numpy()
    return found


def train_classifier(
    films: NDArray[np.uint8], labels: NDArray[np.float32], minutes: float, seed: int = 0
) -> tuple[Classifier, dict[str, float]]:
    """Fit to films (N, S, S) and labels (N, K) of 1, 0 or NaN (not visible: not learnt from).

    Returns:
        The network with the mean of its late weights, and what was done.
    """
    torch.manual_seed(seed)
    model = Classifier(labels.shape[1])

    def loss(rows: NDArray[np.intp], random: torch.Generator) -> Tensor:
        images = hidden(moved(tensor(films[rows]), random, MUCH)[0], random)
        images = dressed(images, random)
        wanted = torch.from_numpy(labels[rows])
        known = ~wanted.isnan()
        each = binary_cross_entropy_with_logits(
            model(images), wanted.nan_to_num(), reduction="none"
        )
        return (each * known).sum() / known.sum().clamp_min(1)

    groups = [(model.encoder, RATE["backbone"]), (model.head, RATE["head"])]
    averaged, done = _fit(model, groups, loss, len(films), minutes, seed, "classifier")
    return averaged, done


def train_unet(
    films: NDArray[np.uint8], masks: NDArray[np.bool_], minutes: float, seed: int = 0
) -> tuple[UNet, dict[str, float]]:
    """Fit to films and lung fields (N, S, S); films are equalised here."""
    torch.manual_seed(seed)
    model = UNet(started(), frozen=False)
    flat = np.stack([equalise(film) for film in films])

    def loss(rows: NDArray[np.intp], random: torch.Generator) -> Tensor:
        images, wanted = moved(tensor(flat[rows]), random, LITTLE, torch.from_numpy(masks[rows]))
        assert wanted is not None
        return dice_bce_loss(model(dressed(images, random)), wanted)

    groups = [(model.network, RATE["backbone"])]
    return _fit(model, groups, loss, len(films), minutes, seed, "U-Net")


def _fit(
    model: Any,
    groups: list[tuple[nn.Module, float]],
    loss: Callable[[NDArray[np.intp], torch.Generator], Tensor],
    count: int,
    minutes: float,
    seed: int,
    name: str,
) -> tuple[Any, dict[str, float]]:
    """Steps until time is over; the learning rate rises for a twentieth and falls as a cosine."""
    model.to(memory_format=torch.channels_last).train()
    optimiser = torch.optim.AdamW(
        [{"params": m.parameters(), "lr": rate, "top": rate} for m, rate in groups],
        weight_decay=DECAY,
    )
    mean = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(SMOOTHING), use_buffers=True)
    random = torch.Generator().manual_seed(seed)
    start, passes, recent, told = time.monotonic(), 0, float("nan"), 0.0
    with bar(name, round(60 * minutes)) as progress:
        for rows in _batches(count, seed):
            share = (time.monotonic() - start) / (60 * minutes)
            if share >= 1 and passes:
                break
            pace = min(share / 0.05, 0.5 + 0.5 * math.cos(math.pi * min(share, 1.0)))
            for group in optimiser.param_groups:
                group["lr"] = group["top"] * max(pace, 1e-3)
            value = loss(rows, random)
            optimiser.zero_grad()
            value.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimiser.step()
            # An average over fewer steps than it reaches back would still hold the start.
            if share > 0.05:
                mean.update_parameters(model)
            now, passes = value.item(), passes + len(rows)
            recent = now if math.isnan(recent) else 0.98 * recent + 0.02 * now
            progress.advance(60 * minutes * share - told, f"loss {recent:.3f}")
            told = 60 * minutes * share
    spent = (time.monotonic() - start) / 60
    kept = mean.module if int(mean.n_averaged) else model
    return kept.eval(), {"minutes": spent, "image_passes": passes, "loss": recent}


def _batches(count: int, seed: int) -> Iterator[NDArray[np.intp]]:
    """Epoch after epoch without end."""
    generator = np.random.default_rng(seed)
    size = min(BATCH, count)
    while True:
        order = generator.permutation(count)
        for start in range(0, count - size + 1, size):
            yield order[start : start + size]


def tensor(films: NDArray[np.uint8]) -> Tensor:
    """(N, S, S) as (N, 1, S, S) in [0, 1]."""
    return torch.from_numpy(films).unsqueeze(1).float() / 255


def moved(
    images: Tensor,
    random: torch.Generator,
    spread: tuple[float, float, float, float],
    masks: Tensor | None = None,
) -> tuple[Tensor, Tensor | None]:
    """Turned, scaled, squeezed and shifted by so much; masks (N, S, S) with them."""
    count = len(images)
    turn, zoom, press, shift = spread

    def draw(spread: float) -> Tensor:
        return spread * (2 * torch.rand(count, generator=random) - 1)

    angle, scale, squeeze = draw(turn), torch.exp(draw(zoom)), torch.exp(draw(press))
    cosine, sine = scale * torch.cos(angle), scale * torch.sin(angle)
    matrix = torch.stack(
        [
            torch.stack([cosine * squeeze, -sine, draw(shift)], 1),
            torch.stack([sine, cosine / squeeze, draw(shift)], 1),
        ],
        1,
    )
    grid = affine_grid(matrix, list(images.shape), align_corners=False)
    found = grid_sample(images, grid, padding_mode="border", align_corners=False)
    if masks is None:
        return found, None
    return found, grid_sample(masks.unsqueeze(1).float(), grid, "nearest", align_corners=False)


def hidden(images: Tensor, random: torch.Generator) -> Tensor:
    """Under a smooth field of exposure, up to three patches of one grey a film.

    No single place, as a base that is too clean, is then enough to tell a finding.
    """
    count, side = len(images), images.shape[-1]
    field = torch.randn((count, 1, 4, 4), generator=random)
    field = interpolate(field, size=(side, side), mode="bicubic", align_corners=False)
    found = (images + 0.1 * field).clamp(0, 1)
    for film in found:
        for _ in range(int(torch.randint(0, 4, (1,), generator=random))):
            height, width = torch.randint(side // 12, side // 3, (2,), generator=random).tolist()
            top, left = torch.randint(0, side - side // 12, (2,), generator=random).tolist()
            grey = torch.rand(1, generator=random)
            film[:, top : top + height, left : left + width] = grey
    return found


def dressed(images: Tensor, random: torch.Generator) -> Tensor:
    """Gamma, sharpness and noise a little otherwise, as films differ after equalisation too."""
    shape = (len(images), 1, 1, 1)
    gamma = torch.exp(0.2 * torch.randn(shape, generator=random))
    softness = 1.4 * torch.rand(shape, generator=random) - 0.6
    noise = 0.05 * torch.rand(shape, generator=random) ** 2
    found = images.clamp(1e-3, 1).pow(gamma)
    blurred = avg_pool2d(found, 3, 1, 1, count_include_pad=False)
    found = found + softness * (blurred - found)
    found = found + noise * torch.randn(images.shape, generator=random)
    return found.clamp(0, 1).contiguous(memory_format=torch.channels_last)


def predict(model: nn.Module, films: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What a network gives for prepared films (N, S, S)."""
    rows = []
    for start in range(0, len(films), BATCH):
        images = tensor(films[start : start + BATCH])
        with torch.inference_mode():
            rows.append(model(images.contiguous(memory_format=torch.channels_last)).numpy())
    return np.concatenate(rows)
