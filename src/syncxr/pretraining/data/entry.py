"""What every source gives: pairs as they lie, films not yet decoded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from syncxr.corpora.terms import Terms
from syncxr.sample import Image


@dataclass(frozen=True, slots=True)
class Entry:
    """One film with its report.

    Attributes:
        id: Name within its source.
        film: The bytes of an image file, the file, or pixels.
        findings: FINDINGS section, or the whole text.
        impression: IMPRESSION section, may be empty.
        group: What must not be divided between training and validation: the patient where one is
            known, the report where several films show it; ``""`` = the pair itself.
        split: The corpus's own division: ``"train"``, ``"validate"`` or ``""``.
        where: The place it stands in ("pairs.csv, row 7"), for messages.
    """

    id: str
    film: bytes | Path | Image
    findings: str
    impression: str = ""
    group: str = ""
    split: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """Something that is no pair.

    Attributes:
        id: Name within its source.
        reason: What is wrong with it or, if not corrupt, the rule that leaves it out.
        corrupt: Whether it should have been a pair. A lateral film is no fault of its corpus.
    """

    id: str
    reason: str
    corrupt: bool = True


class Source(Protocol):
    """Somewhere that pairs lie.

    Attributes:
        name: For people and for the record: its path or URL.
        terms: Under what terms it may be used; ``None`` = nothing is known that forbids anything.
        total: How many entries and corrupt ones it will give, ``None`` where only reading tells.
    """

    name: str
    terms: Terms | None
    total: int | None

    def state(self) -> dict[str, Any]:
        """JSON values that change whenever what lies there does; no film is read for it."""
        ...

    def entries(self, start: int = 0) -> Iterator[Entry | Rejected]:
        """All that lies there, in an order that does not change while the files do not.

        Args:
            start: How many to leave out at the beginning.

        Raises:
            SyncxrError: The source as a whole cannot be read.
        """
        ...
