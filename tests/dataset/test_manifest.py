from pathlib import Path

import pytest

from syncxr.dataset.manifest import build_manifest, read_manifest, write_manifest
from syncxr.dataset.shards import commit_shard
from syncxr.errors import SyncxrError
from syncxr.sample import Sample


def commit(root: Path, index: int, rows: int):
    return commit_shard(
        root,
        "films",
        index,
        {
            f"dataset/data/train-{index}.parquet": [Sample(f"{index}-{i}") for i in range(rows)],
            f"rejected/films-{index}.parquet": [Sample(f"{index}-bad")],
        },
        {"film attempts": rows + 1},
    )


def test_lists_the_dataset_in_order_whatever_came_first(tmp_path: Path) -> None:
    records = [commit(tmp_path, index, rows) for index, rows in ((1, 2), (0, 3))]
    manifest = build_manifest(records, "dataset", {"pairs": 5})
    assert manifest.pairs == 5
    assert [file.path for file in manifest.files] == [
        "data/train-0.parquet",
        "data/train-1.parquet",
    ]
    assert manifest.statistics == {"film attempts": 7}
    assert manifest == build_manifest(records[::-1], "dataset", {"pairs": 5})
    assert manifest.configuration != build_manifest(records, "dataset", {"pairs": 6}).configuration


def test_round_trip_and_faults(tmp_path: Path) -> None:
    manifest = build_manifest([commit(tmp_path, 0, 1)], "dataset", {})
    with pytest.raises(SyncxrError, match="was not finished"):
        read_manifest(tmp_path)
    write_manifest(manifest, tmp_path)
    assert read_manifest(tmp_path) == manifest
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(SyncxrError, match="not a manifest"):
        read_manifest(tmp_path)
