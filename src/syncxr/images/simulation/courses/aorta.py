"""The three parts of the aorta."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from syncxr.images.simulation.courses.labels import LabelMap


def aorta(raw: LabelMap) -> tuple[NDArray[np.float64], ...]:
    """Ascending part upwards, arch, descending part downwards."""
    places = raw.places("aorta")
    ascending, descending = [], []
    heights = np.unique(places[:, 2])
    for z in heights:
        here = places[places[:, 2] == z]
        middle = 0.5 * (here[:, 1].min() + here[:, 1].max())
        rows = np.unique(here[:, 1])
        gaps = np.flatnonzero(np.diff(rows) > 3.0)
        if len(gaps):
            middle = rows[gaps[0]] + 1.0
            ascending.append(here[here[:, 1] > middle].mean(0))
            descending.append(here[here[:, 1] < middle].mean(0))
        elif not ascending:
            descending.append(here.mean(0))
    top = places[places[:, 2] > ascending[-1][2]]
    # From front to back over the top, by the angle about the arch's lower middle.
    foot = 0.5 * (ascending[-1] + descending[-1])
    angle = np.arctan2(top[:, 2] - foot[2], top[:, 1] - foot[1])
    bins = np.linspace(angle.min(), angle.max(), 14)
    which = np.digitize(angle, bins)
    arch = np.array([top[which == k].mean(0) for k in range(1, 14) if (which == k).sum() > 20])
    return np.array(ascending), arch, np.array(descending)[::-1]
