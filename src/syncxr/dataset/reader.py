"""Samples back from disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from syncxr.dataset.shards import read_shard
from syncxr.errors import SyncxrError
from syncxr.sample import Sample


def shard_paths(folder: Path) -> list[Path]:
    """Parquet files of a dataset folder (or its ``data/``), in order.

    Raises:
        SyncxrError: There are none.
    """
    paths = [
        path
        for pattern in ("*.parquet", "data/*.parquet")
        for path in sorted(folder.glob(pattern))
        if not path.name.startswith(".")
    ]
    if not paths:
        raise SyncxrError(f"{folder} holds no Parquet shards; give the folder of a dataset")
    return paths


def read(folder: Path) -> Iterator[Sample]:
    """Every sample of a dataset folder, shard by shard, in order.

    Raises:
        SyncxrError: No shards, or a damaged one.
    """
    for path in shard_paths(folder):
        yield from read_shard(path)
