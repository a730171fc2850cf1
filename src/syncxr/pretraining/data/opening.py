"""The data of a run: its sources decoded, divided into training and validation, on record."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from syncxr.corpora.terms import Terms
from syncxr.errors import SyncxrError
from syncxr.pretraining.data.division import divide
from syncxr.pretraining.data.loader import Loader, Part
from syncxr.pretraining.data.options import DataOptions
from syncxr.pretraining.data.pairs import Pairs
from syncxr.pretraining.data.record import SourceRecord, record
from syncxr.pretraining.data.sources.memory import InMemory
from syncxr.pretraining.data.sources.opening import open_source
from syncxr.pretraining.data.store.decoded import Decoded, decode, decode_in_memory
from syncxr.pretraining.data.store.layout import default_cache
from syncxr.pretraining.preprocessing import Preprocessing


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
    cache = options.cache or default_cache()
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
    given = [weight for weight in weights if weight is not None]
    training, validation = (
        Loader(sides[0], options.caption, given),
        Loader(sides[1], options.caption),
    )
    records = tuple(
        record(source.index, weight, len(trained.rows), len(kept.rows), share)
        for source, weight, trained, kept, share in zip(
            decoded, weights, *sides, training.shares, strict=True
        )
    )
    digest = hashlib.sha256(repr([(r.fingerprint, r.weight) for r in records]).encode())
    return Data(training, validation, records, digest.hexdigest())
