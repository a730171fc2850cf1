"""What a corpus of reports says: its entity bank, its long tail, its figures.

The audit of section 1 of the paper ("Can Medical Vision-Language Pre-training Succeed with Purely
Synthetic Data?"), on the project's own extractor.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import log2

from pydantic import BaseModel, ConfigDict
from rich.box import SIMPLE
from rich.table import Table

from syncxr.corpora.report import Report
from syncxr.dataset.storage import StoragePath, make_folder
from syncxr.entities.bank import Bank, surface
from syncxr.entities.extraction import Extractor, default_extractor, entities_of
from syncxr.entities.scoring import ExtractionScore, score, score_table
from syncxr.errors import SyncxrError
from syncxr.factory.long_tail import draw_long_tail
from syncxr.progress import bar
from syncxr.sample import Category, Entity

__all__ = ["AuditSummary", "CategorySummary", "audit", "audit_table", "score", "score_table"]

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


class AuditSummary(BaseModel):
    """What an audit found.

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


def audit(
    reports: Iterable[Report], folder: StoragePath, extractor: Extractor | None = None
) -> AuditSummary:
    """Extract entities, write ``bank.parquet`` and ``long_tail.png`` into ``folder``.

    Within a report a statement counts once, however often it is repeated; a finding at a place
    counts for both (see :mod:`syncxr.entities.bank`).

    Args:
        reports: Any corpus; reports without a text are passed over.
        folder: Made where it does not exist.
        extractor: ``None`` takes the default.

    Raises:
        SyncxrError: No entity was found, or the folder cannot be written.
    """
    texts = [report.text for report in reports if report.text]
    found = list(_entities(texts, extractor or default_extractor()))
    bank = Bank.count(found)
    if not bank.entries:
        raise SyncxrError(
            f"no entity found in {len(texts)} reports; are they English chest X-ray reports?"
        )
    paths = folder / "bank.parquet", folder / "long_tail.png"
    try:
        make_folder(folder)
        bank.write(paths[0])
        draw_long_tail(bank, len(texts), paths[1])
    except OSError as error:
        raise SyncxrError(
            f"{folder} cannot be written ({error.strerror}); choose another folder"
        ) from error
    return AuditSummary(
        reports=len(texts),
        without_entity=sum(not entities for entities in found),
        categories=tuple(_summaries(bank)),
        bank=str(paths[0]),
        figure=str(paths[1]),
    )


def audit_table(summary: AuditSummary) -> Table:
    """The figures of an audit as a table for the terminal."""
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


def _entities(texts: Sequence[str], extractor: Extractor) -> Iterator[frozenset[Entity]]:
    """Entities of each text, under a progress bar."""
    with bar("extract entities", len(texts)) as progress:
        for start in range(0, len(texts), _BATCH):
            batch = texts[start : start + _BATCH]
            yield from (entities_of(mentions) for mentions in extractor.extract(batch))
            progress.advance(len(batch))


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
