"""The source body: a normal chest as water, bone and structure labels.

What the source CT is and how it is made normal stands in ``preparation``; :func:`load_thorax`
keeps the result in the cache.

Axes here and in the whole simulator: ``[y, z, x]``, x towards the patient's left, y towards the
front, z towards the head; millimetres from the middle of the lungs' bounding box.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from scipy import ndimage

from syncxr import assets

if TYPE_CHECKING:
    from syncxr.images.simulation.preparation.cleaning import CleanCT
    from syncxr.images.simulation.preparation.raw import RawCT

Floats = NDArray[np.float32]

SOURCE = "lidc"
"""Name of the shipped body."""

VERSION = 18
"""Raise on every change of the cleaning: it names the cache file."""


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


@lru_cache(maxsize=2)
def load_thorax(resolution_mm: float = 2.0, anatomy: str = SOURCE) -> Thorax:
    """The normal chest at ``resolution_mm``; made once (about a minute), then read from the cache.

    Args:
        resolution_mm: Voxel size, 1 to 4 mm.
        anatomy: Which body: :data:`SOURCE`, or the key of an added one.

    Raises:
        SyncxrError: The asset cannot be fetched, or there is no such body.
    """
    path = cache_file("thorax", VERSION, anatomy, f"-{resolution_mm:g}mm")
    with FileLock(path.with_suffix(".lock")):
        if not path.exists():
            from syncxr.images.simulation.preparation import build

            _write(path, build.build(*cleaned_ct(anatomy), resolution_mm))
    with np.load(path) as arrays:
        labels = arrays["labels"]
        water = arrays["water"].astype(np.float32) / 1e4
        bone = arrays["bone"].astype(np.float32) / 1e4
        mass = arrays["mass"]
        lean, clavicles = arrays["lean"], arrays["clavicles"]
        margin = float(arrays["margin"])
    if anatomy != SOURCE:
        # Only the shipped body had a mass whose shape could be kept.
        mass = ndimage.zoom(load_thorax(2.0).mass, 2.0 / resolution_mm, order=1).clip(0.0, 1.0)
    lungs = np.argwhere(np.isin(labels, LUNGS))
    middle = (lungs.min(0) + lungs.max(0)) / 2
    y, z, x = (-resolution_mm * float(value) for value in middle)
    half = resolution_mm / 2
    corner = (x - half + margin, y - half, z - half)
    return Thorax(
        water, bone, labels, mass, resolution_mm, (x, y, z), corner, lean, clavicles, anatomy
    )


def cache_file(kind: str, version: int, anatomy: str, suffix: str = "") -> Path:
    """Where something derived from a body is kept; its folder is made."""
    folder = assets.cache_folder() / "simulation"
    folder.mkdir(parents=True, exist_ok=True)
    body = "" if anatomy == SOURCE else f"-{anatomy}"
    return folder / f"{kind}-v{version}{suffix}{body}.npz"


def cleaned_ct(anatomy: str) -> tuple[RawCT, CleanCT]:
    """The CT of a body, made normal."""
    if anatomy != SOURCE:
        from syncxr.images.simulation.anatomies import store

        return store.load(anatomy)
    from syncxr.images.simulation.preparation import cleaning, raw

    source = raw.load_raw()
    return source, cleaning.clean(source)


def _write(path: Path, arrays: dict[str, NDArray[np.generic]]) -> None:
    """Write to a temporary name, then rename: no reader ever sees half a file."""
    with NamedTemporaryFile(dir=path.parent, suffix=".npz", delete=False) as stream:
        np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
        stream.flush()
        os.fsync(stream.fileno())
    Path(stream.name).replace(path)
