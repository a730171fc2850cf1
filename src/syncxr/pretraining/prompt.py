"""Prompts of a zero-shot classifier."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Prompt(NamedTuple):
    """Texts that affirm and texts that deny one finding.

    Attributes:
        positive: Affirming texts, at least one.
        negative: Denying texts; none = the score is the logit of the affirming texts alone.
        combine: Whether the mean or the greatest logit of a side's texts counts.
    """

    positive: tuple[str, ...]
    negative: tuple[str, ...]
    combine: Literal["mean", "max"] = "mean"


def pair_prompt(finding: str) -> Prompt:
    """The pair ``"{finding}"`` / ``"no {finding}"`` (CheXzero)."""
    return Prompt((finding,), (f"no {finding}",))
