"""Where files lie: on the local disk, or on any storage that fsspec knows by its URL.

A :data:`StoragePath` is a :class:`pathlib.Path` for local files and, for all others, a ``UPath`` of
the universal-pathlib package, which has the same methods. Keys and passwords come from the
environment, as the storage's own library reads them; none stands in a location.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar
from urllib.parse import urlsplit

from syncxr.errors import SyncxrError

if TYPE_CHECKING:
    from upath import UPath

StoragePath: TypeAlias = "Path | UPath"
"""A file or folder, local or not."""

T = TypeVar("T")

_REQUESTS = 32
"""Requests to a storage at a time: each takes tens of milliseconds, whatever it asks."""

_EXTRAS = {"s3": "s3", "s3a": "s3"}


def locate(text: str | Path) -> StoragePath:
    """The location that some words name: ``runs/a``, ``s3://bucket/run``, ``memory://run``.

    Raises:
        SyncxrError: The storage is unknown, its package is not installed, or the URL holds a
            password.
    """
    url = str(text)
    protocol, separator, rest = url.partition("://")
    if isinstance(text, Path) or not separator:
        return Path(text)
    if protocol in ("file", "local"):
        return Path(rest)
    if urlsplit(url).password:
        raise SyncxrError(
            f"{protocol}://… holds a password; take it out and give it in the environment"
        )
    try:
        from upath import UPath

        # Other machines write there, too: a listing that is kept is soon out of date.
        location = UPath(url, use_listings_cache=False)
        location.fs  # noqa: B018  (names a package that is missing)
    except ImportError as error:
        package = f"syncxr[{_EXTRAS[protocol]}]" if protocol in _EXTRAS else error.name
        raise SyncxrError(
            f"{url} needs a package that is not installed ({error}); run: pip install '{package}'"
        ) from error
    except ValueError as error:
        raise SyncxrError(f"{url} cannot be opened: {' '.join(str(error).split())}") from error
    return location


def local(location: StoragePath, what: str) -> Path:
    """A location that must be on a file system of this machine; a mounted one counts.

    Args:
        location: Any.
        what: What it is, for the message: ``"a folder of images"``.

    Raises:
        SyncxrError: It is not.
    """
    if isinstance(location, Path):
        return location
    raise SyncxrError(f"{location}: {what} must be on a local path")


def below(location: StoragePath, folder: StoragePath) -> str:
    """A location as seen from a folder that it is in."""
    return str(location).removeprefix(str(folder)).lstrip("/")


def make_folder(folder: StoragePath) -> None:
    """Make a folder where the storage has such things.

    Object storage has none, and asked for one it would make a bucket of a misspelt name.
    """
    if not _holds_objects(folder):
        folder.mkdir(parents=True, exist_ok=True)


def _holds_objects(location: StoragePath) -> bool:
    """Whether a location is on object storage (S3, Google Cloud, Azure)."""
    if isinstance(location, Path):
        return False
    from upath.implementations.cloud import CloudPath

    return isinstance(location, CloudPath)


def at_once(function: Callable[[StoragePath], T], locations: Iterable[StoragePath]) -> list[T]:
    """Results of a function that reads each location, in order; many at a time."""
    with ThreadPoolExecutor(_REQUESTS) as pool:
        return list(pool.map(function, locations))
