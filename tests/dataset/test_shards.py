import os
from pathlib import Path

import pytest

from syncxr.dataset.reader import read
from syncxr.dataset.shards import check_hash, commit_shard, committed, read_shard
from syncxr.errors import SyncxrError
from syncxr.sample import Sample


def commit(root: Path, index: int = 0, rows: int = 3) -> Path:
    samples = [Sample(f"0-{index}-{row}", findings="Clear lungs.") for row in range(rows)]
    commit_shard(root, "films", index, {f"data/train-{index:05d}.parquet": samples}, {"n": rows})
    return root / f"data/train-{index:05d}.parquet"


def test_commit_then_read(tmp_path: Path) -> None:
    commit(tmp_path, 0)
    commit(tmp_path, 1)
    records = committed(tmp_path, "films")
    assert sorted(records) == [0, 1]
    assert [sample.id for sample in read(tmp_path)] == [
        f"0-{shard}-{row}" for shard in range(2) for row in range(3)
    ]
    assert all(check_hash(tmp_path, f) is None for r in records.values() for f in r.files)


def test_same_samples_same_bytes(tmp_path: Path) -> None:
    assert commit(tmp_path / "a").read_bytes() == commit(tmp_path / "b").read_bytes()


def test_truncated_shard_is_one_clear_line(tmp_path: Path) -> None:
    path = commit(tmp_path)
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(SyncxrError, match=r"train-00000.parquet has \d+ bytes.*delete"):
        committed(tmp_path, "films")
    with pytest.raises(SyncxrError, match="train-00000.parquet cannot be read"):
        read_shard(path)


def test_changed_byte_is_found_by_its_hash(tmp_path: Path) -> None:
    path = commit(tmp_path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    (record,) = committed(tmp_path, "films").values()
    complaint = check_hash(tmp_path, record.files[0])
    assert complaint is not None and "sha256" in complaint


def test_missing_file_is_named(tmp_path: Path) -> None:
    commit(tmp_path).unlink()
    with pytest.raises(SyncxrError, match="train-00000.parquet is missing"):
        committed(tmp_path, "films")


def test_files_without_a_record_are_not_committed(tmp_path: Path) -> None:
    commit(tmp_path)
    (tmp_path / "records/films-00000.json").unlink()
    assert committed(tmp_path, "films") == {}


def test_a_shard_killed_while_made_again_is_not_committed(tmp_path: Path, monkeypatch) -> None:
    commit(tmp_path, rows=3)

    def kill(path: Path, text: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("syncxr.dataset.shards.write_text", kill)
        with pytest.raises(KeyboardInterrupt):
            commit(tmp_path, rows=5)
    assert committed(tmp_path, "films") == {}
    commit(tmp_path, rows=5)
    assert committed(tmp_path, "films")[0].size == 5


def test_damaged_record_is_one_clear_line(tmp_path: Path) -> None:
    commit(tmp_path)
    (tmp_path / "records/films-00000.json").write_text("{")
    with pytest.raises(SyncxrError, match="not a shard record"):
        committed(tmp_path, "films")


def test_failed_write_leaves_nothing_behind(tmp_path: Path, monkeypatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        commit(tmp_path)
    assert not list(tmp_path.rglob("*.parquet*"))
    assert committed(tmp_path, "films") == {}


def test_empty_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(SyncxrError, match="holds no Parquet shards"):
        list(read(tmp_path))
