"""The plan of a dataset: which entities each report states, fixed before anything is made."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from syncxr.dataset.files import atomic
from syncxr.entities.bank import parse_surface, rows_of
from syncxr.errors import SyncxrError
from syncxr.sample import Category, Entity, Polarity

_FIELDS = ("concept", "category", "polarity", "location", "severity")
_ENTITY = pa.struct([(name, pa.string()) for name in _FIELDS])


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
    """All planned reports, in the order of their indices."""

    reports: tuple[PlannedReport, ...]

    def __len__(self) -> int:
        return len(self.reports)

    def __iter__(self) -> Iterator[PlannedReport]:
        return iter(self.reports)

    def uses(self) -> Counter[Entity]:
        """How often each bank row is used; see :mod:`syncxr.entities.bank` for what a row is."""
        stated = Counter(entity for report in self.reports for entity in report.entities)
        totals: Counter[Entity] = Counter()
        for entity, count in stated.items():
            for row in rows_of(entity):
                totals[row] += count
        return totals

    def write(self, path: Path) -> None:
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
            pq.write_table(pa.table({"id": ids, "entities": entities}), partial, compression="zstd")

    @classmethod
    def read(cls, path: Path) -> Plan:
        """Read a plan: Parquet as written by :meth:`write`, or a user's CSV.

        A CSV has the columns ``id`` and ``entities``, the latter separated by semicolons:
        ``small left pleural effusion; no pneumothorax; heart``.

        Raises:
            SyncxrError: The file is absent or damaged, an id stands twice, or an entity does
                not parse; the message names file, row and remedy.
        """
        if not path.is_file():
            raise SyncxrError(f"{path} does not exist; `syncxr plan` writes a plan")
        rows = _read_csv(path) if path.suffix.lower() == ".csv" else _read_parquet(path)
        reports = tuple(rows)
        if not reports:
            raise SyncxrError(f"{path} plans no report; give at least one row")
        repeated = [id for id, n in Counter(r.id for r in reports).items() if n > 1]
        if repeated:
            raise SyncxrError(f"{path}: id {repeated[0]!r} stands twice; ids must differ")
        return cls(reports)


def _read_parquet(path: Path) -> Iterator[PlannedReport]:
    try:
        table = pq.read_table(path, columns=["id", "entities"])
        ids = table["id"].to_pylist()
        column = table["entities"].combine_chunks()
        offsets = column.offsets.to_pylist()
        fields = [column.values.field(name).to_pylist() for name in _FIELDS]
    except (pa.ArrowException, OSError, AttributeError, KeyError) as error:
        raise SyncxrError(
            f"{path} is not a readable plan ({type(error).__name__}); "
            "write it again with `syncxr plan`"
        ) from error
    known: dict[tuple[str, ...], Entity] = {}
    for row, (id, start, end) in enumerate(zip(ids, offsets, offsets[1:], strict=False), start=1):
        entities = []
        for values in zip(*(field[start:end] for field in fields), strict=True):
            if values not in known:
                try:
                    known[values] = Entity.from_dict(dict(zip(_FIELDS, values, strict=True)))
                except ValueError as error:
                    raise SyncxrError(f"{path}, row {row}: {error}; correct it") from error
            entities.append(known[values])
        yield PlannedReport(id, tuple(entities))


def _read_csv(path: Path) -> Iterator[PlannedReport]:
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
