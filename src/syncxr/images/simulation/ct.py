"""The source bodies, kept in the cache once they are prepared.

What the shipped CT is and how it is made normal stands in ``preparation``.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from scipy import ndimage

from syncxr import assets
from syncxr.images.simulation.thorax import LUNGS, SOURCE, Thorax

if TYPE_CHECKING:
    from syncxr.images.simulation.preparation.cleaning import CleanCT
    from syncxr.images.simulation.preparation.raw import RawCT

VERSION = 18
"""Raise on every change of the cleaning: it names the cache file."""


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
