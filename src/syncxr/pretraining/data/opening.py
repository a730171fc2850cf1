"""The data of a run: its sources decoded, divided into training and validation, on record."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from syncxr.assets import cache_folder
from syncxr.corpora.terms import Terms
from syncxr.errors import SyncxrError
from syncxr.pretraining.data.division import divide
from syncxr.pretraining.data.loader import Loader, Part
from syncxr.pretraining.data.options import DataOptions
from syncxr.pretraining.data.pairs import Pairs
from syncxr.pretraining.data.sources.memory import InMemory
from syncxr.pretraining.data.sources.opening import open_source
from syncxr.pretraining.data.store.decoded import Decoded, decode, decode_in_memory
from syncxr.pretraining.data.store.layout import Skipped
from syncxr.pretraining.preprocessing import Preprocessing


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


@dataclass(frozen=True)
class Data:
    """What a run trains on and what it keeps out.

    Attributes:
        training: What is trained on.
        validation: What is kept out, every pair once; empty without a validation fraction.
        sources: A record a source.
        fingerprint: Hash of the sources' fingerprints and weights.
    """

    training: Loader
    validation: Loader
    sources: tuple[SourceRecord, ...]
    fingerprint: str

    @property
    def name(self) -> str:
        """The sources' names, for messages."""
        return ", ".join(source.name for source in self.sources)

    @property
    def terms(self) -> Terms | None:
        """The strictest terms of the sources: what a checkpoint is bound by."""
        known = [source.terms for source in self.sources if source.terms is not None]
        return max(known, key=lambda terms: terms.stays_home, default=None)

    def record(self) -> list[dict[str, Any]]:
        """JSON values of :attr:`sources`."""
        return [source.model_dump(mode="json") for source in self.sources]


def open_data(
    options: DataOptions, preprocessing: Preprocessing, pairs: Pairs | None = None
) -> Data:
    """Open, and where needed decode, what a run is to train on.

    Args:
        options: Its ``sources`` are opened, unless there are ``pairs``.
        preprocessing: How films are prepared; decoded films are kept for each apart.
        pairs: Pairs in memory, in the place of the sources; nothing of them is written to disk.

    Raises:
        SyncxrError: No source; one cannot be read, holds no pair, or too much of it is corrupt.
    """
    cache = options.cache or cache_folder() / "pretraining"
    limit = options.corrupt_limit
    if pairs is not None:
        decoded = [decode_in_memory(InMemory(pairs), preprocessing, limit)]
        weights: list[float | None] = [None]
    elif options.sources:
        opened = [open_source(source) for source in options.sources]
        decoded = [decode(source, preprocessing, cache, limit) for source in opened]
        weights = [source.weight for source in options.sources]
    else:
        raise SyncxrError("nothing to train on; name a dataset, a CSV or a corpus")
    return _assemble(decoded, weights, options)


def _assemble(
    decoded: Sequence[Decoded], weights: Sequence[float | None], options: DataOptions
) -> Data:
    kept_out = [divide(source, options.validation_fraction) for source in decoded]
    sides = [
        [Part(d, np.flatnonzero(out == side)) for d, out in zip(decoded, kept_out, strict=True)]
        for side in (False, True)
    ]
    for part in sides[0]:
        if not len(part.rows):
            raise SyncxrError(
                f"{part.decoded.index.name} has no pair on the training side; "
                "lower validation_fraction or leave it out"
            )
    given = [weight for weight in weights if weight is not None]
    training = Loader(sides[0], options.caption, given or None)
    validation = Loader(sides[1], options.caption)
    records = tuple(
        SourceRecord(
            name=d.index.name,
            weight=weight,
            pairs=len(d),
            training=int((~out).sum()),
            validation=int(out.sum()),
            per_epoch=share,
            fingerprint=d.index.fingerprint,
            skipped=d.index.skipped,
            left_out=d.index.left_out,
            terms=d.index.terms,
        )
        for d, weight, out, share in zip(decoded, weights, kept_out, training.shares, strict=True)
    )
    digest = hashlib.sha256(repr([(r.fingerprint, r.weight) for r in records]).encode())
    return Data(training, validation, records, digest.hexdigest())
