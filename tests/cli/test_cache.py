"""`syncxr cache`: what pre-training keeps, and clearing it."""

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from typer.testing import CliRunner

from syncxr.cli.main import app
from syncxr.errors import SyncxrError
from syncxr.pretraining.data.opening import open_data
from syncxr.pretraining.data.options import DataOptions, SourceOptions
from syncxr.pretraining.preprocessing import Preprocessing

DAY = 24 * 3600.0


def run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, ["cache", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SYNCXR_CACHE", str(tmp_path / "cache"))
    for index in range(4):
        pixels = np.random.default_rng(index).integers(0, 256, (40, 40), np.uint8)
        Pillow.fromarray(pixels).save(tmp_path / f"{index}.png")
    for name in ("new", "old"):
        rows = "".join(f"{i}.png,{name} {i}\n" for i in range(4))
        (tmp_path / f"{name}.csv").write_text(f"image,text\n{rows}")
        decode(tmp_path, name)
    return tmp_path


def decode(root: Path, name: str) -> int:
    sources = (SourceOptions(path=str(root / f"{name}.csv")),)
    data = open_data(DataOptions(sources=sources, validation_fraction=0), Preprocessing(size=32))
    return len(data.training)


def age(root: Path, days: float) -> None:
    """As if nothing had been opened for so long."""
    for index in (root / "cache/pretraining").glob("*/index.json"):
        os.utime(index, (time.time() - days * DAY,) * 2)


def listed(root: Path) -> dict[str, dict[str, object]]:
    found = json.loads(run("list", "--json", "-"))
    assert found["folder"] == str(root / "cache/pretraining")
    return {Path(entry["source"]).name: entry for entry in found["kept"]}


def test_what_lies_there(root: Path) -> None:
    found = listed(root)
    assert set(found) == {"new.csv", "old.csv"}
    assert (found["new.csv"]["pairs"], found["new.csv"]["size"]) == (4, 32)
    assert int(str(found["new.csv"]["bytes"])) > 4 * 32 * 32
    assert "MB in" in run("list")


def test_what_was_not_used_for_long_goes(root: Path) -> None:
    """A run that only opens what lies there counts as use."""
    age(root, 40)
    assert decode(root, "new") == 4
    gone = json.loads(run("clear", "--days", "30", "--json", "-"))["gone"]
    assert [Path(entry["source"]).name for entry in gone] == ["old.csv"]
    assert set(listed(root)) == {"new.csv"}
    assert decode(root, "old") == 4, "it is decoded again"


def test_a_source_by_name_then_all(root: Path) -> None:
    first = str(listed(root)["old.csv"]["name"])[:8]
    assert "deleted" in run("clear", first)
    assert set(listed(root)) == {"new.csv"}
    with pytest.raises(SyncxrError, match="holds nothing decoded of 'elsewhere'"):
        run("clear", "elsewhere")
    with pytest.raises(SyncxrError, match="holds nothing decoded of ''"):
        run("clear", "")
    assert set(listed(root)) == {"new.csv"}
    (root / "cache/pretraining/abc.partial").mkdir()
    run("clear")
    assert listed(root) == {}
    assert not any(path.is_dir() for path in (root / "cache/pretraining").iterdir())
