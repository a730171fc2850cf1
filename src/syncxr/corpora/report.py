"""What every reader of reports gives."""

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
