from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from syncxr.evaluation.zero_shot import zero_shot_scores
from syncxr.pretraining.prompt import Prompt
from syncxr.sample import Image


class Grey:
    """Scores a film by its mean grey, whatever is asked."""

    def zero_shot(self, images: Sequence[Image], prompts: Mapping[str, Prompt]) -> np.ndarray:
        means = [[image.mean() / 255] * len(prompts) for image in images]
        return np.array(means, np.float32)

    def ground(self, image: Image, phrase: str) -> np.ndarray:
        raise AssertionError("not asked")


@pytest.mark.parametrize("count", [0, 1, 32, 77])
def test_scores_keep_the_order_of_films(count: int) -> None:
    films = [np.full((4, 4), value, np.uint8) for value in range(count)]
    prompts = {"nodule": Prompt(("nodule",), ("no nodule",)), "mass": Prompt(("mass",), ("no",))}
    scores = zero_shot_scores(Grey(), films, prompts)
    assert scores.shape == (count, 2)
    np.testing.assert_allclose(scores[:, 1] * 255, np.arange(count), atol=1e-4)
