"""A chest on a regular grid: water, bone and structure labels.

Axes here and in the whole simulator: ``[y, z, x]``, x towards the patient's left, y towards the
front, z towards the head; millimetres from the middle of the lungs' bounding box.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

SOURCE = "lidc"
"""Name of the shipped body."""


class Structure(IntEnum):
    """Compact labels of the thorax."""

    OUTSIDE = 0
    BODY = 1
    LEFT_UPPER_LOBE = 2
    LEFT_LOWER_LOBE = 3
    RIGHT_UPPER_LOBE = 4
    RIGHT_MIDDLE_LOBE = 5
    RIGHT_LOWER_LOBE = 6
    HEART = 7
    AORTA = 8
    SPINE = 9
    RIBS = 10
    SHOULDER = 11
    AIRWAY = 12
    SCAPULA = 13


LEFT_LUNG = (Structure.LEFT_UPPER_LOBE, Structure.LEFT_LOWER_LOBE)
RIGHT_LUNG = (
    Structure.RIGHT_UPPER_LOBE,
    Structure.RIGHT_MIDDLE_LOBE,
    Structure.RIGHT_LOWER_LOBE,
)
LUNGS = LEFT_LUNG + RIGHT_LUNG


@dataclass(frozen=True)
class Thorax:
    """A normal chest on a regular grid.

    Attributes:
        water: Density of the water-like part, g/cm³, (Y, Z, X).
        bone: Volume fraction of cortical bone, 0 to about 1.5, (Y, Z, X).
        labels: :class:`Structure` of each voxel, (Y, Z, X).
        mass: Fraction of lung that the removed mass replaced, (Y, Z, X) of its own box.
        spacing: Voxel size, mm, the same along the three axes.
        origin: Millimetre coordinates (x, y, z) of voxel (0, 0, 0).
        corner: Millimetre coordinates of the CT's corner, had its spine been upright.
        lean: By how much each row was moved to the right to stand the spine up, mm, (Z,).
        clavicles: Middle lines of the left and the right clavicle, outwards, mm, (2, N, 3).
        anatomy: Which body it is.
    """

    water: Floats
    bone: Floats
    labels: NDArray[np.uint8]
    mass: Floats
    spacing: float
    origin: tuple[float, float, float]
    corner: tuple[float, float, float]
    lean: Floats
    clavicles: Floats
    anatomy: str = SOURCE

    def from_ct(self, places: Floats) -> Floats:
        """Places (..., 3) counted in mm from the CT's corner, to the body's."""
        moved = places + np.array(self.corner, np.float32)
        moved[..., 0] -= np.interp(moved[..., 2], self.axis("z"), self.lean)
        return moved.astype(np.float32)

    def axis(self, name: str) -> Floats:
        """Voxel centres along ``"x"``, ``"y"`` or ``"z"``, mm."""
        count = self.labels.shape[{"y": 0, "z": 1, "x": 2}[name]]
        start = self.origin["xyz".index(name)]
        return (start + self.spacing * np.arange(count)).astype(np.float32)

    def mask(self, *structures: Structure) -> NDArray[np.bool_]:
        """Voxels of any of these structures."""
        return np.isin(self.labels, structures)
