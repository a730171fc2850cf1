"""Zero-shot scores of many films, with progress."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from syncxr.evaluation.grounding import Grounder
from syncxr.pretraining.prompt import Prompt
from syncxr.progress import bar
from syncxr.sample import Image

_BATCH = 32
"""Films between two steps of the bar."""


class Model(Grounder, Protocol):
    """A model that answers prompts and points."""

    def zero_shot(
        self, images: Sequence[Image], prompts: Mapping[str, Prompt]
    ) -> NDArray[np.float32]:
        """Probabilities (N, K)."""
        ...


def zero_shot_scores(
    model: Model, images: Sequence[Image], prompts: Mapping[str, Prompt]
) -> NDArray[np.float32]:
    """Probability of each finding in each film, (N, K), columns in the order of ``prompts``."""
    parts = [np.empty((0, len(prompts)), np.float32)]
    with bar("zero-shot", len(images)) as progress:
        for start in range(0, len(images), _BATCH):
            films = images[start : start + _BATCH]
            parts.append(model.zero_shot(films, prompts))
            progress.advance(len(films))
    return np.concatenate(parts)
