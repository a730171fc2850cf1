"""A reader of small things: it looks for them all over a film, then tells what it found.

What a nodule is cannot be seen in means and maxima over a whole film, where ribs and vessels are
brighter than it is. A reader of nodules is a detector: it learns what small things look like from
patches round them and from places without any, and goes over a film with a magnifying glass.

Features are those of an ImageNet network as it is, applied fully convolutionally; both steps are
logistic regressions. Places that it takes for something in training films without any are added to
what it learns from, once (Sung and Poggio, PAMI 1998; Dalal and Triggs, CVPR 2005).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from torch.nn.functional import adaptive_max_pool2d, avg_pool2d, interpolate, max_pool2d

from syncxr.pretraining.encoders.image import ImageEncoder, build_image_encoder
from syncxr.pretraining.options import ImageEncoderOptions

MAGNIFIED = 3
"""Times, so that a thing of four pixels covers more than one cell of the network's maps."""

PENALTY = 1e-2
"""Inverse strength of the ridge, on standardised features."""

LIKELIEST = 4
"""Places of a film, those most like a small thing, that are asked what it is."""

PLACES = 12
"""Without anything, drawn from a film that shows no small thing."""

MINED = 4
"""Places of such a film that are taken for something and learnt from."""

Films = NDArray[np.uint8]
Features = NDArray[np.float32]


@dataclass(frozen=True)
class Detector:
    """Finds small things of two kinds and tells them apart.

    Attributes:
        encoder: Where features come from.
        found: Something or nothing, at a place.
        kind: The first kind or the second, where there is something.
    """

    encoder: ImageEncoder
    found: Pipeline
    kind: Pipeline

    @classmethod
    def of(cls, patches: Films, first: NDArray[np.bool_], empty: Films, seed: int = 0) -> Detector:
        """Learn.

        Args:
            patches: With a small thing in the middle of each, (N, P, P).
            first: Which of them are of the first kind, (N,).
            empty: Whole films without any, (M, S, S).
            seed: Of the places drawn from them.
        """
        encoder = build_image_encoder(ImageEncoderOptions(weights="efficientnet-lite0"))[0].eval()
        both = np.concatenate([patches, patches[:, :, ::-1]])
        things = np.concatenate([_middle(cells) for cells in looked_at(encoder, both)])
        rng = np.random.default_rng(seed)
        nothing = np.concatenate([_some(cells, rng) for cells in looked_at(encoder, empty)])
        found = _fitted(things, nothing)
        mined = [_likeliest(found, cells, MINED)[0] for cells in looked_at(encoder, empty)]
        found = _fitted(things, np.concatenate([nothing, *mined]))
        told = np.repeat(np.tile(first, 2), len(things) // len(both))
        return cls(encoder, found, _fitted(things[told], things[~told]))

    def scores(self, films: Films) -> NDArray[np.float64]:
        """Log odds that a film's small thing is of the first kind, (N,); means of both views."""
        views = (films, np.ascontiguousarray(films[:, :, ::-1]))
        return np.mean([list(self._scores(view)) for view in views], axis=0)

    def _scores(self, films: Films) -> Iterator[float]:
        for cells in looked_at(self.encoder, films):
            places, odds = _likeliest(self.found, cells, LIKELIEST)
            weights = np.exp(odds - odds.max())
            yield float(np.average(self.kind.decision_function(places), weights=weights))


def looked_at(encoder: ImageEncoder, films: Films) -> Iterator[Features]:
    """Features of every place of each film, (H, W, D)."""
    for film in films:
        pixels = torch.from_numpy(np.ascontiguousarray(film))[None, None].float() / 255
        large = interpolate(pixels, scale_factor=MAGNIFIED, mode="bicubic").clamp(0, 1)
        shown = (large.expand(-1, 3, -1, -1) - encoder.mean) / encoder.deviation
        with torch.inference_mode():
            _, maps = encoder.backbone.forward_intermediates(
                shown.contiguous(memory_format=torch.channels_last), output_fmt="NCHW"
            )
            # Of strides 4, 8 and 16: edges, what they enclose, and what lies around.
            fine, middle, coarse = maps[1:4]
            size = middle.shape[-2:]
            parts = [adaptive_max_pool2d(fine, size), middle, interpolate(coarse, size=size)]
            joined = torch.cat(parts, 1)
            pools = (avg_pool2d(joined, 3, 1, 1), max_pool2d(joined, 3, 1, 1))
            yield torch.cat(pools, 1)[0].permute(1, 2, 0).contiguous().numpy()


def _middle(cells: Features) -> Features:
    """The four places round the middle of a patch, (4, D)."""
    row, column = (side // 2 for side in cells.shape[:2])
    return cells[row - 1 : row + 1, column - 1 : column + 1].reshape(-1, cells.shape[2])


def _some(cells: Features, rng: np.random.Generator) -> Features:
    """Random places, (PLACES, D)."""
    flat = cells.reshape(-1, cells.shape[2])
    return flat[rng.choice(len(flat), PLACES, replace=False)]


def _likeliest(
    found: Pipeline, cells: Features, count: int
) -> tuple[Features, NDArray[np.float64]]:
    """Places most like something, (count, D), and their log odds; no two beside each other."""
    odds = found.decision_function(cells.reshape(-1, cells.shape[2])).reshape(cells.shape[:2])
    left = odds.copy()
    places = []
    for _ in range(count):
        row, column = np.unravel_index(int(left.argmax()), left.shape)
        places.append((row, column))
        left[max(0, row - 2) : row + 3, max(0, column - 2) : column + 3] = -np.inf
    rows, columns = np.array(places).T
    return cells[rows, columns], odds[rows, columns]


def _fitted(positive: Features, negative: Features) -> Pipeline:
    """Logistic regression on standardised features."""
    model = make_pipeline(
        StandardScaler(), LogisticRegression(C=PENALTY, class_weight="balanced", max_iter=300)
    )
    truth = np.repeat([True, False], [len(positive), len(negative)])
    return model.fit(np.concatenate([positive, negative]), truth)
