"""A label map, asked where its structures lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class LabelMap:
    """A label map, its structures found by their boxes.

    Attributes:
        labels: (X, Y, Z).
        spacing: mm.
        ids: Structure to label.
        boxes: Box of label 1, 2, ...; ``None`` for those that are not there.
    """

    labels: NDArray[np.uint8]
    spacing: tuple[float, float, float]
    ids: Mapping[str, int]
    boxes: Sequence[tuple[slice, ...] | None]

    def places(self, name: str) -> NDArray[np.float64]:
        """Voxel centres of a structure, mm from the CT's corner, (N, 3)."""
        number = self.ids[name]
        box = self.boxes[number - 1] if number <= len(self.boxes) else None
        if box is None:
            return np.empty((0, 3))
        found = np.argwhere(self.labels[box] == number) + [side.start for side in box]
        places: NDArray[np.float64] = (found + 0.5) * np.array(self.spacing)
        return places

    def by_slice(self, name: str) -> NDArray[np.float64]:
        """Middle of a structure in every axial slice, upwards, (N, 3)."""
        places = self.places(name)
        return np.array([places[places[:, 2] == z].mean(0) for z in np.unique(places[:, 2])])

    def front_of(self, name: str) -> NDArray[np.float64]:
        """Foremost middle of a structure, slice by slice, downwards."""
        places = self.places(name)
        line = []
        for z in np.unique(places[:, 2])[::-1]:
            here = places[places[:, 2] == z]
            line.append((here[:, 0].mean(), np.percentile(here[:, 1], 90), z))
        return np.array(line)
