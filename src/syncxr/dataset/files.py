"""Files that are whole or absent, on a disk and on object storage."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from syncxr.dataset.storage import StoragePath, make_folder

if TYPE_CHECKING:
    from upath import UPath

PARTIAL = ".*.partial"
"""Pattern of the temporary names; what bears one after a run is of a process that was killed."""


@contextmanager
def atomic(path: StoragePath) -> Iterator[Path]:
    """Give a local file to write to; it becomes ``path`` only if the block ends well.

    On a disk: temporary name beside it, fsync, rename. Elsewhere there is no rename: the file is
    written to a local folder and sent as a whole, which object storage shows when it has all of
    it, and never before.
    """
    if isinstance(path, Path):
        with _renamed(path) as partial:
            yield partial
    else:
        with TemporaryDirectory(prefix="syncxr-") as folder:
            partial = Path(folder) / path.name
            yield partial
            _send(partial, path)


def write_text(path: StoragePath, text: str) -> None:
    """Write a small text file atomically."""
    with atomic(path) as partial:
        partial.write_text(text, encoding="utf-8")


def read_bytes(path: StoragePath) -> bytes:
    """A whole file at once: of one that is written anew meanwhile, the old bytes or the new."""
    if isinstance(path, Path):
        return path.read_bytes()
    content: bytes = path.fs.cat_file(path.path)
    return content


def read_text(path: StoragePath) -> str:
    """A small text file, see :func:`read_bytes`."""
    return read_bytes(path).decode("utf-8")


def sha256(path: StoragePath) -> str:
    """Hash of a file's bytes, hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(2**20):
            digest.update(block)
    return digest.hexdigest()


@contextmanager
def _renamed(path: Path) -> Iterator[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    # No process id: what a killed process left is overwritten. But the machine's name: a worker
    # on a machine that is thought lost may still write.
    partial = path.with_name(f".{path.name}.{platform.node()}.partial")
    try:
        yield partial
        with partial.open("rb+") as stream:
            os.fsync(stream.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _send(source: Path, target: UPath) -> None:
    make_folder(target.parent)
    target.fs.put_file(str(source), target.path)
    arrived = target.stat().st_size
    if arrived != source.stat().st_size:
        raise OSError(f"{target} holds {arrived} bytes of {source.stat().st_size}")


def _sync_folder(folder: Path) -> None:
    # A rename is durable only once its folder is.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
