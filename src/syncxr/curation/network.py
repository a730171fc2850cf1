"""The inspector's network: two small towers, six answers.

One tower looks at the whole film, coarse and half equalised, so that exposure does not matter:
what is shown, from where, and whether the anatomy is right. It is the first eleven blocks of
EfficientNet-Lite0 (Tan & Le, ICML 2019, without squeeze-excitation and with ReLU6), started from
ImageNet and trained from the sixth on. The other looks at grey values and detail as they are:
blur, noise, exposure, grids.
The first three questions hear the first tower only; the last three hear both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from PIL import Image as Pillow
from torch import Tensor, nn

from syncxr.curation.judge import QUESTIONS
from syncxr.sample import Image

ANATOMY_SIDE = 160
TEXTURE_SIDE = 256
EMBEDDING = 128
"""Features a film is compared by, both towers together."""

CONTENT = 3
"""The first questions of :data:`QUESTIONS` are about what is shown."""


def prepare(film: Image) -> tuple[Image, Image]:
    """The two views of a film: (160, 160) half equalised and (256, 256) as it is, uint8.

    Films are squeezed to squares: radiographs are nearly square, and no border is invented.
    """
    picture = Pillow.fromarray(film)
    box = (
        Pillow.Resampling.BOX if min(film.shape) > 2 * ANATOMY_SIDE else Pillow.Resampling.BILINEAR
    )
    coarse = np.asarray(picture.resize((ANATOMY_SIDE, ANATOMY_SIDE), box))
    fine = np.asarray(picture.resize((TEXTURE_SIDE, TEXTURE_SIDE), Pillow.Resampling.BILINEAR))
    return _half_equalised(coarse), fine


def _half_equalised(film: Image) -> Image:
    """Mean of the film stretched to its percentiles and of its grey-value ranks.

    Ranks forget the response curve; the stretch keeps an empty background from turning its noise
    into texture.
    """
    low, high = np.percentile(film, [1, 99])
    stretched = np.clip((film - low) / max(high - low, 1.0), 0, 1)
    counts = np.bincount(film.ravel(), minlength=256)
    ranks = (np.cumsum(counts) - counts / 2) / film.size
    both: Image = np.rint(127.5 * (stretched + ranks[film])).astype(np.uint8)
    return both


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.05)


class _Block(nn.Module):
    """Inverted residual: expand, filter each channel, project; named as in the ImageNet file."""

    def __init__(self, inside: int, out: int, kernel: int, stride: int, expand: int) -> None:
        super().__init__()
        wide = inside * expand
        self.expand = expand > 1
        self.skip = stride == 1 and inside == out
        if self.expand:
            self.expand_conv = nn.Conv2d(inside, wide, 1, bias=False)
            self.bn0 = _norm(wide)
        self.depthwise_conv = nn.Conv2d(
            wide, wide, kernel, stride, kernel // 2, groups=wide, bias=False
        )
        self.bn1 = _norm(wide)
        self.project_conv = nn.Conv2d(wide, out, 1, bias=False)
        self.bn2 = _norm(out)
        self.act = nn.ReLU6()

    def forward(self, x: Tensor) -> Tensor:
        y = self.act(self.bn0(self.expand_conv(x))) if self.expand else x
        y = self.bn2(self.project_conv(self.act(self.bn1(self.depthwise_conv(y)))))
        out: Tensor = x + y if self.skip else y
        return out


_STAGES = (
    # (blocks, channels, kernel, stride, expansion), Tan & Le, table 1, first five stages
    (1, 16, 3, 1, 1),
    (2, 24, 3, 2, 6),
    (2, 40, 5, 2, 6),
    (3, 80, 3, 2, 6),
    (3, 112, 5, 1, 6),
)


EARLY = 5
"""Blocks never trained: edges and textures from photographs carry over to real films better than
ones fitted to simulated films, and their output need be worked out only once a film."""


class AnatomyTower(nn.Module):
    """First eleven blocks of EfficientNet-Lite0 on one grey channel; mean and maximum over it."""

    features = 2 * 112

    def __init__(self) -> None:
        super().__init__()
        self.conv_stem = nn.Conv2d(1, 32, 3, 2, 1, bias=False)
        self.bn0 = _norm(32)
        self.act = nn.ReLU6()
        blocks, inside = [], 32
        for count, channels, kernel, stride, expand in _STAGES:
            for index in range(count):
                blocks.append(_Block(inside, channels, kernel, stride if index == 0 else 1, expand))
                inside = channels
        self.blocks = nn.Sequential(*blocks)

    def early(self, x: Tensor) -> Tensor:
        """The part that stays as ImageNet gave it: (N, 1, 160, 160) to (N, 40, 20, 20)."""
        found: Tensor = self.blocks[:EARLY](self.act(self.bn0(self.conv_stem(x))))
        return found

    def late(self, x: Tensor) -> Tensor:
        """The part that is trained: (N, 40, 20, 20) to (N, 224)."""
        x = self.blocks[EARLY:](x)
        return torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1)

    def frozen(self) -> list[nn.Module]:
        """The modules of :meth:`early`."""
        return [self.conv_stem, self.bn0, self.blocks[:EARLY]]

    def load_imagenet(self, path: Path) -> None:
        """Start from the asset's ``.pth``; the blocks beyond this tower are left out."""
        saved: Mapping[str, Tensor] = torch.load(path, weights_only=True)
        own = self.state_dict()
        renamed = {re.sub(r"(^|\.)_", r"\1", key): value for key, value in saved.items()}
        # A grey film is the same in all three colour channels, so their weights add up.
        renamed["conv_stem.weight"] = renamed["conv_stem.weight"].sum(1, keepdim=True)
        self.load_state_dict({key: renamed[key] for key in own})


class TextureTower(nn.Module):
    """Five plain convolutions over the film at full detail, and the range of its grey values."""

    features = 3 * 64 + 4

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inside = 1
        for channels in (8, 16, 32, 48, 64):
            layers += [nn.Conv2d(inside, channels, 3, 2, 1, bias=False), _norm(channels), nn.ReLU()]
            inside = channels
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 1, 256, 256) to (N, 196)."""
        # Normalisation inside the layers would hide exposure and contrast.
        patches = nn.functional.avg_pool2d(x, 8)
        grey = [x.mean((2, 3)), _spread(x), patches.amin((2, 3)), patches.amax((2, 3))]
        x = self.layers(x)
        return torch.cat([x.mean((2, 3)), x.amax((2, 3)), _spread(x), *grey], 1)


def _spread(x: Tensor) -> Tensor:
    """Standard deviation over each map, (N, C)."""
    return (x.var((2, 3), correction=0) + 1e-4).sqrt()


class InspectorNet(nn.Module):
    """Six logits and an embedding for each film."""

    def __init__(self) -> None:
        super().__init__()
        half = EMBEDDING // 2
        self.anatomy = AnatomyTower()
        self.texture = TextureTower()
        both = AnatomyTower.features + TextureTower.features
        self.content = nn.Linear(AnatomyTower.features, half)
        self.make = nn.Linear(both, half)
        self.drop = nn.Dropout(0.2)
        self.content_head = nn.Linear(half, CONTENT)
        self.make_head = nn.Linear(half, len(QUESTIONS) - CONTENT)

    def forward(self, coarse: Tensor, fine: Tensor) -> tuple[Tensor, Tensor]:
        """Answers and features.

        Args:
            coarse: First view of :func:`prepare` / 255, (N, 1, 160, 160).
            fine: Second view / 255, (N, 1, 256, 256).

        Returns:
            Logits (N, 6) in the order of :data:`QUESTIONS`; embedding (N, 128).
        """
        return self.answer(self.early(coarse), fine)

    def early(self, coarse: Tensor) -> Tensor:
        """The untrained part of the first tower, (N, 40, 20, 20)."""
        return self.anatomy.early((coarse - 0.5) / 0.25)

    def answer(self, early: Tensor, fine: Tensor) -> tuple[Tensor, Tensor]:
        """As :meth:`forward`, from the output of :meth:`early`."""
        anatomy = self.anatomy.late(early)
        texture = self.texture((fine - 0.5) / 0.25)
        content = torch.tanh(self.content(self.drop(anatomy)))
        make = torch.tanh(self.make(self.drop(torch.cat([anatomy, texture], 1))))
        logits = torch.cat([self.content_head(content), self.make_head(make)], 1)
        return logits, torch.cat([content, make], 1)
