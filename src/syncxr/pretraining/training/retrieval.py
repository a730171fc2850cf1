"""How often the right text is found for a film, and the other way round."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CUTS = (1, 5, 10)


def recalls(similarities: NDArray[np.float32], right: NDArray[np.bool_]) -> dict[str, float]:
    """Recall at 1, 5 and 10 of film → text.

    A film counts as served when one of its right texts has fewer than K wrong texts that are at
    least as similar: ties count against the model, and two films with the same words may share
    them.

    Args:
        similarities: (N films, M texts).
        right: Which texts are right for which film, (N, M); at least one a row.

    Returns:
        ``{"R@1": …, "R@5": …, "R@10": …}`` in [0, 1].
    """
    best = np.where(right, similarities, -np.inf).max(1, keepdims=True)
    ahead = ((similarities >= best) & ~right).sum(1)
    return {f"R@{cut}": float((ahead < cut).mean()) for cut in CUTS}
