"""Films out of image files: one's own folder, or one named file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from syncxr.errors import SyncxrError
from syncxr.sample import Image

OWN_FILM = "file"
"""Key in the provenance of a film that was not made here: its path below the folder given."""

SUFFIXES = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp"}


def read_film(path: Path, where: str = "") -> Image:
    """A film as 8-bit grey, (H, W).

    16-bit films are divided by their own maximum (PadChest's rule, as MAVL applies it).

    Args:
        path: The file.
        where: What asks for it ("labels.csv, row 7"), for the message.

    Raises:
        SyncxrError: The file is missing or does not open as an image.
    """
    try:
        with Pillow.open(path) as opened:
            if opened.mode.startswith(("I", "F")):
                deep = np.asarray(opened, np.float64)
                return np.asarray(deep / max(float(deep.max()), 1.0) * 255, np.uint8)
            return np.asarray(opened.convert("L"), np.uint8)
    except (OSError, SyntaxError, ValueError, Pillow.DecompressionBombError) as error:
        reason = "does not open as an image" if path.exists() else "is missing"
        prefix = f"{where}: " if where else ""
        raise SyncxrError(f"{prefix}{path} {reason}; mend it or take it out") from error


def film_paths(folder: Path) -> list[Path]:
    """Image files below a folder, in order.

    Raises:
        SyncxrError: There are none.
    """
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    if not paths:
        raise SyncxrError(f"{folder} holds no images ({', '.join(sorted(SUFFIXES))})")
    return paths
