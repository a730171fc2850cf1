"""torchxrayvision's dataset classes and label files, where they are right.

Its classes read label tables well, but not pixels as these sets need them (no MONOCHROME1, one
flat folder, square films), so only labels, boxes and views are taken from them. They also reset
numpy's global generator, which is put back here.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from syncxr.errors import SyncxrError


def label_file(name: str) -> Path:
    """A label table that lies in the torchxrayvision package, byte for byte as published there.

    Raises:
        SyncxrError: The package is not installed.
    """
    spec = find_spec("torchxrayvision")
    if spec is None or spec.origin is None:
        raise SyncxrError(
            f"{name} is neither in the download nor is torchxrayvision, which brings it, "
            "installed; run: pip install 'syncxr[evaluation]'"
        )
    return Path(spec.origin).parent / "data" / name


def label_dataset(kind: str, table: Path, **options: Any) -> Any:
    """A dataset class of torchxrayvision over a label table, every view and every film.

    Args:
        kind: Name of the class.
        table: The table it reads, for the message.
        options: Of the class.

    Raises:
        SyncxrError: The package is not installed, or it does not understand the table.
    """
    try:
        import numpy as np
        from torchxrayvision import datasets
    except ModuleNotFoundError as error:
        raise SyncxrError(
            f"reading {table} needs the package {error.name!r}; "
            "run: pip install 'syncxr[evaluation]'"
        ) from error
    state = np.random.get_state()
    try:
        return getattr(datasets, kind)(views=["*"], **options)
    except (KeyError, ValueError, TypeError, AttributeError, OSError) as error:
        raise SyncxrError(
            f"{table} is not the table as it was published ({type(error).__name__}: "
            f"{str(error).splitlines()[0] if str(error) else ''}); fetch it again"
        ) from error
    finally:
        np.random.set_state(state)
