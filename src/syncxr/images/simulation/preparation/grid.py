"""The cubes that a source body is prepared on."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from syncxr.images.simulation.thorax import LUNGS, Floats, Structure


@dataclass
class Grid:
    """A body being prepared, (Y, Z, X) cubes; steps write into it.

    Attributes:
        water: Density of the water-like part, g/cm³.
        bone: Volume fraction of cortical bone.
        labels: :class:`Structure` of each voxel.
        spacing: Voxel size, mm.
        margin: Added left of the CT, mm.
        lean: By how much each row was moved to the right, mm, (Z,).
        clavicles: Middle lines of left and right clavicle, outwards, mm, (2, N, 3).
    """

    water: Floats
    bone: Floats
    labels: NDArray[np.uint8]
    spacing: float
    margin: float = 0.0
    lean: Floats = field(default_factory=lambda: np.zeros(0, np.float32))
    clavicles: Floats = field(default_factory=lambda: np.zeros((2, 0, 3), np.float32))

    def origin(self) -> tuple[float, float, float]:
        """(x, y, z) of voxel (0, 0, 0), mm from the middle of the lungs' bounding box."""
        lungs = np.argwhere(np.isin(self.labels, LUNGS))
        y, z, x = (-self.spacing * float(v) for v in (lungs.min(0) + lungs.max(0)) / 2)
        return x, y, z

    def axes(self) -> tuple[Floats, Floats, Floats]:
        """x, y, z of the voxels, mm, broadcastable to (Y, Z, X)."""
        x, y, z = (
            (start + self.spacing * np.arange(count)).astype(np.float32)
            for start, count in zip(
                self.origin(), (self.water.shape[i] for i in (2, 0, 1)), strict=True
            )
        )
        return x[None, None, :], y[:, None, None], z[None, :, None]

    def of(self, *structures: Structure) -> NDArray[np.bool_]:
        """Voxels of any of these structures."""
        return np.isin(self.labels, structures)

    def pad(self, left: int, above: int) -> None:
        """Add empty voxels at both sides and at the top."""
        self.margin += left * self.spacing
        self.lean = np.pad(self.lean, (0, above), mode="edge")
        margins = ((0, 0), (0, above), (left, left))
        self.water = np.pad(self.water, margins)
        self.bone = np.pad(self.bone, margins)
        self.labels = np.pad(self.labels, margins)
