"""The plan of a dataset: which entities each report states, fixed before anything is made."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from syncxr.corpora.terms import Terms
from syncxr.dataset.files import atomic
from syncxr.dataset.storage import StoragePath
from syncxr.entities.bank import parse_surface, rows_of
from syncxr.errors import SyncxrError
from syncxr.sample import Category, Entity, Polarity

_FIELDS = ("concept", "category", "polarity", "location", "severity")
_ENTITY = pa.struct([(name, pa.string()) for name in _FIELDS])

_COLUMNS = ["id", "entities"]

_GROUP = 1000
"""Reports in a row group, which is read at a time."""


@dataclass(frozen=True)
class PlannedReport:
    """What one report has to state.

    Attributes:
        id: Id of the sample (:func:`syncxr.sample.sample_id`).
        entities: Findings, drawn places already attached, then normal statements.
    """

    id: str
    entities: tuple[Entity, ...]

    @property
    def normal(self) -> bool:
        """Whether no positive finding is in it."""
        return not any(entity.polarity is Polarity.PRESENT for entity in self.entities)


@dataclass(frozen=True)
class Plan:
    """All planned reports, in the order of their indices.

    Attributes:
        reports: The reports.
        terms: Terms of use of the corpus that the bank was made of, if any are known.
    """

    reports: tuple[PlannedReport, ...]
    terms: Terms | None = None

    def __len__(self) -> int:
        return len(self.reports)

    def __iter__(self) -> Iterator[PlannedReport]:
        return iter(self.reports)

    def uses(self) -> Counter[Entity]:
        """How often each bank row is used; see :mod:`syncxr.entities.bank` for what a row is."""
        return _uses(self)

    def write(self, path: StoragePath) -> None:
        """Write as Parquet with columns ``id`` and ``entities`` (list of structs).

        The same plan gives the same bytes.
        """
        known: dict[Entity, int] = {}
        flat = [known.setdefault(e, len(known)) for r in self.reports for e in r.entities]
        lengths = [0, *(len(r.entities) for r in self.reports)]
        distinct = pa.array([entity.to_dict() for entity in known], _ENTITY)
        entities = pa.ListArray.from_arrays(
            pa.array(np.cumsum(lengths), pa.int32()), distinct.take(pa.array(flat, pa.int32()))
        )
        ids = pa.array([r.id for r in self.reports], pa.string())
        with atomic(path) as partial:
            table = pa.table({"id": ids, "entities": entities})
            if self.terms:
                table = table.replace_schema_metadata(self.terms.to_metadata())
            pq.write_table(table, partial, compression="zstd", row_group_size=_GROUP)

    @classmethod
    def read(cls, path: StoragePath) -> Plan:
        """Read a plan: Parquet as written by :meth:`write`, or a user's CSV.

        A CSV has the columns ``id`` and ``entities``, the latter separated by semicolons:
        ``small left pleural effusion; no pneumothorax; heart``.

        Raises:
            SyncxrError: The file is absent or damaged, an id stands twice, or an entity does
                not parse; the message names file, row and remedy.
        """
        if not path.is_file():
            raise SyncxrError(f"{path} does not exist; `syncxr plan` writes a plan")
        file = None if path.suffix.lower() == ".csv" else PlanFile(path)
        reports = tuple(file or _read_csv(path))
        if not reports:
            raise SyncxrError(f"{path} plans no report; give at least one row")
        repeated = [id for id, n in Counter(r.id for r in reports).items() if n > 1]
        if repeated:
            raise SyncxrError(f"{path}: id {repeated[0]!r} stands twice; ids must differ")
        return cls(reports, file.terms if file else None)


@dataclass(frozen=True)
class PlanFile:
    """A plan on disk, as written by :meth:`Plan.write`; it need not fit into memory.

    Attributes:
        path: The Parquet file.
    """

    path: StoragePath

    def __len__(self) -> int:
        with _opened(self.path) as file:
            return int(file.metadata.num_rows)

    def __iter__(self) -> Iterator[PlannedReport]:
        with _opened(self.path) as file:
            row = 1
            known: _Known = {}
            for group in range(file.num_row_groups):
                table = file.read_row_group(group, _COLUMNS)
                yield from _reports(self.path, table, row, known)
                row += len(table)

    def read(self, start: int, count: int) -> list[PlannedReport]:
        """Some reports, without reading the others."""
        with _opened(self.path) as file:
            sizes = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
            ends = np.cumsum(sizes)
            first, last = np.searchsorted(ends, [start, start + count - 1], side="right")
            table = file.read_row_groups([*range(first, last + 1)], _COLUMNS)
            before = int(ends[first]) - sizes[first]
            return list(_reports(self.path, table.slice(start - before, count), start + 1, {}))

    @property
    def terms(self) -> Terms | None:
        """As :attr:`Plan.terms`."""
        with _opened(self.path) as file:
            return Terms.from_metadata(file.schema_arrow.metadata)

    def uses(self) -> Counter[Entity]:
        """As :meth:`Plan.uses`."""
        return _uses(self)


_Known = dict[tuple[str, ...], Entity]


def _uses(reports: Iterable[PlannedReport]) -> Counter[Entity]:
    stated = Counter(entity for report in reports for entity in report.entities)
    totals: Counter[Entity] = Counter()
    for entity, count in stated.items():
        for row in rows_of(entity):
            totals[row] += count
    return totals


@contextmanager
def _opened(path: StoragePath) -> Iterator[pq.ParquetFile]:
    try:
        with path.open("rb") as stream:
            yield pq.ParquetFile(stream)
    except (pa.ArrowException, OSError, AttributeError, KeyError) as error:
        raise SyncxrError(
            f"{path} is not a readable plan ({type(error).__name__}); "
            "write it again with `syncxr plan`"
        ) from error


def _reports(
    path: StoragePath, table: pa.Table, row: int, known: _Known
) -> Iterator[PlannedReport]:
    """The reports of some rows.

    Args:
        path: Where they are from, for messages.
        table: The rows.
        row: Number of the first, from 1.
        known: Entities met so far, so that equal ones are one object.
    """
    ids = table["id"].to_pylist()
    column = table["entities"].combine_chunks()
    offsets = column.offsets.to_pylist()
    fields = [column.values.field(name).to_pylist() for name in _FIELDS]
    for id, start, end in zip(ids, offsets, offsets[1:], strict=False):
        entities = []
        for values in zip(*(field[start:end] for field in fields), strict=True):
            if values not in known:
                try:
                    known[values] = Entity.from_dict(dict(zip(_FIELDS, values, strict=True)))
                except ValueError as error:
                    raise SyncxrError(f"{path}, row {row}: {error}; correct it") from error
            entities.append(known[values])
        yield PlannedReport(id, tuple(entities))
        row += 1


def _read_csv(path: StoragePath) -> Iterator[PlannedReport]:
    with path.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.DictReader(stream)
        try:
            for column in ("id", "entities"):
                if column not in (reader.fieldnames or ()):
                    raise SyncxrError(
                        f"{path} lacks the column {column!r}; name it in the first line"
                    )
            for row in reader:
                place = f"{path}, row {reader.line_num}"
                if not row["id"]:
                    raise SyncxrError(f"{place}: the id is empty; give each report a name")
                words = [part.strip() for part in (row["entities"] or "").split(";")]
                entities = tuple(_parse(place, part) for part in words if part)
                if not entities:
                    raise SyncxrError(f"{place}: no entity; give at least one or leave the row out")
                yield PlannedReport(row["id"], entities)
        except (UnicodeDecodeError, csv.Error) as error:
            raise SyncxrError(f"{path} is not a UTF-8 CSV ({error}); save it as one") from error


def _parse(place: str, text: str) -> Entity:
    try:
        return parse_surface(text)
    except ValueError as error:
        raise SyncxrError(
            f"{place}, entity {text!r}: {error}; use its words, as in 'small left pleural effusion'"
        ) from error


def by_category(rows: Iterable[Entity]) -> dict[Category, list[Entity]]:
    """Rows grouped by category, in the order of :class:`~syncxr.sample.Category`."""
    groups: dict[Category, list[Entity]] = {category: [] for category in Category}
    for entity in rows:
        groups[entity.category].append(entity)
    return groups
