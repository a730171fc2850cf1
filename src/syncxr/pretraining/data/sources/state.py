"""What tells that files changed without reading them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from syncxr.dataset.storage import StoragePath


def file_state(path: StoragePath) -> str:
    """Size and time of a file, or what its storage has for them; ``""`` where there is none."""
    if not isinstance(path, Path):
        return str(path.fs.checksum(path.path))
    try:
        found = path.stat()
    except OSError:
        return ""
    return f"{found.st_size} {found.st_mtime_ns}"


def tree_state(*places: Path) -> list[int]:
    """Number, bytes and latest change of all files in folders and below; files count, too."""
    count = size = latest = 0
    for place in places:
        for found in _stats(str(place)) if place.is_dir() else (place.stat(),):
            count, size = count + 1, size + found.st_size
            latest = max(latest, found.st_mtime_ns)
    return [count, size, latest]


def _stats(folder: str) -> Iterator[os.stat_result]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _stats(entry.path)
            elif entry.is_file():
                yield entry.stat()
