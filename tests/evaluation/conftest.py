"""Models that need no training: one that knows, one that guesses, one that lies."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest

from syncxr.pretraining.prompt import Prompt
from syncxr.sample import Image


class Oracle:
    """Answers from a table of the films' pixels."""

    def __init__(self, truth: Mapping[bytes, frozenset[str]], sign: float) -> None:
        self.truth, self.sign = truth, sign

    def zero_shot(self, images: Sequence[Image], prompts: Mapping[str, Prompt]) -> np.ndarray:
        right = np.array(
            [[finding in self.truth[i.tobytes()] for finding in prompts] for i in images], float
        ).reshape(len(images), len(prompts))
        return (0.5 + self.sign * (right - 0.5) * 0.8).astype(np.float32)

    def ground(self, image: Image, phrase: str) -> np.ndarray:
        return np.zeros(image.shape, np.float32)


class Dice:
    """Knows nothing."""

    def __init__(self) -> None:
        self.generator = np.random.default_rng(0)

    def zero_shot(self, images: Sequence[Image], prompts: Mapping[str, Prompt]) -> np.ndarray:
        return self.generator.random((len(images), len(prompts)), np.float32)

    def ground(self, image: Image, phrase: str) -> np.ndarray:
        return self.generator.random(image.shape, np.float32)


@pytest.fixture
def oracle() -> Callable[..., Oracle]:
    def make(truth: Mapping[bytes, frozenset[str]], sign: float = 1.0) -> Oracle:
        return Oracle(truth, sign)

    return make


@pytest.fixture
def dice() -> Dice:
    return Dice()
