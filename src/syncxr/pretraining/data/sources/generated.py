"""A generated dataset, on a disk or by URL: only the columns that pre-training reads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from syncxr.corpora.terms import Terms
from syncxr.dataset.files import read_bytes
from syncxr.dataset.reader import count_rows, shard_paths
from syncxr.dataset.storage import StoragePath, at_once
from syncxr.errors import SyncxrError
from syncxr.pretraining.data.entry import Entry, Rejected
from syncxr.pretraining.data.sources.state import file_state

_COLUMNS = ["id", "image.bytes", "findings", "impression"]


class GeneratedDataset:
    """Shards as ``syncxr generate`` writes them.

    Args:
        folder: Of the dataset, or of its run.
        terms: Under which it may be used.

    Raises:
        SyncxrError: It holds no shards, or a damaged one.
    """

    def __init__(self, folder: StoragePath, terms: Terms | None = None) -> None:
        self._folder = folder / "dataset" if (folder / "dataset").is_dir() else folder
        self.name, self.terms = str(self._folder), terms
        self._shards = shard_paths(self._folder)
        self._rows = at_once(count_rows, self._shards)
        self.total: int | None = sum(self._rows)

    def state(self) -> dict[str, Any]:
        """Names, sizes and times of the shards."""
        states = at_once(file_state, self._shards)
        names = [path.name for path in self._shards]
        return {"shards": dict(zip(names, states, strict=True))}

    def entries(self, start: int = 0) -> Iterator[Entry | Rejected]:
        """Rows in order, a row group at a time."""
        for path, rows in zip(self._shards, self._rows, strict=True):
            if start < rows:
                yield from _read(path, start)
            start = max(0, start - rows)


def _read(path: StoragePath, start: int) -> Iterator[Entry | Rejected]:
    for row, (id, film, findings, impression) in enumerate(_rows(path)):
        if row < start:
            continue
        where = f"{path}, sample {id}"
        if film is None:
            yield Rejected(id, "has no film; render it first")
        elif not (findings.strip() or impression.strip()):
            yield Rejected(id, "has no text; draft it first")
        else:
            group = _same_words(findings, impression)
            yield Entry(id, film, findings, impression, group, where=where)


def _same_words(findings: str, impression: str) -> str:
    """A name that films of one report share: several may be rendered from one draft."""
    words = f"{findings.strip()}\0{impression.strip()}"
    return f"words {hashlib.sha256(words.encode('utf-8', 'replace')).hexdigest()[:32]}"


def _rows(path: StoragePath) -> Iterator[tuple[str, bytes | None, str, str]]:
    try:
        # From other storage a shard is sent whole: one request, not one a row group.
        source = path if isinstance(path, Path) else pa.BufferReader(read_bytes(path))
        with pq.ParquetFile(source) as file:
            for batch in file.iter_batches(batch_size=64, columns=_COLUMNS):
                films = batch.column("image").field("bytes")
                texts = (batch.column(name) for name in ("id", "findings", "impression"))
                ids, findings, impressions = (column.to_pylist() for column in texts)
                found = zip(ids, films, findings, impressions, strict=True)
                for id, film, finding, impression in found:
                    yield id, film.as_py(), finding or "", impression or ""
    except (pa.ArrowException, KeyError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise SyncxrError(
            f"{path} cannot be read as a shard ({reason}); restore it or make it again"
        ) from error
