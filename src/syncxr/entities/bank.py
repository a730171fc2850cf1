"""The entity bank: what a corpus says and how often.

A row of the bank is one thing that can be drawn into a report:

- of the four finding categories, the finding with its severity and polarity but without its
  place: ``Entity("pleural effusion", ABNORMALITY, PRESENT, "", "mild")``, surface
  ``"small pleural effusion"``;
- of ANATOMY, a structure called normal: ``Entity("heart", ANATOMY, ABSENT)``, surface
  ``"heart"``;
- of ANATOMY, a place that was named: ``Entity("lungs", ANATOMY, ABSENT, "left lower lobe")``,
  surface ``"left lower lobe"``. Its own normal statement reads "The left lower lobe is clear".

A finding at a place counts twice: once as the finding, once as the place. A structure other than
the lungs that is called normal at a place ("the left hilum") is the structure alone.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import ArrayLike

from syncxr.corpora.terms import Terms
from syncxr.dataset.files import atomic, read_bytes
from syncxr.dataset.storage import StoragePath
from syncxr.entities.lexicon import Lexicon, load_lexicon
from syncxr.entities.location import Location
from syncxr.entities.vocabulary import Role, load_vocabulary
from syncxr.errors import SyncxrError
from syncxr.sample import Category, Entity, Polarity

COLUMNS = ("entity", "category", "polarity", "count", "concept", "severity", "location")
"""Columns of a bank on disk; a user's CSV needs only the first."""

_SIZE_WORDS = {"mild": "small", "moderate": "moderate", "severe": "large"}
_SEVERITY_OF = {"small": "mild", "large": "severe", "mild": "mild"} | {
    word: word for word in ("moderate", "severe")
}
_POLARITY_WORDS = {
    "no": Polarity.ABSENT,
    "without": Polarity.ABSENT,
    "possible": Polarity.UNCERTAIN,
    "probable": Polarity.UNCERTAIN,
}


@dataclass(frozen=True)
class BankEntry:
    """One row: a finding without its place, a structure, or a place; and its frequency.

    Attributes:
        entity: The row's entity, as the module's docstring lays down.
        count: Mentions in the corpus, at least 1.
    """

    entity: Entity
    count: int


class Bank:
    """All entities of a corpus with their counts, in a fixed order.

    The order is that of :class:`~syncxr.sample.Category`, then falling count, then surface. An
    entity given twice is one row with the sum of its counts.

    Args:
        entries: The rows.
        terms: Terms of use of the corpus, which hold for what is derived from it; ``None`` for
            rows that somebody wrote down.
    """

    def __init__(self, entries: Iterable[BankEntry], terms: Terms | None = None) -> None:
        self.terms = terms
        totals: Counter[Entity] = Counter()
        for entry in entries:
            totals[entry.entity] += entry.count
        rank = {category: i for i, category in enumerate(Category)}
        self.entries: tuple[BankEntry, ...] = tuple(
            BankEntry(entity, count)
            for entity, count in sorted(
                totals.items(),
                key=lambda item: (rank[item[0].category], -item[1], surface(item[0]), item[0]),
            )
        )

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[BankEntry]:
        return iter(self.entries)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bank) and self.entries == other.entries

    def __hash__(self) -> int:
        return hash(self.entries)

    @classmethod
    def count(cls, reports: Iterable[Iterable[Entity]], terms: Terms | None = None) -> Bank:
        """Count the entities of extracted reports (one iterable of entities a report)."""
        totals: Counter[Entity] = Counter()
        for entities in reports:
            for entity in entities:
                totals.update(rows_of(entity))
        return cls((BankEntry(entity, count) for entity, count in totals.items()), terms)

    def without_rare(self, least: int) -> Bank:
        """The rows that at least so many reports state: a rare string may tell who it is about."""
        return Bank((entry for entry in self.entries if entry.count >= least), self.terms)

    def counts(self, category: Category | None = None) -> list[int]:
        """Counts in the bank's order, of one category or of all."""
        return [e.count for e in self.entries if category in (None, e.entity.category)]

    def entropy(self, category: Category | None = None) -> float:
        """Shannon entropy of the counts in bits; ``log2(rows)`` when all are equal."""
        return entropy(self.counts(category))

    def gini(self, category: Category | None = None) -> float:
        """Gini coefficient of the counts in [0, 1); 0 when all are equal."""
        return gini(self.counts(category))

    def write(self, path: StoragePath) -> None:
        """Write as Parquet with :data:`COLUMNS`; the same bank gives the same bytes.

        The terms of use stand in the metadata of its schema.
        """
        rows = [_to_row(entry) for entry in self.entries]
        table = pa.table(
            {name: pa.array([row[name] for row in rows], _arrow_type(name)) for name in COLUMNS}
        )
        if self.terms:
            table = table.replace_schema_metadata(self.terms.to_metadata())
        with atomic(path) as partial:
            pq.write_table(table, partial, compression="zstd")

    @classmethod
    def read(cls, path: StoragePath) -> Bank:
        """Read a bank: Parquet as written by :meth:`write`, or a user's CSV.

        A CSV needs a column ``entity`` with surfaces such as ``"small pleural effusion"``,
        ``"no pneumothorax"``, ``"heart"``, ``"left lower lobe"``; ``category``, ``polarity`` and
        ``count`` (default 1) may stand beside it. A finding written with its place counts as
        both.

        Raises:
            SyncxrError: The file is absent or unreadable, a column is missing, or a row does not
                parse; the message names file, row and remedy.
        """
        if not path.is_file():
            raise SyncxrError(f"{path} does not exist; `syncxr audit` writes an entity bank")
        if path.suffix.lower() == ".csv":
            bank = cls(_read_csv(path))
        else:
            table = _read_table(path)
            bank = cls(_rows(path, table), Terms.from_metadata(table.schema.metadata))
        if not bank.entries:
            raise SyncxrError(f"{path} holds no entity; give at least one row")
        return bank


def rows_of(entity: Entity) -> tuple[Entity, ...]:
    """The bank rows that one extracted entity counts for (see the module's docstring)."""
    if entity.category is Category.ANATOMY:
        if entity.concept == "lungs" and entity.location:
            return (place(entity.location),)
        return (Entity(entity.concept, entity.category, Polarity.ABSENT),)
    finding = Entity(entity.concept, entity.category, entity.polarity, "", entity.severity)
    return (finding, place(entity.location)) if entity.location else (finding,)


def place(location: str) -> Entity:
    """A canonical location as an ANATOMY entity, for whatever finding it was named."""
    return Entity("lungs", Category.ANATOMY, Polarity.ABSENT, location)


def surface(entity: Entity) -> str:
    """How a bank entity is written in tables, e.g. ``"small pleural effusion"``, ``"heart"``."""
    if entity.category is Category.ANATOMY:
        return entity.location or entity.concept
    prefix = {Polarity.ABSENT: "no", Polarity.UNCERTAIN: "possible"}.get(entity.polarity, "")
    if entity.polarity is Polarity.ABSENT and _says_normal(entity.concept):
        prefix = ""  # A network's "clear lungs" is itself what denies.
    concept = load_lexicon().concepts.get(entity.concept)
    sized = concept is not None and concept.scale == "size"
    severity = _SIZE_WORDS.get(entity.severity, "") if sized else entity.severity
    return " ".join(w for w in (prefix, severity, entity.location, entity.concept) if w)


@cache
def _normal_words() -> frozenset[str]:
    terms = load_vocabulary().terms
    return frozenset(t.surface for t in terms if t.role is Role.NORMAL and " " not in t.surface)


def _says_normal(concept: str) -> bool:
    """Whether words outside the lexicon call something normal."""
    if concept in load_lexicon().concepts:
        return False
    return not _normal_words().isdisjoint(concept.split())


def parse_surface(text: str) -> Entity:
    """Inverse of :func:`surface`; also takes the lexicon's synonyms and a finding's place.

    Raises:
        ValueError: The words are not in the lexicon; the message says which.
    """
    lexicon = load_lexicon()
    words = " ".join(text.lower().split())
    whole = _anatomy(words.removeprefix("normal "), lexicon)
    if whole is not None:
        return whole
    head, _, rest = words.partition(" ")
    polarity = _POLARITY_WORDS.get(head, Polarity.PRESENT)
    if polarity is not Polarity.PRESENT:
        words = rest
    head, _, rest = words.partition(" ")
    severity = _SEVERITY_OF.get(head, "")
    if severity:
        words = rest
    parts = words.split(" ")
    for cut in range(len(parts)):
        concept = _concept(" ".join(parts[cut:]), lexicon)
        location = _location(" ".join(parts[:cut]), lexicon)
        if concept is not None and location is not None:
            return lexicon.concepts[concept].entity(polarity, location, severity)
    raise ValueError(f"{words!r} is not in the lexicon")


def entropy(counts: ArrayLike) -> float:
    """Shannon entropy in bits of non-negative counts; 0 for none."""
    values = np.asarray(counts, dtype=np.float64)
    values = values[values > 0]
    if values.size == 0:
        return 0.0
    shares = values / values.sum()
    # max() turns the −0.0 of a single row into 0.0.
    return max(0.0, float(-(shares * np.log2(shares)).sum()))


def gini(counts: ArrayLike) -> float:
    """Gini coefficient in [0, 1) of non-negative counts; 0 for none.

    With ascending x_1..x_n: G = 2·Σ i·x_i / (n·Σ x_i) − (n + 1) / n.
    """
    values = np.sort(np.asarray(counts, dtype=np.float64))
    total = values.sum()
    if total == 0:
        return 0.0
    n = values.size
    ranks = np.arange(1, n + 1)
    return max(0.0, float(2 * (ranks * values).sum() / (n * total) - (n + 1) / n))


def _anatomy(words: str, lexicon: Lexicon) -> Entity | None:
    for anatomy in lexicon.anatomies.values():
        if words == anatomy.name or words in anatomy.synonyms:
            return Entity(anatomy.name, Category.ANATOMY, Polarity.ABSENT)
    location = _location(words, lexicon)
    return place(location) if location else None


def _concept(words: str, lexicon: Lexicon) -> str | None:
    for concept in lexicon.concepts.values():
        if words == concept.name or words in concept.synonyms:
            return concept.name
    return None


def _location(words: str, lexicon: Lexicon) -> str | None:
    """Canonical location of some words; None where they are not one."""
    side, zone = Location.parse(words)
    if not zone:
        return side
    for canonical, forms in lexicon.places.items():
        if zone == canonical or zone in forms:
            return str(Location(side, canonical))
    return None


def _to_row(entry: BankEntry) -> dict[str, Any]:
    return {"entity": surface(entry.entity), "count": entry.count, **entry.entity.to_dict()}


def _arrow_type(column: str) -> pa.DataType:
    return pa.int64() if column == "count" else pa.string()


def _read_table(path: StoragePath) -> pa.Table:
    try:
        table = pq.read_table(pa.BufferReader(read_bytes(path)))
    except (pa.ArrowInvalid, OSError) as error:
        raise SyncxrError(
            f"{path} is not a readable Parquet file ({error}); write it again with `syncxr audit`"
        ) from error
    missing = [name for name in COLUMNS if name not in table.column_names]
    if missing:
        raise SyncxrError(
            f"{path} lacks the column {missing[0]!r}; write it again with `syncxr audit`, "
            "or give a CSV with a column 'entity'"
        )
    return table


def _rows(path: StoragePath, table: pa.Table) -> Iterator[BankEntry]:
    for number, row in enumerate(table.to_pylist(), start=1):
        try:
            entity = Entity.from_dict(row)
        except ValueError as error:
            raise SyncxrError(f"{path}, row {number}: {error}; correct the value") from error
        yield BankEntry(entity, _count(path, number, row["count"]))


def _read_csv(path: StoragePath) -> Iterator[BankEntry]:
    with path.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.DictReader(stream)
        try:
            if "entity" not in (reader.fieldnames or ()):
                raise SyncxrError(f"{path} lacks the column 'entity'; name it in the first line")
            for row in reader:
                number = reader.line_num
                count = _count(path, number, row.get("count") or "1")
                for entity in rows_of(_csv_entity(path, number, row)):
                    yield BankEntry(entity, count)
        except (UnicodeDecodeError, csv.Error) as error:
            raise SyncxrError(f"{path} is not a UTF-8 CSV ({error}); save it as one") from error


def _csv_entity(path: StoragePath, number: int, row: Mapping[str, str | None]) -> Entity:
    """Parse the surface; ``category`` and ``polarity``, where given, must agree or decide."""
    text = row["entity"] or ""
    try:
        entity = parse_surface(text)
        given = (row.get("category") or "").strip().upper()
        category = Category(given) if given else None
        given = (row.get("polarity") or "").strip().lower()
        polarity = Polarity(given) if given else None
    except ValueError as error:
        known = f"categories {', '.join(Category)}; polarities {', '.join(Polarity)}"
        remedy = known if "is not a valid" in str(error) else "use its words or leave the row out"
        raise SyncxrError(f"{path}, row {number}, entity {text!r}: {error}; {remedy}") from error
    if entity.category is Category.ANATOMY:
        if category not in (None, Category.ANATOMY):
            raise SyncxrError(
                f"{path}, row {number}, entity {text!r}: is ANATOMY, not {category}; "
                "correct the column 'category'"
            )
        return entity
    if polarity is None:
        denied = category in (Category.NON_ABNORMALITY, Category.NON_DISEASE)
        polarity = Polarity.ABSENT if denied else entity.polarity
    concept = load_lexicon().concepts[entity.concept]
    entity = concept.entity(polarity, entity.location, entity.severity)
    if category not in (None, entity.category):
        raise SyncxrError(
            f"{path}, row {number}, entity {text!r}: {polarity} makes it {entity.category}, "
            f"not {category}; correct the column 'category'"
        )
    return entity


def _count(path: StoragePath, number: int, value: object) -> int:
    try:
        count = int(str(value).strip())
    except ValueError:
        count = 0
    if count < 1:
        raise SyncxrError(
            f"{path}, row {number}: count {value!r} is not a whole number ≥ 1; correct it"
        )
    return count
