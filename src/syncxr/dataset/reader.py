"""Samples back from disk."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from syncxr.dataset.shards import read_shard
from syncxr.dataset.storage import StoragePath
from syncxr.errors import SyncxrError
from syncxr.sample import Sample


def find_shards(folder: StoragePath) -> list[StoragePath]:
    """Parquet files of a dataset folder (or its ``data/``), in order; none is no fault."""
    return [
        folder / part / name
        for part in ("", "data")
        for name in sorted(path.name for path in (folder / part).glob("*.parquet"))
        if not name.startswith(".")
    ]


def shard_paths(folder: StoragePath) -> list[StoragePath]:
    """As :func:`find_shards`.

    Raises:
        SyncxrError: There are none.
    """
    paths = find_shards(folder)
    if not paths:
        raise SyncxrError(f"{folder} holds no Parquet shards; give the folder of a dataset")
    return paths


def count_rows(path: StoragePath) -> int:
    """Samples in a shard, without reading them.

    Raises:
        SyncxrError: The file is damaged.
    """
    try:
        with path.open("rb") as stream:
            return int(pq.read_metadata(stream).num_rows)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise SyncxrError(f"{path} cannot be read as a shard ({reason}); restore it") from error


def read(folder: StoragePath) -> Iterator[Sample]:
    """Every sample of a dataset folder, shard by shard, in order.

    Raises:
        SyncxrError: No shards, or a damaged one.
    """
    for path in shard_paths(folder):
        yield from read_shard(path)
