"""Names and paths as users give them: ``NAME=PATH``, a bare path, or a YAML file of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from syncxr.errors import SyncxrError
from syncxr.settings import read_yaml


def named_checkpoints(given: Sequence[str]) -> dict[str, Path]:
    """Name to folder; a bare folder is called by its name, as far up as tells it from the others.

    Raises:
        SyncxrError: Two have one name.
    """
    pairs = [_pair(text) for text in given]
    bare = [path for name, path in pairs if not name]
    found: dict[str, Path] = {}
    for own, path in pairs:
        name = own or _telling_name(path, bare)
        if name in found:
            raise SyncxrError(f"two checkpoints are called {name!r}; give NAME=FOLDER")
        found[name] = path
    return found


def named_paths(given: Sequence[str]) -> dict[str, Path]:
    """Test set to path, out of ``NAME=PATH`` and YAML files with ``NAME: PATH`` lines.

    Paths in a file are relative to the file.

    Raises:
        SyncxrError: Neither of the two, or a file that holds something else.
    """
    found: dict[str, Path] = {}
    for text in given:
        name, path = _pair(text)
        if name:
            found[name] = path
        elif path.suffix in (".yaml", ".yml"):
            found |= _from_file(path)
        else:
            raise SyncxrError(f"--data {text!r} is neither NAME=PATH nor a YAML file")
    return found


def own_films(images: Path | None, labels: Path | None) -> dict[str, Path]:
    """The set ``folder``.

    Raises:
        SyncxrError: Only one of the two is given.
    """
    if (images is None) != (labels is None):
        raise SyncxrError("give both --images FOLDER and --labels CSV, or neither")
    return {} if images is None else {"folder": images}


def _pair(text: str) -> tuple[str, Path]:
    name, equals, path = text.partition("=")
    # A folder may have an equals sign in its name.
    if not equals or Path(text).exists():
        return "", Path(text)
    return name, Path(path)


def _telling_name(path: Path, others: Sequence[Path]) -> str:
    parts = path.resolve().parts[1:] or (str(path),)
    for length in range(1, len(parts) + 1):
        alike = [o for o in others if o.resolve().parts[-length:] == parts[-length:]]
        if len(alike) <= 1:
            return "/".join(parts[-length:])
    return "/".join(parts)


def _from_file(path: Path) -> dict[str, Path]:
    raw = read_yaml(path)
    if not isinstance(raw, dict) or not all(
        isinstance(value, str) for pair in raw.items() for value in pair
    ):
        raise SyncxrError(f"{path} must hold lines NAME: PATH")
    return {name: path.parent / value for name, value in raw.items()}
