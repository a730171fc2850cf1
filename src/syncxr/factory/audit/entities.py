"""What a corpus of reports says: its entity bank, its long tail, its figures.

Section 1 of the paper (Liu et al., Findings of ACL 2025), with any extractor. Reports go by in
chunks; what is found in a chunk is committed like any shard, so that a run that was stopped goes on
where it was and memory holds one chunk and the bank.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from math import log2

from pydantic import BaseModel, ConfigDict
from rich.box import SIMPLE
from rich.table import Table

from syncxr.corpora.report import Report
from syncxr.corpora.study import Corpus
from syncxr.corpora.terms import Terms
from syncxr.dataset.shards import ShardRecord, commit_shard, committed, read_shard
from syncxr.dataset.storage import StoragePath, make_folder
from syncxr.entities.bank import Bank, BankEntry, rows_of, surface
from syncxr.entities.extraction import Extractor, default_extractor, entities_of
from syncxr.entities.scoring import ExtractionScore
from syncxr.errors import SyncxrError
from syncxr.factory.audit.long_tail import draw_long_tail
from syncxr.factory.sources import fingerprint
from syncxr.progress import bar
from syncxr.sample import Category, Entity, Sample

STAGE = "entities"
"""Name in records; what was found in each report lies in the folder of this name."""

_BATCH = 64


class CategorySummary(BaseModel):
    """Figures of one entity category.

    Attributes:
        category: RaTE category, or ``"all"``.
        unique: Different entities.
        mentions: Sum of their counts.
        once: Entities counted once.
        entropy: Shannon entropy of the counts in bits.
        max_entropy: Entropy if all were equally frequent, ``log2(unique)``.
        gini: Gini coefficient of the counts in [0, 1); 0 when all are equal.
        top: The most frequent entities with their counts.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    category: str
    unique: int
    mentions: int
    once: int
    entropy: float
    max_entropy: float
    gini: float
    top: tuple[tuple[str, int], ...]


class EntitySummary(BaseModel):
    """What reports say.

    Attributes:
        reports: Reports with a text.
        without_entity: Those in which nothing of the lexicon was found.
        categories: One row a category that occurs, then ``"all"``.
        bank: The entity bank (Parquet).
        figure: The long tail (PNG).
        score: Agreement with human labels, where it was asked for.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    reports: int
    without_entity: int
    categories: tuple[CategorySummary, ...]
    bank: str
    figure: str
    score: ExtractionScore | None = None


def audit_reports(
    corpus: Corpus, folder: StoragePath, extractor: Extractor | None = None
) -> EntitySummary:
    """Extract entities, write ``bank.parquet`` and ``long_tail.png`` into ``folder``.

    Within a report a statement counts once, however often it is repeated; a finding at a place
    counts for both (see :mod:`syncxr.entities.bank`).

    Args:
        corpus: Any; studies whose report has no text are passed over.
        folder: Made where it does not exist.
        extractor: ``None`` takes the rules.

    Raises:
        SyncxrError: No entity was found, or the folder cannot be written.
    """
    counting = EntityCount(corpus.terms)
    with bar("extract entities", None) as progress:
        texts = (s.report.text for s in corpus.studies() if s.report and s.report.text)
        for found in _extracted(texts, extractor or default_extractor()):
            counting.add(found)
            progress.advance()
    return counting.write(folder)


class EntityCount:
    """Counts what reports say.

    Args:
        terms: Terms of the corpus; the bank keeps them.
    """

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._counts: Counter[Entity] = Counter()
        self._reports = self._without = 0

    def add(self, entities: Iterable[Entity]) -> None:
        """One report's entities."""
        known = frozenset(entities)
        self._reports += 1
        self._without += not known
        for entity in known:
            self._counts.update(rows_of(entity))

    def write(self, folder: StoragePath) -> EntitySummary:
        """Bank and picture.

        Raises:
            SyncxrError: No entity was found, or the folder cannot be written.
        """
        entries = (BankEntry(entity, count) for entity, count in self._counts.items())
        bank = Bank(entries, self._terms)
        if not bank.entries:
            raise SyncxrError(
                f"no entity found in {self._reports} reports; are they English chest X-ray reports?"
            )
        paths = folder / "bank.parquet", folder / "long_tail.png"
        try:
            make_folder(folder)
            bank.write(paths[0])
            draw_long_tail(bank, self._reports, paths[1])
        except OSError as error:
            raise SyncxrError(
                f"{folder} cannot be written ({error.strerror}); choose another folder"
            ) from error
        return EntitySummary(
            reports=self._reports,
            without_entity=self._without,
            categories=tuple(_summaries(bank)),
            bank=str(paths[0]),
            figure=str(paths[1]),
        )


class ReportShards:
    """Extraction in committed chunks.

    Args:
        root: Folder of the audit, held open.
        extractor: Reads the reports.
        size: Reports in a chunk.
        counting: Where everything found is counted, committed earlier or now.
    """

    def __init__(
        self, root: StoragePath, extractor: Extractor, size: int, counting: EntityCount
    ) -> None:
        self._root = root
        self._extractor = extractor
        self._size = size
        self._counting = counting
        self._committed = committed(root, STAGE)
        self._pending: list[Report] = []
        self._index = 0

    def add(self, report: Report) -> None:
        """One report; the chunk is worked on when it is full."""
        self._pending.append(report)
        if len(self._pending) == self._size:
            self.flush()

    def flush(self) -> None:
        """Work on what is left."""
        if not self._pending:
            return
        source = fingerprint(Sample(r.id, (), r.findings, r.impression) for r in self._pending)
        record = self._committed.get(self._index)
        if record is None or record.source != source:
            record = self._extract(source)
        for file in record.files:
            for sample in read_shard(self._root / file.path, file.sha256):
                self._counting.add(sample.entities)
        self._pending.clear()
        self._index += 1

    def _extract(self, source: str) -> ShardRecord:
        texts = [report.text for report in self._pending]
        found = _extracted(texts, self._extractor)
        # The texts stay where they are: only what was found in them is kept.
        samples = [
            Sample(report.id, tuple(sorted(entities)))
            for report, entities in zip(self._pending, found, strict=True)
        ]
        name = f"{STAGE}/{self._index:05d}.parquet"
        return commit_shard(
            self._root,
            STAGE,
            self._index,
            {name: samples},
            {"reports": len(samples)},
            source=source,
            first=samples[0].id,
        )


def entity_table(summary: EntitySummary) -> Table:
    """The figures as a table for the terminal."""
    table = Table(
        box=SIMPLE,
        title=f"Entities of {summary.reports} reports ({summary.without_entity} without any)",
    )
    for column in ("category", "unique", "mentions", "once", "bits of max", "Gini"):
        table.add_column(column, justify="left" if column == "category" else "right", no_wrap=True)
    for row in summary.categories:
        table.add_row(
            row.category,
            f"{row.unique:,}",
            f"{row.mentions:,}",
            f"{row.once:,}",
            f"{row.entropy:.2f} / {row.max_entropy:.2f}",
            f"{row.gini:.3f}",
            end_section=row is summary.categories[-2],
        )
    return table


def _extracted(texts: Iterable[str], extractor: Extractor) -> Iterator[frozenset[Entity]]:
    """Entities of each text."""
    texts = iter(texts)
    while batch := list(islice(texts, max(_BATCH, extractor.batch))):
        yield from (entities_of(mentions) for mentions in extractor.extract(batch))


def _summaries(bank: Bank, top: int = 10) -> Iterator[CategorySummary]:
    present = [c for c in Category if bank.counts(c)]
    for category in (*present, None):
        counts = bank.counts(category)
        rows = [entry for entry in bank if category in (None, entry.entity.category)]
        rows.sort(key=lambda entry: -entry.count)
        yield CategorySummary(
            category="all" if category is None else category.value,
            unique=len(counts),
            mentions=sum(counts),
            once=counts.count(1),
            entropy=bank.entropy(category),
            max_entropy=log2(len(counts)),
            gini=bank.gini(category),
            top=tuple((surface(entry.entity), entry.count) for entry in rows[:top]),
        )
