"""Which words of a report stand beside its film in one training step."""

from __future__ import annotations

import re
from typing import Literal

CaptionMode = Literal["sentence", "impression", "findings", "report"]
"""``sentence``: one sentence drawn from the report (ConVIRT); the others are whole sections,
``report`` being impression and findings together (GLoRIA's order)."""

_BREAK = re.compile(r"(?<=[.!?;])\s+|(?:^|\s)\d+[.)]\s+")


def sentences(text: str) -> list[str]:
    """Split on full stops and numbering; drop what has fewer than two words."""
    parts = (part.strip() for part in _BREAK.split(text))
    return [part for part in parts if len(part.split()) > 1]


def candidates(findings: str, impression: str, mode: CaptionMode) -> tuple[str, ...]:
    """Everything that may stand beside the film; at least one where there is any text.

    A section that is empty is replaced by the other one.
    """
    findings, impression = findings.strip(), impression.strip()
    report = " ".join(part for part in (impression, findings) if part)
    if mode == "sentence":
        found = tuple(dict.fromkeys(sentences(findings) + sentences(impression)))
        return found or ((report,) if report else ())
    text = {"impression": impression, "findings": findings, "report": report}[mode] or report
    return (text,) if text else ()
