import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from syncxr import assets
from syncxr.dataset.files import sha256

FILES = {"tiny_data/data.bin": b"twelve bytes"}


def write_wheel(path: Path, files: Mapping[str, bytes]) -> None:
    """A real wheel, with a member that would like to land elsewhere."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        archive.writestr("../../escape.bin", b"out")
        archive.writestr("tiny_data-1.0.dist-info/METADATA", "Name: tiny-data\nVersion: 1.0\n")
        archive.writestr("tiny_data-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("tiny_data-1.0.dist-info/RECORD", "")


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "index" / "tiny_data-1.0-py3-none-any.whl"
    write_wheel(path, FILES)
    return path


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Callable[[assets.Asset], None]:
    """Puts an asset into the table."""
    return lambda asset: monkeypatch.setitem(assets.ASSETS, asset.name, asset)


@pytest.fixture
def local(
    wheel: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    register: Callable[[assets.Asset], None],
) -> assets.Asset:
    """The asset of a wheel on this disk, the only index that pip sees; and an empty cache."""
    loose = tmp_path / "loose"
    loose.write_bytes(FILES["tiny_data/data.bin"])
    asset = assets.Asset(
        name="tiny",
        wheel="tiny-data==1.0",
        wheel_sha256=sha256(wheel),
        members={"tiny_data/data.bin": sha256(loose)},
        licence="Apache-2.0",
        source="made here",
    )
    monkeypatch.setenv("SYNCXR_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SYNCXR_ASSETS", raising=False)
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    register(asset)
    return asset
