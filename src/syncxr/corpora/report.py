"""What every reader of reports gives, and the terms under which it may be used."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Report:
    """One radiology report.

    Attributes:
        id: Name that is unique within its corpus.
        findings: FINDINGS section; a text without sections stands here as a whole.
        impression: IMPRESSION section, ``""`` where there is none.
        labels: Human labels in the corpus's own words, empty where it has none.
    """

    id: str
    findings: str
    impression: str = ""
    labels: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Both sections, FINDINGS first, a blank line between them."""
        return "\n\n".join(part for part in (self.findings, self.impression) if part)


@dataclass(frozen=True)
class Terms:
    """Under what terms a corpus may be used.

    Attributes:
        source: Who made it, to be cited.
        licence: SPDX id or short name.
        note: What the licence means for this software.
    """

    source: str
    licence: str
    note: str = ""
