"""Scores of a map or a mask against a true mask."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

OVERLAPS = ("IoU", "Dice", "recall", "precision")
"""What :func:`overlaps` gives, in order."""


def overlaps(inside: Floats, called: Floats, true: Floats) -> Floats:
    """IoU, Dice, recall and precision from areas, (…, 4).

    Args:
        inside: Called pixels that are true, any shape.
        called: Pixels called positive.
        true: Pixels of the true mask.

    Returns:
        Where nothing is true and nothing is called all four are 1; where one of the two is empty
        all are 0 (recall of no mask and precision of no call included).
    """
    both_empty = (called == 0) & (true == 0)

    def ratio(above: Floats, below: Floats) -> Floats:
        found = above / np.where(below == 0, 1, below)
        return np.where(both_empty, 1.0, found)

    return np.stack(
        [
            ratio(inside, called + true - inside),
            ratio(2 * inside, called + true),
            ratio(inside, true),
            ratio(inside, called),
        ],
        axis=-1,
    )


def swept(heat: NDArray[np.floating], mask: NDArray[np.bool_], thresholds: Floats) -> Floats:
    """Overlaps at every threshold from one sort of the map.

    Args:
        heat: (H, W), finite; pixels ≥ a threshold are called positive.
        mask: (H, W).
        thresholds: (T,).

    Returns:
        (T, 4), columns :data:`OVERLAPS`.

    Raises:
        ValueError: Shapes differ.
    """
    _same(heat, mask)
    # Compared in the map's own precision: .7 as a float of four bytes is no .7 of eight.
    cuts = thresholds.astype(heat.dtype)
    everywhere, inside = np.sort(heat.ravel()), np.sort(heat[mask])
    called = len(everywhere) - np.searchsorted(everywhere, cuts)
    hit = len(inside) - np.searchsorted(inside, cuts)
    true = np.full(len(cuts), float(len(inside)))
    return overlaps(hit.astype(np.float64), called.astype(np.float64), true)


def pointing_hit(heat: NDArray[np.floating], mask: NDArray[np.bool_]) -> float:
    """Whether the maximum of a map lies in the mask (Zhang et al., IJCV 2018).

    Returns:
        1 or 0; of several equal maxima the share that lies in the mask, so that a flat map scores
        as a blind point does.

    Raises:
        ValueError: Shapes differ.
    """
    _same(heat, mask)
    return float(mask[heat == heat.max()].mean())


def contrast_to_noise(heat: NDArray[np.floating], mask: NDArray[np.bool_]) -> float:
    r"""Signed contrast-to-noise ratio of the map inside against outside the mask.

    :math:`(\mu_A - \mu_{\bar A}) / \sqrt{\sigma_A^2 + \sigma_{\bar A}^2}`; the published measure
    (Boecking et al., ECCV 2022, section 4) is its absolute value, which a map that points away
    from the mask passes as well as one that points at it.

    Returns:
        0 for a flat map; infinite with the sign of the contrast where both sides are flat and
        differ; NaN where the mask is empty or everything.

    Raises:
        ValueError: Shapes differ.
    """
    _same(heat, mask)
    inside, outside = heat[mask].astype(np.float64), heat[~mask].astype(np.float64)
    if not len(inside) or not len(outside):
        return float("nan")
    contrast = float(inside.mean() - outside.mean())
    noise = float(np.sqrt(inside.var() + outside.var()))
    if noise == 0:
        return float(np.sign(contrast) * np.inf) if contrast else 0.0
    return contrast / noise


def _same(heat: NDArray[np.floating], mask: NDArray[np.bool_]) -> None:
    if heat.shape != mask.shape:
        raise ValueError(f"map {heat.shape} and mask {mask.shape} differ in shape")
