"""Decoded sources that lie in a cache: which, how large, when last used; and away with them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from syncxr.errors import SyncxrError
from syncxr.pretraining.data.store.layout import INDEX, Index


class Kept(BaseModel):
    """One decoded source.

    Attributes:
        name: Of the folder, which is its key.
        source: What was decoded; ``""`` where that was never finished.
        pairs: How many it holds.
        size: Side of its films in pixels.
        bytes: On the disk.
        used: When a run last opened it.
        folder: Where it lies.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    source: str = ""
    pairs: int = 0
    size: int = 0
    bytes: int
    used: datetime
    folder: str


def kept(cache: Path) -> list[Kept]:
    """All that lie in a cache, what was used last first."""
    folders = [path for path in cache.glob("*") if path.is_dir()]
    found = [_described(path) for path in folders if (path / INDEX).exists() or _partial(path)]
    return sorted(found, key=lambda entry: entry.used, reverse=True)


def clear(cache: Path, names: Sequence[str] = (), days: float = 0) -> list[Kept]:
    """Delete decoded sources; a run that needs one decodes it again.

    A run that has one open keeps what it maps until it ends. What is being decoded is left alone.

    Args:
        cache: Folder of decoded sources.
        names: Sources, or folders where no source is called so (their beginning is enough); all
            if there are none.
        days: Only what no run has opened for so long.

    Returns:
        What is gone.

    Raises:
        SyncxrError: A name is none of a source that lies there.
    """
    there = kept(cache)
    wanted = {entry.name for name in names for entry in _called(there, name, cache)}
    before = datetime.now(UTC) - timedelta(days=days)
    chosen = [
        entry for entry in there if entry.used <= before and (not names or entry.name in wanted)
    ]
    return [entry for entry in chosen if _delete(Path(entry.folder))]


def _partial(folder: Path) -> bool:
    return folder.suffix == ".partial"


def _called(there: Sequence[Kept], name: str, cache: Path) -> list[Kept]:
    """A source "a" is not every folder whose key begins with a."""
    if name:
        if found := [entry for entry in there if entry.source == name]:
            return found
        if found := [entry for entry in there if entry.name.startswith(name)]:
            return found
    raise SyncxrError(f"{cache} holds nothing decoded of {name!r}; see `syncxr cache list`")


def _described(folder: Path) -> Kept:
    files = [path.stat() for path in folder.iterdir()]
    index = folder / INDEX
    newest = max((stat.st_mtime for stat in files), default=folder.stat().st_mtime)
    used = index.stat().st_mtime if index.exists() else newest
    entry = Kept(
        name=folder.name,
        bytes=sum(stat.st_size for stat in files),
        used=datetime.fromtimestamp(used, UTC),
        folder=str(folder),
    )
    try:
        told = Index.model_validate_json(index.read_text("utf-8"))
    except (OSError, ValidationError):
        return entry  # half decoded, or by another version
    return entry.model_copy(update={"source": told.name, "pairs": told.count, "size": told.size})


def _delete(folder: Path) -> bool:
    try:
        with FileLock(folder.with_suffix(".lock"), timeout=0):
            # Without its index a folder is nothing: killed here, the next run decodes it again.
            (folder / INDEX).unlink(missing_ok=True)
            shutil.rmtree(folder)
    except Timeout:
        return False
    return True
