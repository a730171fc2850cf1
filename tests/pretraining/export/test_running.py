"""A folder is whole or absent, and nothing that is there is touched."""

import json
from pathlib import Path

import pytest
from tiny_dual_encoder import tiny_dual_encoder
from typer.testing import CliRunner

from syncxr.cli.main import app
from syncxr.errors import SyncxrError
from syncxr.pretraining.checkpoint import save
from syncxr.pretraining.export import dual_encoder
from syncxr.pretraining.export.running import export
from syncxr.registry import BackendSpec

FORMAT = "vision-text-dual-encoder"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    folder = tmp_path / "checkpoint"
    save(folder, tiny_dual_encoder(), BackendSpec(name="convirt"), data="none", steps=1, record={})
    return folder


def test_from_the_command_line(checkpoint: Path, tmp_path: Path) -> None:
    out = tmp_path / "model"
    done = CliRunner().invoke(app, ["export", str(checkpoint), "-o", str(out), "--json", "-"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["format"] == FORMAT and found["greatest_difference"] <= found["bar"] == 1e-5
    assert set(found["files"]) == {path.name for path in out.iterdir()}
    assert {"config.json", "model.safetensors", "towers.py", "README.md"} <= set(found["files"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint", "model"]


def test_faults(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "a file").touch()
    for name, folder, words in (
        ("torchscript", tmp_path / "new", "'torchscript' is unknown; known: vision-text"),
        (FORMAT, full, "full is not empty; name a new folder"),
    ):
        with pytest.raises(SyncxrError, match=words):
            export(checkpoint, name, folder)
    with pytest.raises(SyncxrError, match="holds no checkpoint"):
        export(tmp_path / "absent", FORMAT, tmp_path / "new")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(SyncxrError, match="is the folder that you are in; name a new folder"):
        export(checkpoint, FORMAT, Path())
    (tmp_path / "here").rmdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(dual_encoder, "_difference", lambda *_: 2e-5)
    with pytest.raises(SyncxrError, match="differ by 2.0e-05 .*more than 1e-05: nothing is kept"):
        export(checkpoint, FORMAT, tmp_path / "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint", "full"]
