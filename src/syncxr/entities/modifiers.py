"""Where a finding is and how severe, from the words around it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from syncxr.entities.location import Location
from syncxr.entities.sentences import Unit
from syncxr.entities.statements import Statement
from syncxr.entities.vocabulary import Role, Vocabulary

_FIXED_SIDE = {"lingula": "left", "middle lobe": "right"}
_CLOSERS = frozenset((Role.STOP, Role.DENY_BEFORE, Role.NORMAL, Role.CONCEPT))


@dataclass(frozen=True, slots=True)
class Modifiers:
    """One place and grade of a finding.

    Attributes:
        location: Canonical location or ``""``.
        severity: ``""``, ``"mild"``, ``"moderate"`` or ``"severe"``.
    """

    location: str
    severity: str


def join_places(units: Sequence[Unit], vocabulary: Vocabulary) -> list[Unit]:
    """The same units with each run of places ("base of the left lung") as one unit."""
    joined: list[Unit] = []
    i = 0
    while i < len(units):
        first, unit = i, units[i]
        i += 1
        if unit.role is Role.PLACE:
            place = Location.parse(unit.value)
            j = i
            while j < len(units):
                if units[j].role is Role.PLACE:
                    both = merge(place, Location.parse(units[j].value))
                    if both is None:
                        break
                    place, i = both, j + 1
                elif units[j].text not in vocabulary.fillers:
                    break
                j += 1
            side = _FIXED_SIDE.get(place.zone, place.side)
            text = " ".join(u.text for u in units[first:i])
            unit = Unit(
                text, Role.PLACE, str(Location(side, place.zone)), unit.start, units[i - 1].end
            )
        joined.append(unit)
    return joined


def merge(a: Location, b: Location) -> Location | None:
    """One place out of two that say different things of it; ``None`` where they disagree."""
    if (a.side and b.side and a.side != b.side) or (a.zone and b.zone and a.zone != b.zone):
        return None
    return Location(a.side or b.side, a.zone or b.zone)


def modifiers(
    statements: Sequence[Statement], units: Sequence[Unit], vocabulary: Vocabulary
) -> list[list[Modifiers]]:
    """For each statement of a sentence its places and grades, at least one.

    Args:
        statements: In order, as found in ``units``.
        units: One sentence after :func:`join_places`.
        vocabulary: Words that stop a modifier.
    """
    return _Sentence(statements, units, vocabulary).modifiers()


class _Sentence:
    def __init__(
        self, statements: Sequence[Statement], units: Sequence[Unit], vocabulary: Vocabulary
    ) -> None:
        self.statements = statements
        self.units = units
        self.vocabulary = vocabulary
        self.taken: set[int] = set()

    def modifiers(self) -> list[list[Modifiers]]:
        attached = [self._attached(s) for s in self.statements]
        found = [self._complete(i, own) for i, own in enumerate(attached)]
        self._share(found)
        return found

    def _attached(self, statement: Statement) -> list[tuple[Location, str]]:
        """What stands directly before or inside a statement, nearest first.

        More than one where places are listed: "small right and moderate left effusions".
        """
        said = statement.last if statement.subject == statement.first else statement.first
        inside = [j for j in range(statement.last, statement.first - 1, -1) if j != said]
        place, severity, _ = self._collect(inside)
        j = statement.first - 1
        own_place, own_severity, j = self._collect(range(j, -1, -1), adjacent=True)
        merged = merge(place or Location("", ""), own_place or Location("", ""))
        items = [(merged or place or Location("", ""), severity or own_severity)]
        while j >= 1 and own_place is not None and self.units[j].joins:
            place, severity, j = self._collect(range(j - 1, -1, -1), adjacent=True)
            if place is None:
                break
            zone = place.zone or own_place.zone
            items.append((Location(place.side, zone), severity or items[0][1]))
        return items

    def _collect(
        self, indices: Iterable[int], adjacent: bool = False
    ) -> tuple[Location | None, str, int]:
        """Place and severity among units; with ``adjacent`` up to the first that cuts them off."""
        place: Location | None = None
        severity = ""
        for j in indices:
            unit = self.units[j]
            if adjacent and self._cuts(unit):
                return place, severity, j
            if unit.role is Role.PLACE:
                here = Location.parse(unit.value)
                both = here if place is None else merge(here, place)
                if both is None:
                    continue
                place = both
                self.taken.add(j)
            elif unit.role is Role.SEVERITY and not severity and not self._grades_change(j):
                severity = unit.value
                self.taken.add(j)
        return place, severity, -1

    def _cuts(self, unit: Unit) -> bool:
        if unit.role is Role.DOUBT_BEFORE:
            return unit.text not in self.vocabulary.hedging_adjectives
        cutting = unit.role in _CLOSERS or unit.role in (Role.VERB, Role.DENY_AFTER, Role.STATE)
        return cutting or unit.text in self.vocabulary.prepositions

    def _grades_change(self, j: int) -> bool:
        return j + 1 < len(self.units) and self.units[j + 1].text in self.vocabulary.changes

    def _complete(self, i: int, own: list[tuple[Location, str]]) -> list[Modifiers]:
        """Add what follows a statement, and the place that opens its sentence."""
        statement = self.statements[i]
        places, severity = self._following(i)
        if len(own) > 1:
            return _merge_sides([Modifiers(str(p), s) for p, s in own])
        (place, own_severity) = own[0]
        severity = own_severity or severity
        if not places and i == 0:
            places = self._opening(statement)
        fitting = [both for p in places if (both := merge(place, p)) is not None]
        return _merge_sides([Modifiers(str(p), severity) for p in fitting or [place]])

    def _following(self, i: int) -> tuple[list[Location], str]:
        """Places and severity after a statement, up to the next one's own."""
        places: list[Location] = []
        severity = ""
        joined = False
        prepositional = False
        for j in range(self.statements[i].last + 1, self._end(i)):
            unit = self.units[j]
            if j in self.taken or unit.role in _CLOSERS:
                break
            if unit.role is Role.PLACE:
                if places and not joined:
                    both = merge(places[-1], Location.parse(unit.value))
                    places[-1] = both or places[-1]
                else:
                    places.append(Location.parse(unit.value))
                joined = False
            elif unit.joins:
                joined = True
            elif joined and unit.text not in ("the", "in", "at", ",") and unit.role is not None:
                break
            elif unit.role is Role.SEVERITY:
                if not severity and not prepositional and not self._grades_change(j):
                    severity = unit.value
            elif unit.text in ("with", "without"):
                break
            elif unit.text in self.vocabulary.prepositions:
                prepositional = unit.text not in ("of", ",", "in")
        return places, severity

    def _end(self, i: int) -> int:
        later = (s.first for s in self.statements[i + 1 :])
        return next((first for first in later if first > self.statements[i].last), len(self.units))

    def _opening(self, statement: Statement) -> list[Location]:
        """A place before a statement though not beside it: "The left lung shows an opacity"."""
        for j in range(statement.first - 1, -1, -1):
            unit = self.units[j]
            if unit.role is Role.PLACE and j not in self.taken:
                return [Location.parse(unit.value)]
            if unit.role in (Role.NORMAL, Role.DENY_AFTER):
                break
        return []

    def _share(self, found: list[list[Modifiers]]) -> None:
        """Give a place that follows a list to all of it: "scars and effusion on the left"."""
        shared = False
        for i in range(len(found) - 2, -1, -1):
            between = self.units[self.statements[i].last + 1 : self.statements[i + 1].first]
            joined = any(u.joins for u in between)
            listed = joined or (shared and any(u.text == "," for u in between))
            plain = all(u.role in (None, Role.SEVERITY) for u in between)
            unplaced = all(not m.location for m in found[i])
            shared = listed and plain and unplaced and (shared or self._placed_after(i + 1))
            if shared:
                severity = found[i][0].severity
                found[i] = [Modifiers(m.location, severity) for m in found[i + 1]]

    def _placed_after(self, i: int) -> bool:
        following = range(self.statements[i].last + 1, self._end(i))
        return any(self.units[j].role is Role.PLACE for j in following)


def _merge_sides(items: list[Modifiers]) -> list[Modifiers]:
    """Left and right of one zone and grade as bilateral; doubles once."""
    unique = list(dict.fromkeys(items))
    if len(unique) == 2:
        a, b = (Location.parse(m.location) for m in unique)
        same = a.zone == b.zone and unique[0].severity == unique[1].severity
        if same and {a.side, b.side} == {"left", "right"}:
            return [Modifiers(str(Location("bilateral", a.zone)), unique[0].severity)]
    return unique
