"""Reports from statements: FINDINGS, then IMPRESSION, by one of two strategies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from syncxr.reports import constrained, two_step
from syncxr.reports.draft import Draft, DraftRequest
from syncxr.reports.verification import verify_findings
from syncxr.reports.writer import Writer

__all__ = ["Draft", "DraftRequest", "DraftingOptions", "draft", "provenance"]


class DraftingOptions(BaseModel):
    """Options of :func:`draft`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    strategy: Literal["grammar", "two-step"] = Field(
        default="grammar",
        description="grammar: both sections from one completion that is held to a grammar, for "
        "statements of the lexicon and a writer that takes grammars. two-step: as in the paper "
        "(section 3), FINDINGS freely from the statements, then IMPRESSION from FINDINGS, each "
        "written again by itself until it verifies; for any statements and any writer.",
    )
    temperature: float = Field(
        default=1.0, ge=0, description="Of the choice among words; 0 = always the likeliest."
    )


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
        return two_step.draft(requests, writer, options.temperature, verify)
    return constrained.draft(requests, writer, options.temperature)


def provenance(writer: Writer, options: DraftingOptions | None = None) -> dict[str, Any]:
    """What made the text of a whole dataset, JSON values only."""
    options = options or DraftingOptions()
    strategy = two_step if options.strategy == "two-step" else constrained
    return {
        **strategy.provenance(),
        "options": options.model_dump(),
        "writer": writer.provenance(),
    }
