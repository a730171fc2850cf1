"""Where the files of a download lie."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from syncxr.errors import SyncxrError

if TYPE_CHECKING:
    from syncxr.evaluation.testsets.test_set import Item


def first_file(root: Path, names: Iterable[str]) -> Path | None:
    """The first of these files that is there."""
    return next((root / name for name in names if (root / name).is_file()), None)


def needed_file(root: Path, names: Sequence[str]) -> Path:
    """As :func:`first_file`.

    Raises:
        SyncxrError: None is.
    """
    found = first_file(root, names)
    if found is None:
        raise SyncxrError(f"{root} has no {' or '.join(names)}; `syncxr datasets` shows the layout")
    return found


def index_files(root: Path, folders: Iterable[str], endings: tuple[str, ...]) -> dict[str, str]:
    """Names of files to their paths relative to ``root``; earlier folders come first.

    Args:
        root: Folder of the download.
        folders: Patterns of folders below it; ``"**"`` at the end looks in their subfolders too.
        endings: Of the files, lower case.
    """
    index: dict[str, str] = {}
    for pattern in folders:
        deep = pattern.endswith("**")
        for folder in _folders(root, pattern.removesuffix("**").rstrip("/")):
            for inside, _, names in os.walk(folder):
                below = Path(inside).relative_to(root).as_posix()
                prefix = "" if below == "." else f"{below}/"
                for name in sorted(names):
                    if name.lower().endswith(endings):
                        index.setdefault(name, prefix + name)
                if not deep:
                    break
    return index


def require_films(items: Iterable[Item], files: Mapping[str, str], root: Path, name: str) -> None:
    """Refuse a split of which films are missing.

    Args:
        items: The split.
        files: What :func:`index_files` found.
        root: Folder of the download.
        name: Of the set.

    Raises:
        SyncxrError: Names the first missing film, its row, and how many more.
    """
    there = set(files.values())
    missing = [item for item in items if item.path not in there]
    if missing:
        more = f" and {len(missing) - 1:,} more films" if len(missing) > 1 else ""
        raise SyncxrError(
            f"{missing[0].where}: film {missing[0].id}{more} not found below {root}; finish the "
            f"download (syncxr datasets check {name} {root})"
        )


def _folders(root: Path, pattern: str) -> list[Path]:
    found = [root] if pattern in {"", "."} else sorted(root.glob(pattern))
    return [folder for folder in found if folder.is_dir()]
