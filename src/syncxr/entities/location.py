"""Canonical places in the chest: a side and a zone."""

from __future__ import annotations

from typing import NamedTuple

SIDES = ("left", "right", "bilateral")

_LOBES = frozenset({"upper lobe", "middle lobe", "lower lobe"})
# Height in the frontal film, 0 = apex, 4 = base; a lobe reaches over several zones.
_HEIGHTS = {
    "apex": {0},
    "upper zone": {0, 1},
    "upper lobe": {0, 1, 2},
    "mid zone": {2},
    "middle lobe": {2, 3, 4},
    "lingula": {2, 3, 4},
    "lower zone": {3, 4},
    "lower lobe": {2, 3, 4},
    "base": {4},
}


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

    def overlaps(self, other: Location) -> bool:
        """Whether something can be at both places at once.

        Left and right are apart, and so are two lobes and zones of different height; where a
        side, or a zone of known height, is not given, the places may overlap.
        """
        if {self.side, other.side} == {"left", "right"}:
            return False
        if self.zone != other.zone and {self.zone, other.zone} <= _LOBES:
            return False
        mine, others = _HEIGHTS.get(self.zone), _HEIGHTS.get(other.zone)
        return mine is None or others is None or not mine.isdisjoint(others)

    def __str__(self) -> str:
        return f"{self.side} {self.zone}".strip()
