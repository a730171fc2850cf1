"""Files that only grow, so that what a killed process left is cut back to what it had noted."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

_BUFFER = 2**18
"""Bytes gathered for one call of the system: a call a film lets every thread wait for the others.
"""


class Appended:
    """Several files of one folder that grow together.

    Args:
        folder: Where they lie; made if it is not there.
        names: Of the files.
        lengths: Bytes of each that count, all of which are there; what lies beyond is cut off.
            Names that are missing begin empty.
    """

    def __init__(self, folder: Path, names: tuple[str, ...], lengths: Mapping[str, int]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._files: dict[str, BinaryIO] = {}
        for name in names:
            stream = (folder / name).open("ab", buffering=_BUFFER)
            self._files[name] = stream
            stream.truncate(lengths.get(name, 0))
            stream.seek(0, os.SEEK_END)

    def __enter__(self) -> Appended:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for stream in self._files.values():
            stream.close()

    def write(self, name: str, data: bytes | memoryview) -> None:
        """Add to the end of one."""
        self._files[name].write(data)

    def sync(self) -> dict[str, int]:
        """Bring all to the disk; their lengths."""
        for stream in self._files.values():
            stream.flush()
            os.fsync(stream.fileno())
        return {name: stream.tell() for name, stream in self._files.items()}
