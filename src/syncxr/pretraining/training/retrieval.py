"""How often the right text is found for a film."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CUTS = (1, 5, 10)

_FILMS_AT_ONCE = 256
"""Of 5,000 films and texts, all similarities at once would take hundreds of megabytes."""


def recalls(
    films: NDArray[np.float32], texts: NDArray[np.float32], said: NDArray[np.int64]
) -> dict[str, float]:
    """Recall at 1, 5 and 10 of film → text, by the product of their vectors.

    A film counts as served when one of its right texts has fewer than K wrong texts that are at
    least as similar: ties count against the model, and two films with the same words may share
    them.

    Args:
        films: (N, d).
        texts: (N, d).
        said: Number of what each text says, (N,); a text is right for a film whose own says the
            same.

    Returns:
        ``{"R@1": …, "R@5": …, "R@10": …}`` in [0, 1].
    """
    parts = (slice(i, i + _FILMS_AT_ONCE) for i in range(0, len(films), _FILMS_AT_ONCE))
    counts = [_ahead(films[part] @ texts.T, said[part, None] == said) for part in parts]
    ahead = np.concatenate(counts)
    return {f"R@{cut}": float((ahead < cut).mean()) for cut in CUTS}


def _ahead(similarities: NDArray[np.float32], right: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Wrong texts that are at least as similar as the best right one, (N,)."""
    best = np.where(right, similarities, -np.inf).max(1, keepdims=True)
    found: NDArray[np.int64] = ((similarities >= best) & ~right).sum(1)
    return found
