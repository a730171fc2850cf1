from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from syncxr.errors import SyncxrError
from syncxr.models import ModelOptions, folder_hash, full_batches


def options(model: str | Path, **chosen: Any) -> ModelOptions:
    return ModelOptions(model=str(model), **chosen)


@given(st.lists(st.integers(), max_size=30), st.integers(1, 9))
def test_batches_are_full_and_lose_nothing(items: list[int], size: int) -> None:
    batches = list(full_batches(items, size))
    assert all(len(batch) == size for batch, _ in batches)
    assert [item for batch, count in batches for item in batch[:count]] == items


def test_names_and_bytes_make_the_hash(tmp_path: Path) -> None:
    def made(name: str, files: dict[str, str]) -> str:
        for path, text in files.items():
            (tmp_path / name / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / path).write_text(text)
        return folder_hash(tmp_path / name)

    first = made("a", {"config.json": "{}", "unet/w.bin": "1"})
    assert made("b", {"config.json": "{}", "unet/w.bin": "1", ".git/HEAD": "x"}) == first
    assert made("c", {"config.json": "{}", "unet/w.bin": "2"}) != first
    assert made("d", {"config.json": "{}", "vae/w.bin": "1"}) != first


def test_a_model_is_a_folder_or_a_pinned_id(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    options(tmp_path).check("config.json")
    options("owner/name.v2", revision="abc").check("config.json")
    with pytest.raises(SyncxrError, match=r"holds no model_index\.json"):
        options(tmp_path).check("model_index.json")
    with pytest.raises(SyncxrError, match="pin it with"):
        options("owner/name").check("config.json")
    for name in ("/no/such/folder", "./here", "a/b/c", "owner/", ""):
        with pytest.raises(SyncxrError, match="neither a folder here nor a hub id"):
            options(name, revision="abc").check("config.json")


def test_identity_names_no_place_of_this_machine(tmp_path: Path) -> None:
    found = options(tmp_path).identity()
    assert found == {"model": tmp_path.name, "sha256": folder_hash(tmp_path)}
    assert options("a/b", revision="c").identity() == {"model": "a/b", "revision": "c"}


def test_remote_code_runs_only_when_it_is_trusted(tmp_path: Path) -> None:
    def load(name: str, **arguments: Any) -> dict[str, Any]:
        return arguments

    assert options(tmp_path).load(load)["trust_remote_code"] is False
    assert options(tmp_path, trust_remote_code=True).load(load)["trust_remote_code"] is True
    assert options("a/b", revision="c").load(load)["revision"] == "c"
    assert "revision" not in options(tmp_path).load(load)


@pytest.mark.parametrize("error", [OSError, ValueError, RuntimeError, ImportError])
def test_what_goes_wrong_at_loading_is_one_line(tmp_path: Path, error: type[Exception]) -> None:
    def load(name: str, **arguments: Any) -> None:
        raise error("the first line\nand a long story")

    with pytest.raises(SyncxrError, match=r"cannot be loaded \(the first line\)"):
        options(tmp_path).load(load)


def test_precision_and_batch_follow_the_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    processor = options(tmp_path, device="cpu")
    assert processor.precision() is torch.float32 and processor.at_once() == 1
    assert options(tmp_path, device="cpu", dtype="bfloat16").precision() is torch.bfloat16
    assert options(tmp_path, device="cpu", batch_size=5).at_once() == 5
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    gpu = options(tmp_path)
    assert gpu.place().type == "cuda" and gpu.at_once() == 8
    assert gpu.precision() is torch.bfloat16 and gpu.precision("float16") is torch.float16
    with pytest.raises(SyncxrError, match="'cuda:1' is not there"):
        options(tmp_path, device="cuda:1").place()
    with pytest.raises(SyncxrError, match="'gpu' is unknown"):
        options(tmp_path, device="gpu").place()
