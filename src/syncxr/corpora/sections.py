"""Sections of a free-text radiology report as MIMIC-CXR has them.

The rules are those that the corpus's own authors published with it (MIT-LCP, mimic-cxr, ``txt``),
re-implemented from their description:

- A heading is a run of capitals at the beginning of a line, up to a colon.
- FINDINGS and IMPRESSION go by many names; what only names the examination ("CHEST, PA AND
  LATERAL:") stands above findings. Misspelt names are taken for what they are closest to.
- Where a section stands twice the last that has a text counts.
- Where neither is there, the last section's text from its second paragraph on is taken: the body
  of a report without headings follows the line that says what was done.

The published list of some fifty studies mended by hand is not part of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches

_HEADING = re.compile(r"^[ \t]*([A-Z][A-Z ()/,.&-]*[A-Z)]):(?=\s|$)", re.MULTILINE)
_PARAGRAPH = re.compile(r"\n[ \t]*\n")

_CLOSE = 0.8
"""Share of letters in common that makes a misspelt heading: "IMPRESSOIN", "FINDGINGS"."""

_OTHERS = (
    "addendum",
    "clinical",
    "comment",
    "comparison",
    "date",
    "exam",
    "history",
    "indication",
    "notification",
    "reason",
    "recommendation",
    "technique",
    "type of",
    "wet read",
)
"""What other headings hold; these words come before the names of examinations."""

_EXAMINATIONS = re.compile(
    r"\b(chest|portable|radiographs?|views?|pa|ap|lateral|frontal|upright|supine|ribs?|"
    r"bone window)\b"
)


@dataclass(frozen=True)
class Sections:
    """What was found; ``""`` where it is not there.

    Attributes:
        findings: FINDINGS.
        impression: IMPRESSION.
        last_paragraph: What stands in for both where neither is there.
    """

    findings: str = ""
    impression: str = ""
    last_paragraph: str = ""


def read_sections(text: str) -> Sections:
    """Sections of one report, each in one line."""
    headings = list(_HEADING.finditer(text))
    bounds = [*(m.start() for m in headings), len(text)]
    found = {"findings": "", "impression": ""}
    for heading, end in zip(headings, bounds[1:], strict=True):
        name, body = _canonical(heading[1]), _line(text[heading.end() : end])
        if name in found and body:
            found[name] = body
    if any(found.values()):
        return Sections(**found)
    body = text[headings[-1].end() :] if headings else text
    paragraphs = _PARAGRAPH.split(body.strip())
    return Sections(last_paragraph=_line(" ".join(paragraphs[1:])))


def _canonical(heading: str) -> str:
    """``"findings"``, ``"impression"`` or ``"other"``."""
    name = " ".join(heading.lower().split())
    # "FINDINGS AND IMPRESSION": the conclusion is in it, and that is what is quoted.
    if "impression" in name or "conclusion" in name:
        return "impression"
    if "finding" in name:
        return "findings"
    if any(word in name for word in _OTHERS):
        return "other"
    if _EXAMINATIONS.search(name):
        return "findings"
    known = ("findings", "impression", "comparison", "indication", "technique", "examination")
    (close,) = get_close_matches(name, known, 1, _CLOSE) or ["other"]
    return close if close in ("findings", "impression") else "other"


def _line(text: str) -> str:
    return " ".join(text.split())
