"""One look for films of any origin: what vendors, exposure and borders make of them taken away.

One fixed transform, fitted to nothing: borders off, grey values by their ranks. Real and simulated
films that went through it can be shown to the same model; the same transform, always.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pictures

from syncxr.sample import Image

FLAT = 6.0
"""Range between the 5th and 95th percentile of a row below which it shows nothing, grey levels."""

MOST = 0.2
"""Share of the film that is taken off a side, at most."""


def same_look(image: Image, size: int | None = None) -> Image:
    """Bring a film to the common look.

    Args:
        image: Bone bright, (H, W).
        size: Height and width of the result, pixels; by default the film's own.

    Returns:
        Borders cropped, resized, histogram equalised: grey values spread evenly from 0 to 255,
        (size, size) or (H, W).
    """
    height, width = image.shape
    inner = crop_borders(image)
    wanted = (size, size) if size else (width, height)
    if inner.shape[::-1] != wanted:
        inner = np.asarray(Pictures.fromarray(inner).resize(wanted, Pictures.Resampling.BILINEAR))
    return equalise(inner)


def crop_borders(image: Image) -> Image:
    """The film without rows and columns at its edges that are of one grey."""
    rows, columns = _kept(image), _kept(image.T)
    return np.ascontiguousarray(image[rows, columns])


def _kept(image: Image) -> slice:
    """Rows from the first to the last that show something."""
    low, high = np.percentile(image, [5, 95], axis=1)
    alive = np.flatnonzero(high - low >= FLAT)
    most = int(MOST * len(image))
    if not len(alive):
        return slice(None)
    return slice(min(int(alive[0]), most), max(int(alive[-1]) + 1, len(image) - most))


def equalise(image: Image) -> Image:
    """Each grey value becomes the share of pixels below it, and half of those at it, times 255."""
    counts = np.bincount(image.ravel(), minlength=256)
    below = np.cumsum(counts) - counts
    rank: NDArray[np.float64] = (below + 0.5 * counts) / image.size
    table = np.rint(255.0 * rank).astype(np.uint8)
    return table[image]
