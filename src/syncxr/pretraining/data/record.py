"""What the record of a run says of its sources."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from syncxr.corpora.terms import Terms
from syncxr.errors import SyncxrError
from syncxr.pretraining.data.store.layout import Index, Skipped


class SourceRecord(BaseModel):
    """What the record of a run says of one source.

    Attributes:
        name: Its path or URL.
        weight: Relative share of an epoch, ``None`` = every pair once.
        pairs: Usable pairs.
        training: Of these, those trained on.
        validation: Of these, those kept out.
        per_epoch: Pairs that an epoch takes from here.
        fingerprint: Hash of words and films as they lie there.
        skipped: Corrupt samples by name, with the reason.
        left_out: Rule to the number of samples that it leaves out.
        terms: Under what terms it, and what is derived from it, may be used.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    weight: float | None
    pairs: int
    training: int
    validation: int
    per_epoch: int
    fingerprint: str
    skipped: tuple[Skipped, ...]
    left_out: dict[str, int]
    terms: Terms | None = None


def record(
    index: Index, weight: float | None, training: int, validation: int, per_epoch: int
) -> SourceRecord:
    """Of a decoded source.

    Args:
        index: What it holds.
        weight: Its relative share, ``None`` = every pair once.
        training: Pairs trained on.
        validation: Pairs kept out.
        per_epoch: Pairs that an epoch takes.

    Raises:
        SyncxrError: Nothing of it would be trained on.
    """
    if not per_epoch:
        reason = "so small a weight" if training else "so few pairs"
        raise SyncxrError(
            f"{index.name} has {reason} that none of it is trained on; raise its weight, lower "
            "data.validation_fraction or leave it out"
        )
    return SourceRecord(
        name=index.name,
        weight=weight,
        pairs=index.count,
        training=training,
        validation=validation,
        per_epoch=per_epoch,
        fingerprint=index.fingerprint,
        skipped=index.skipped,
        left_out=index.left_out,
        terms=index.terms,
    )
