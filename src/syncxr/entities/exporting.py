"""Banks that leave the house."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from syncxr.entities.bank import Bank
from syncxr.errors import SyncxrError


class ExportSummary(BaseModel):
    """What left, and what stayed.

    Attributes:
        bank: The file written.
        entities: Rows in it.
        dropped: Rows that fewer than ``min_count`` reports state.
        min_count: The least count.
        licence: Under which the file stands; that of the corpus.
        stays_home: Whether its terms keep it from third parties all the same.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    bank: str
    entities: int
    dropped: int
    min_count: int
    licence: str
    stays_home: bool


def export_bank(source: Path, target: Path, min_count: int) -> ExportSummary:
    """Write a bank without its rare strings, with its terms.

    A string that a handful of reports state may be a name that de-identification missed, or a
    finding that tells who it is about.

    Args:
        source: ``bank.parquet`` of an audit.
        target: Parquet file; a CSV could not carry the terms.
        min_count: Reports that must state a row, at least.

    Raises:
        SyncxrError: The bank cannot be read, nothing is left of it, or the target is no Parquet.
    """
    if target.suffix.lower() != ".parquet":
        raise SyncxrError(f"{target}: a bank is exported as .parquet, which carries its terms")
    bank = Bank.read(source)
    kept = bank.without_rare(min_count)
    if not len(kept):
        raise SyncxrError(f"{source} holds nothing that {min_count} reports state; lower min_count")
    kept.write(target)
    terms = bank.terms
    return ExportSummary(
        bank=str(target),
        entities=len(kept),
        dropped=len(bank) - len(kept),
        min_count=min_count,
        licence=terms.licence if terms else "unknown",
        stays_home=bool(terms and terms.stays_home),
    )
