"""A CT with its label map, as it comes."""

from __future__ import annotations

import csv
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from syncxr import assets


@dataclass(frozen=True)
class RawCT:
    """The asset as it comes: HU and TotalSegmentator labels, (X, Y, Z), axes left, front, head."""

    hu: NDArray[np.int16]
    labels: NDArray[np.uint8]
    spacing: tuple[float, float, float]
    ids: dict[str, int]

    def of(self, *prefixes: str) -> NDArray[np.bool_]:
        """Voxels of the structures whose names begin with one of ``prefixes``."""
        return np.isin(
            self.labels, [i for name, i in self.ids.items() if name.startswith(prefixes)]
        )


def load_raw() -> RawCT:
    """The untouched CT, for cleaning and for pictures of what cleaning did.

    Raises:
        SyncxrError: The asset cannot be fetched.
    """
    import nibabel

    folder = assets.fetch("thorax-ct")
    image = nibabel.load(folder / "cxr.nii.gz")
    labels = np.asarray(nibabel.load(folder / "mask.nii.gz").dataobj).astype(np.uint8)
    with (folder / "structures.csv").open(newline="") as stream:
        ids = {row["structure"]: int(row["id"]) for row in csv.DictReader(stream)}
    spacing = tuple(float(size) for size in image.header.get_zooms()[:3])
    return RawCT(np.asarray(image.dataobj).astype(np.int16), labels, spacing, ids)  # type: ignore[arg-type]
