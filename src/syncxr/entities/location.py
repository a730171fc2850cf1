"""Canonical places in the chest: a side and a zone."""

from __future__ import annotations

from typing import NamedTuple

SIDES = ("left", "right", "bilateral")


class Location(NamedTuple):
    """A place as the lexicon writes it.

    Attributes:
        side: ``"left"``, ``"right"``, ``"bilateral"`` or ``""``. Patient's side.
        zone: Zone, lobe or region, e.g. ``"lower lobe"``, ``"apex"``, ``"base"``; or ``""``.
    """

    side: str
    zone: str

    @classmethod
    def parse(cls, text: str) -> Location:
        """Split a canonical location such as ``"left lower lobe"``."""
        head, _, rest = text.partition(" ")
        return cls(head, rest) if head in SIDES else cls("", text)

    def __str__(self) -> str:
        return f"{self.side} {self.zone}".strip()
