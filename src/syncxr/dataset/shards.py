"""Shards: the unit of work, commit and distribution.

A shard of a stage may consist of several files (accepted, rejected). Its record, written
last, is what makes it committed; files without a record are leftovers and are made again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from syncxr.dataset.files import atomic, read_bytes, read_text, sha256, write_text
from syncxr.dataset.schema import from_table, to_table
from syncxr.dataset.storage import StoragePath, at_once
from syncxr.errors import SyncxrError
from syncxr.sample import Sample

_CHANGED = "has another sha256 than its record"


class FileRecord(BaseModel):
    """One Parquet file of a committed shard; ``path`` is relative to the run folder."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    rows: int
    bytes: int
    sha256: str


class ShardRecord(BaseModel):
    """What a committed shard consists of, with the statistics of its making.

    Attributes:
        stage: Stage that made it.
        index: Number of the shard.
        source: Hash of what it was made from; the shard is made again if that changes.
        first: Id of its first sample, accepted or not.
        size: Samples it was made from.
        files: What was written.
        statistics: Counts.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    stage: str
    index: int
    source: str = ""
    first: str = ""
    size: int = 0
    files: tuple[FileRecord, ...]
    statistics: dict[str, Any] = {}


def commit_shard(
    root: StoragePath,
    stage: str,
    index: int,
    files: Mapping[str, Sequence[Sample]],
    statistics: Mapping[str, Any],
    *,
    source: str = "",
    first: str = "",
) -> ShardRecord:
    """Write the files of a shard, then its record.

    A record of an earlier making goes first: it would speak of files that are being replaced.

    Args:
        root: Run folder.
        stage: Name of the stage.
        index: Number of the shard.
        files: Path relative to ``root`` to the samples it holds; an empty one is not written.
        statistics: JSON values to keep beside the hashes; no timings, no host names.
        source: Hash of what the shard is made from.
        first: Id of its first sample.
    """
    _record_path(root, stage, index).unlink(missing_ok=True)
    for relative, samples in files.items():
        if not samples:
            (root / relative).unlink(missing_ok=True)  # what a killed attempt left here
    records = tuple(
        _write(root, relative, samples) for relative, samples in files.items() if samples
    )
    record = ShardRecord(
        stage=stage,
        index=index,
        source=source,
        first=first,
        size=sum(map(len, files.values())),
        files=records,
        statistics=dict(statistics),
    )
    write_text(_record_path(root, stage, index), record.model_dump_json(indent=1) + "\n")
    return record


def committed(root: StoragePath, stage: str) -> dict[int, ShardRecord]:
    """Records of all committed shards of a stage, by index, each checked to be whole.

    Raises:
        SyncxrError: A record is unreadable, or a file it names is missing or of another size.
    """
    paths: list[StoragePath] = [*(root / "records").glob(f"{stage}-*.json")]
    records = at_once(lambda path: _read_record(root, path), paths)
    return {record.index: record for record in sorted(records, key=lambda record: record.index)}


def read_shard(path: StoragePath, digest: str = "") -> list[Sample]:
    """Samples of one Parquet file.

    Args:
        path: The file.
        digest: Hash that its bytes must have, SHA-256; ``""`` takes any.

    Raises:
        SyncxrError: The file is missing, damaged, not the one that was committed, or has other
            columns.
    """
    try:
        data = read_bytes(path)
        if digest and hashlib.sha256(data).hexdigest() != digest:
            raise SyncxrError(
                f"{path} {_CHANGED}; restore it, or delete its record below records/ to make the "
                "shard again"
            )
        return from_table(pq.read_table(pa.BufferReader(data)))
    except FileNotFoundError as error:
        raise SyncxrError(f"{path} does not exist; check the folder") from error
    except (OSError, KeyError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise SyncxrError(
            f"{path} cannot be read as a shard ({reason}); restore it or make it again"
        ) from error


def check_hash(root: StoragePath, file: FileRecord) -> str | None:
    """A one-line complaint if the file is not what was committed, else ``None``."""
    path = root / file.path
    if not path.exists():
        return f"{path} is missing"
    if sha256(path) != file.sha256:
        return f"{path} {_CHANGED}"
    return None


def _write(root: StoragePath, relative: str, samples: Sequence[Sample]) -> FileRecord:
    path = root / relative
    with atomic(path) as partial:
        # Small row groups let a viewer or a training job read a few films without the rest.
        pq.write_table(to_table(samples), partial, compression="zstd", row_group_size=100)
        size, digest = partial.stat().st_size, sha256(partial)
    return FileRecord(path=relative, rows=len(samples), bytes=size, sha256=digest)


def _read_record(root: StoragePath, path: StoragePath) -> ShardRecord:
    try:
        record = ShardRecord.model_validate_json(read_text(path))
    except ValidationError as error:
        raise SyncxrError(
            f"{path} is not a shard record; delete it to make the shard again"
        ) from error
    for file in record.files:
        _check_size(root, file, path)
    return record


def _check_size(root: StoragePath, file: FileRecord, record: StoragePath) -> None:
    path = root / file.path
    actual = path.stat().st_size if path.exists() else None
    if actual != file.bytes:
        state = "is missing" if actual is None else f"has {actual} bytes, expected {file.bytes}"
        raise SyncxrError(f"{path} {state}; delete {record} to make this shard again")


def _record_path(root: StoragePath, stage: str, index: int) -> StoragePath:
    return root / "records" / f"{stage}-{index:05d}.json"
