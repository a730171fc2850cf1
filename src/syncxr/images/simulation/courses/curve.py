"""Curves of even step."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from syncxr.images.simulation.thorax import Floats


def even(line: Floats | NDArray[np.float64], step: float, smooth: float = 0.0) -> Floats:
    """A curve (N, 3) at even distances of about ``step`` mm, smoothed over ``smooth`` points."""
    line = np.asarray(line, np.float64)
    if smooth:
        # Fixed ends: smooth what deviates from the chord.
        share = np.linspace(0.0, 1.0, len(line))[:, None]
        chord = line[:1] * (1.0 - share) + line[-1:] * share
        line = chord + ndimage.gaussian_filter1d(line - chord, smooth, axis=0, mode="nearest")
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    at = np.linspace(0.0, lengths[-1], max(2, round(lengths[-1] / step) + 1))
    return np.stack([np.interp(at, lengths, line[:, i]) for i in range(3)], 1).astype(np.float32)
