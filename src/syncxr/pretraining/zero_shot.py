"""From logits of texts to scores of findings: which texts are read, and how they count."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, as_tensor

from syncxr.pretraining.prompt import Prompt


def texts_of(prompts: Mapping[str, Prompt]) -> tuple[str, ...]:
    """Every text of the prompts once, in the order in which they are read."""
    every = (text for prompt in prompts.values() for text in (*prompt.positive, *prompt.negative))
    return tuple(dict.fromkeys(every))


def score_prompts(
    logits: Tensor | NDArray[np.float32], prompts: Mapping[str, Prompt]
) -> NDArray[np.float64]:
    """Scores of findings out of the logits of their texts.

    The logits of the affirming texts and those of the denying texts are averaged (or the
    greatest is taken, as the prompt says), and a softmax is taken over the two (CheXzero, Tiu
    et al. 2022). Where nothing is denied, the affirming logit itself is the score.

    Args:
        logits: (N, T), columns in the order of :func:`texts_of`.
        prompts: Finding to prompt.

    Returns:
        (N, K), columns in the order of ``prompts``: probabilities, or logits where nothing is
        denied. In double precision, for a probability near 1 ties with others in single.
    """
    given = as_tensor(logits).cpu().double()
    place = {text: column for column, text in enumerate(texts_of(prompts))}
    columns = []
    for prompt in prompts.values():
        sides = (prompt.positive, prompt.negative)
        yes, no = (_side(given[:, [place[t] for t in side]], prompt.combine) for side in sides)
        columns.append(torch.sigmoid(yes - no) if prompt.negative else yes)
    return torch.stack(columns, 1).numpy()


def _side(logits: Tensor, combine: str) -> Tensor:
    """Logits of the texts of one side, (N, T), as one a film, (N,); 0 without a text."""
    if not logits.shape[1]:
        return logits.new_zeros(len(logits))
    return logits.amax(1) if combine == "max" else logits.mean(1)
