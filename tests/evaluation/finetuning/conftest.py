"""A tower small enough to train in a test, and films that show what their labels say."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from syncxr.pretraining.encoders.image import ImageEncoder


@pytest.fixture
def tower() -> ImageEncoder:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return ImageEncoder("test_efficientnet")


@pytest.fixture
def films() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """Noise with a bright square on the films that are positive; and the squares."""

    def make(count: int, seed: int, side: int = 64) -> tuple[np.ndarray, np.ndarray]:
        generator = np.random.default_rng(seed)
        pixels = generator.integers(0, 90, (count, side, side), np.uint8)
        masks = np.zeros(pixels.shape, bool)
        for index in range(0, count, 2):
            top, left = generator.integers(0, side - 24, 2)
            masks[index, top : top + 24, left : left + 24] = True
        pixels[masks] += 150
        return pixels, masks

    return make
