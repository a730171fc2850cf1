import shutil
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from syncxr import assets
from syncxr.errors import SyncxrError

Register = Callable[[assets.Asset], None]


def test_fetch_takes_just_the_file_and_keeps_it(
    local: assets.Asset, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = assets.fetch("tiny")
    assert [path.name for path in folder.iterdir()] == ["data.bin"]
    monkeypatch.setenv("PIP_FIND_LINKS", "/nowhere")
    assert assets.fetch("tiny") == folder


def test_wrong_wheel_is_refused(local: assets.Asset, register: Register) -> None:
    register(replace(local, wheel_sha256="0" * 64))
    with pytest.raises(SyncxrError, match=r"tiny_data.*sha256.*expected 000000000000"):
        assets.fetch("tiny")


def test_changed_file_in_the_cache_is_refused(local: assets.Asset) -> None:
    (assets.fetch("tiny") / "data.bin").write_bytes(b"changed here")
    with pytest.raises(SyncxrError, match=r"data.bin has sha256 .* delete it and run again"):
        assets.fetch("tiny")


def test_member_decides_no_path(local: assets.Asset, register: Register) -> None:
    member = {"../../escape.bin": "0" * 64}
    register(replace(local, members=member))
    with pytest.raises(SyncxrError, match="escape.bin has sha256"):
        assets.fetch("tiny")
    assert not list(assets.cache_folder().parent.glob("escape.bin"))


def test_no_licence_no_asset(local: assets.Asset, register: Register) -> None:
    register(replace(local, licence=""))
    with pytest.raises(SyncxrError, match="no data licence"):
        assets.fetch("tiny")


def test_failed_download_is_one_line(local: assets.Asset, register: Register) -> None:
    register(replace(local, wheel="tiny-data==2.0"))
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


def test_the_sites_folder_comes_before_the_cache(
    local: assets.Asset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    shutil.copytree(assets.fetch("tiny"), site / "tiny")
    monkeypatch.setenv("SYNCXR_ASSETS", str(site))
    for path in (site / "tiny", site):
        path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    before = sorted(site.rglob("*"))
    assert assets.fetch("tiny") == site / "tiny"
    assert sorted(site.rglob("*")) == before, "a site's folder may be read-only"


def test_the_sites_folder_is_hashed_all_the_same(
    local: assets.Asset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    (site / "tiny").mkdir(parents=True)
    (site / "tiny" / "data.bin").write_bytes(b"other bytes")
    monkeypatch.setenv("SYNCXR_ASSETS", str(site))
    with pytest.raises(SyncxrError, match=r"site/tiny/data.bin has sha256"):
        assets.fetch("tiny")


def test_what_the_site_lacks_comes_from_the_cache(
    local: assets.Asset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNCXR_ASSETS", str(tmp_path))
    assert assets.fetch("tiny") == assets.cache_folder() / "assets" / "tiny"


def test_a_sites_folder_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCXR_ASSETS", "/no/such/folder")
    with pytest.raises(SyncxrError, match="SYNCXR_ASSETS=/no/such/folder is no folder"):
        assets.fetch("thorax-ct")


def test_a_cache_that_cannot_be_written(
    local: assets.Asset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SYNCXR_CACHE", str(tmp_path / "file"))
    with pytest.raises(SyncxrError, match="cannot be written .*set SYNCXR_CACHE"):
        assets.fetch("tiny")
