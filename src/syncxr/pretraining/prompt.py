"""Prompts of a zero-shot classifier."""

from __future__ import annotations

from typing import NamedTuple


class Prompt(NamedTuple):
    """Texts that affirm and texts that deny one finding."""

    positive: tuple[str, ...]
    negative: tuple[str, ...]


def pair_prompt(finding: str) -> Prompt:
    """The pair ``"{finding}"`` / ``"no {finding}"`` (CheXzero)."""
    return Prompt((finding,), (f"no {finding}",))
