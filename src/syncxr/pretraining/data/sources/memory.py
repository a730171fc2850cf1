"""Pairs in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from syncxr.corpora.terms import Terms
from syncxr.pretraining.data.entry import Entry, Rejected
from syncxr.pretraining.data.pairs import Pairs


class InMemory:
    """Pairs that somebody made in Python.

    Args:
        pairs: Any number.
    """

    terms: Terms | None = None

    def __init__(self, pairs: Pairs) -> None:
        self._pairs = pairs
        self.name = pairs.source
        self.total: int | None = len(pairs)

    def state(self) -> dict[str, Any]:
        """The hash of their pixels and texts."""
        return {"pairs": self._pairs.fingerprint()}

    def entries(self, start: int = 0) -> Iterator[Entry | Rejected]:
        """In their order."""
        for pair in self._pairs.items[start:]:
            if pair.findings.strip() or pair.impression.strip():
                yield Entry(pair.id, pair.image, pair.findings, pair.impression)
            else:
                yield Rejected(pair.id, "has no text")
