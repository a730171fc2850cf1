"""From a report's words to statements, through the project's extractor."""

from __future__ import annotations

from syncxr.entities.extraction import extract
from syncxr.sample import Entity


def read(text: str) -> list[Entity]:
    """Distinct statements of a report, in order; FINDINGS before IMPRESSION."""
    return list(dict.fromkeys(mention.entity for mention in extract(text)))
