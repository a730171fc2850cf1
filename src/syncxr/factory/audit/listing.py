"""The films of a corpus as a table on disk: found once, then worked on in shards."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from syncxr.corpora.films import OWN_FILM
from syncxr.corpora.study import FilmFile, Study
from syncxr.sample import Sample

NAME = "films.parquet"

_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("path", pa.string()),
        ("study", pa.string()),
        ("patient", pa.string()),
        ("split", pa.string()),
        ("view", pa.string()),
        ("bytes", pa.int64()),
        ("modified", pa.int64()),
    ]
)


class Listing:
    """Writes the table, a row group a shard, so that a shard is read without the others.

    Args:
        path: The Parquet file; it appears when the block ends well.
        size: Films in a shard.
    """

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self._partial = path.with_name(f".{path.name}.partial")
        self._size = size
        self._rows: list[dict[str, Any]] = []
        self.films = 0

    def __enter__(self) -> Listing:
        self._writer = pq.ParquetWriter(self._partial, _SCHEMA, compression="zstd")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._flush()
        self._writer.close()
        if kind is None:
            self._partial.replace(self.path)

    def add(self, study: Study, film: FilmFile) -> None:
        """One film."""
        stat = film.path.stat()
        self._rows.append(
            {
                "id": film.id,
                "path": str(film.path),
                "study": study.id,
                "patient": study.patient,
                "split": study.split,
                "view": film.view,
                "bytes": stat.st_size,
                "modified": stat.st_mtime_ns,
            }
        )
        self.films += 1
        if len(self._rows) == self._size:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, _SCHEMA))
            self._rows.clear()


@dataclass(frozen=True)
class FilmShard:
    """One shard of the table; the films are read when they are judged, not before.

    Attributes:
        index: Number of the shard, and of its row group.
        size: Films in it.
        listing: The table.
    """

    index: int
    size: int
    listing: Path

    @property
    def fingerprint(self) -> str:
        """Hash of names, sizes and times of the files.

        Not of their bytes: a corpus of half a terabyte is read once, and not again at every start.
        """
        rows = self._table().select(["id", "bytes", "modified"]).to_pylist()
        return hashlib.sha256(repr(rows).encode()).hexdigest()

    def load(self) -> list[Sample]:
        """One sample a film, without its pixels."""
        return [
            Sample(row["id"], provenance={OWN_FILM: row["id"], "film": row})
            for row in self._table().drop_columns(["bytes", "modified"]).to_pylist()
        ]

    def _table(self) -> pa.Table:
        with pq.ParquetFile(self.listing) as file:
            return file.read_row_group(self.index)


def shards(listing: Path) -> list[FilmShard]:
    """All shards of a table."""
    with pq.ParquetFile(listing) as file:
        groups = range(file.num_row_groups)
        return [FilmShard(i, file.metadata.row_group(i).num_rows, listing) for i in groups]


def in_parts(items: list[Sample], size: int) -> Iterator[list[Sample]]:
    """Lists of at most ``size``."""
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield part
