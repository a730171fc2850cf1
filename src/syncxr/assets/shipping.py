"""Assets looked after by hand: what lies where, is it whole, and carrying them to a site."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from syncxr.assets.store import (
    cache_folder,
    check,
    check_files,
    download,
    find,
    hold,
    lookup,
    missing,
    unpack,
)
from syncxr.assets.table import ASSETS, Asset
from syncxr.errors import SyncxrError


class AssetState(BaseModel):
    """One asset on this machine.

    Attributes:
        name: Its name.
        licence: Licence of the files.
        source: Who made them, to be cited.
        note: What is known and unknown about provenance.
        wheel: pip requirement that brings it.
        state: ``absent``; ``present``, not hashed; ``verified``, every hash is the pinned one;
            ``imported`` just now; ``damaged`` or ``refused`` for another hash.
        folder: Where its files lie, empty if nowhere.
        bytes: Their size.
        fault: What is wrong, one line.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    licence: str
    source: str
    note: str
    wheel: str
    state: Literal["absent", "present", "verified", "imported", "damaged", "refused"]
    folder: str = ""
    bytes: int = 0
    fault: str = ""


def list_assets(names: Sequence[str] = ()) -> list[AssetState]:
    """What is where, without reading the files."""
    return [_state(asset, find(asset)) for asset in _chosen(names)]


def verify_assets(names: Sequence[str] = ()) -> list[AssetState]:
    """Hash what is here; fetches nothing."""
    return [_verified(asset, find(asset)) for asset in _chosen(names)]


def fetch_assets(names: Sequence[str] = (), to: Path | None = None) -> list[AssetState]:
    """Download and verify assets.

    Args:
        names: Which; all by default.
        to: Folder to fill instead of the cache, to be carried to a site without a network.

    Raises:
        SyncxrError: Unknown name, failed download, or a wrong hash.
    """
    states = []
    for asset in _chosen(names):
        folder = download(asset, to) if to else find(asset)
        folder = folder or download(asset, cache_folder() / "assets")
        check_files(asset, folder)
        states.append(_state(asset, folder, "verified"))
    return states


def import_assets(carried: Path, to: Path | None = None) -> list[AssetState]:
    """Take assets out of a folder that somebody carried in.

    The folder, or any folder below it, holds wheels under their own names, or the bare files of
    an asset side by side (as ``syncxr assets fetch --to`` and the cache have them).

    Args:
        carried: That folder.
        to: Where to place them instead of the cache.

    Returns:
        Every asset: ``imported``, ``absent`` from the folder, or ``refused``; nothing of what is
        refused is placed.

    Raises:
        SyncxrError: No such folder, or nothing in it is an asset.
    """
    if not carried.is_dir():
        raise SyncxrError(f"{carried} is no folder; give the one that was carried in")
    files = [path for path in sorted(carried.rglob("*")) if path.is_file()]
    root = to or cache_folder() / "assets"
    states = [_import(asset, files, root) for asset in ASSETS.values()]
    if all(state.state == "absent" for state in states):
        raise SyncxrError(
            f"{carried} holds neither the wheel nor the files of any asset; "
            "`syncxr assets list` names the wheels"
        )
    return states


def _chosen(names: Iterable[str]) -> list[Asset]:
    return [lookup(name) for name in (names or ASSETS)]


def _state(
    asset: Asset,
    folder: Path | None,
    state: Literal["present", "verified", "imported", "damaged", "refused"] = "present",
    fault: str = "",
) -> AssetState:
    files = [folder / Path(member).name for member in asset.members] if folder else []
    return AssetState(
        name=asset.name,
        licence=asset.licence,
        source=asset.source,
        note=asset.note,
        wheel=asset.wheel,
        state=state if folder or fault else "absent",
        folder=str(folder or ""),
        bytes=sum(file.stat().st_size for file in files),
        fault=fault,
    )


def _verified(asset: Asset, folder: Path | None) -> AssetState:
    if folder is None:
        return _state(asset, None)
    try:
        check_files(asset, folder)
    except SyncxrError as error:
        return _state(asset, folder, "damaged", str(error))
    return _state(asset, folder, "verified")


def _import(asset: Asset, files: Sequence[Path], root: Path) -> AssetState:
    try:
        wheel = next((file for file in files if _is_wheel_of(asset, file)), None)
        folder = None if wheel else _folder_of(asset, files)
        if wheel is None and folder is None:
            return _state(asset, None)
        with hold(asset, root) as place:
            if wheel:
                unpack(asset, list(asset.members), wheel, place)
            elif folder:
                _copy(asset, folder, place)
    except SyncxrError as error:
        return _state(asset, None, "refused", str(error).replace("; delete it and run again", ""))
    return _state(asset, place, "imported")


def _is_wheel_of(asset: Asset, file: Path) -> bool:
    """Whether a file has the name of the asset's wheel: distribution-version-tags.whl."""
    wanted = [_normal(part) for part in asset.wheel.split("==")]
    return file.suffix == ".whl" and [_normal(part) for part in file.name.split("-")[:2]] == wanted


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _folder_of(asset: Asset, files: Sequence[Path]) -> Path | None:
    """Folder with all files of an asset by name.

    Names such as config.json are everybody's: a folder without a single matching hash belongs to
    something else, unless it bears the asset's name or the file is the only one of its asset.

    Raises:
        SyncxrError: A folder bears the asset's name and lacks some of its files.
    """
    candidates = {file.parent for file in files if file.name in _names(asset)}
    for folder in sorted(candidates, key=lambda path: (path.name != asset.name, path)):
        sure = folder.name == asset.name or len(asset.members) == 1
        lacks = missing(asset, folder)
        if lacks and folder.name == asset.name:
            raise SyncxrError(f"{folder} lacks {', '.join(Path(name).name for name in lacks)}")
        if not lacks and (sure or _any_matches(asset, folder)):
            return folder
    return None


def _names(asset: Asset) -> set[str]:
    return {Path(member).name for member in asset.members}


def _any_matches(asset: Asset, folder: Path) -> bool:
    for member, expected in asset.members.items():
        try:
            check(folder / Path(member).name, expected)
        except SyncxrError:
            continue
        return True
    return False


def _copy(asset: Asset, folder: Path, place: Path) -> None:
    """Copy bare files, each by atomic rename, once all of them are the pinned ones."""
    check_files(asset, folder)
    with tempfile.TemporaryDirectory(dir=place.parent) as scratch:
        for name in _names(asset):
            partial = Path(scratch) / name
            shutil.copyfile(folder / name, partial)
            partial.replace(place / name)
