"""Whether an export says what the model says."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from syncxr.pretraining.model import DualEncoder
from syncxr.pretraining.preprocessing import equalise
from syncxr.sample import Image

TEXTS = (
    "Clear lungs.",
    "There is a small left pleural effusion; no pneumothorax is seen, and the heart is normal.",
    "no nodule",
)
"""Texts of several lengths, one of them longer than the others are together."""


def noise(model: DualEncoder) -> list[Image]:
    """Films of several sizes; equalised where the model does so, to which twice is once."""
    generator = np.random.default_rng(0)
    films = []
    for height, width in ((97, 120), (64, 64), (300, 211)):
        slope = np.linspace(40, 200, width)
        grey = slope + generator.normal(0, 25, (height, width))
        film = grey.clip(0, 255).astype(np.uint8)
        films.append(equalise(film) if model.preprocessing.equalise else film)
    return films


def difference(
    model: DualEncoder,
    films: list[Image],
    images: NDArray[np.float32],
    texts: NDArray[np.float32],
) -> float:
    """Greatest difference of a coordinate between unit vectors and the model's own."""
    apart = (
        np.abs(images - model.encode_image(films)).max(),
        np.abs(texts - model.encode_text(TEXTS)).max(),
    )
    return float(max(apart))
