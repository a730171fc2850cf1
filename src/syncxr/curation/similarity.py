"""Likeness to films known to be bad: the paper's second curation step, in any feature space.

The paper drops an image whose RAD-DINO features have a cosine above 0.5 with a bad one. Cosines
of another network mean something else, so the threshold is calibrated for each feature space.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.float32]
"""One row a film, (N, D)."""

_ROWS = 64


def _directions(features: Features, centre: Features) -> Features:
    shifted = features.astype(np.float32) - centre
    norms = np.linalg.norm(shifted, axis=1, keepdims=True)
    result: Features = shifted / np.maximum(norms, 1e-12)
    return result


@dataclass(frozen=True)
class KnownBad:
    """Features of films known to be bad.

    Attributes:
        bank: Features of the bad films, (B, D).
        centre: Mean feature of good films, (D,); cosines are taken about it, since features of
            a network share a large common part that would bring every cosine near 1.
    """

    bank: Features
    centre: Features

    def similarity(self, features: Features) -> Features:
        """Greatest cosine of each film with any film of the bank, (N,), in [-1, 1].

        Raises:
            ValueError: The bank is empty or its width differs.
        """
        if not len(self.bank) or self.bank.shape[1] != features.shape[1]:
            raise ValueError(f"bank {self.bank.shape} does not fit features {features.shape}")
        films, known = _directions(features, self.centre), _directions(self.bank, self.centre)
        greatest = np.empty(len(films), np.float32)
        for start in range(0, len(films), _ROWS):
            part = films[start : start + _ROWS]
            # One product for all films of a batch, of one height always: products of different
            # heights round differently, and a film's similarity is to depend on the film alone.
            block = np.zeros((_ROWS, films.shape[1]), np.float32)
            block[: len(part)] = part
            greatest[start : start + _ROWS] = (block @ known.T).max(1)[: len(part)]
        return np.clip(greatest, -1, 1)


def calibrate(good: Features, lost: float = 0.02) -> float:
    """Smallest threshold that no more than a share ``lost`` of good films exceeds.

    Args:
        good: Similarities of good films, (N,).
        lost: Greatest share of them that may lie strictly above the threshold, in [0, 1).

    Raises:
        ValueError: No good films.
    """
    if not len(good):
        raise ValueError("calibration needs good films")
    allowed = int(lost * len(good))
    return float(np.sort(good)[len(good) - 1 - allowed])


def thin(features: Features, keep: int) -> NDArray[np.intp]:
    """Rows that cover the set best: farthest-point sampling by cosine, from the first row on.

    Args:
        features: (N, D).
        keep: Number of rows wanted; all if there are fewer.
    """
    directions = _directions(features, np.zeros(features.shape[1], np.float32))
    chosen = [0]
    nearest = directions @ directions[0]
    while len(chosen) < min(keep, len(features)):
        chosen.append(int(nearest.argmin()))
        nearest = np.maximum(nearest, directions @ directions[chosen[-1]])
    return np.asarray(chosen)
