"""syncxr: synthetic chest X-ray image-report pairs, and the bench that tells their worth."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from syncxr.entities.extraction import extract

__all__ = ["extract"]

__version__ = "0.1.0"

_LAZY = {"extract": "syncxr.entities.extraction"}
"""Function to the module that has it: `import syncxr` itself loads nothing heavy."""


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'syncxr' has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)
