"""Reports from statements: FINDINGS, then IMPRESSION, by one of two strategies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from syncxr.reports import constrained, two_step
from syncxr.reports.draft import Draft, DraftRequest
from syncxr.reports.options import DraftingOptions
from syncxr.reports.verification import verify_findings
from syncxr.reports.writer import Writer

__all__ = ["Draft", "DraftRequest", "DraftingOptions", "draft", "provenance"]


def draft(
    requests: Sequence[DraftRequest],
    writer: Writer,
    options: DraftingOptions | None = None,
    verify: two_step.Verify = verify_findings,
) -> Iterator[Draft]:
    """Write one report a request, in order, each handed over as soon as it is written.

    Args:
        requests: What to write.
        writer: The language model.
        options: How it is asked.
        verify: Reasons why FINDINGS do not say the entities; a strategy of two steps sums up
            only what has none.
    """
    options = options or DraftingOptions()
    if options.strategy == "two-step":
        return two_step.draft(requests, writer, options, verify)
    return constrained.draft(requests, writer, options)


def provenance(writer: Writer, options: DraftingOptions | None = None) -> dict[str, Any]:
    """What made the text of a whole dataset, JSON values only."""
    options = options or DraftingOptions()
    by_steps = options.strategy == "two-step"
    return {
        **(two_step.provenance(options) if by_steps else constrained.provenance()),
        "options": options.model_dump(),
        "writer": writer.provenance(),
    }
