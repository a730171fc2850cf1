"""Trachea, carina and main bronchi."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from syncxr.images.simulation.courses.courses import SIDES
from syncxr.images.simulation.courses.labels import LabelMap


def airway(
    raw: LabelMap,
) -> tuple[NDArray[np.float64], NDArray[np.float64], dict[str, NDArray[np.float64]]]:
    """Carina, trachea downwards to it, main bronchi from it."""
    places = raw.places("trachea")
    trachea: list[NDArray[np.float64]] = []
    bronchi: dict[str, list[NDArray[np.float64]]] = {side: [] for side in SIDES}
    for z in np.unique(places[:, 2])[::-1]:
        parts = _parts(places[places[:, 2] == z], 2.0)
        if len(parts) == 1 and not bronchi["left"]:
            trachea.append(parts[0].mean(0))
        elif len(parts) > 1:
            bronchi["right"].append(parts[0].mean(0))
            bronchi["left"].append(parts[-1].mean(0))
    below = 0.5 * (bronchi["left"][0] + bronchi["right"][0])
    carina = np.array([below[0], below[1], trachea[-1][2]])
    return (
        carina,
        np.array(trachea),
        {side: np.array([carina, *line]) for side, line in bronchi.items()},
    )


def _parts(places: NDArray[np.float64], gap: float) -> list[NDArray[np.float64]]:
    """Places of one slice split where x leaves a gap."""
    ordered = places[places[:, 0].argsort()]
    cuts = np.flatnonzero(np.diff(ordered[:, 0]) > gap) + 1
    return [part for part in np.split(ordered, cuts) if len(part) > 40]
