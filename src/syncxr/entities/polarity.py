"""Whether a statement is affirmed, denied, hedged, or made at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from syncxr.entities.sentences import Unit
from syncxr.entities.statements import Statement
from syncxr.entities.vocabulary import Role, Vocabulary
from syncxr.sample import Polarity

_RESTARTS = ("mild", "moderate")
_EITHER_SIDE = ("difficult to exclude", "hard to exclude", "difficult to completely exclude")
_TRAILING = (
    *_EITHER_SIDE,
    "suspected",
    "possible",
    "likely",
    "questionable",
    "questioned",
    "probable",
)
_CLAUSE_ENDS = (
    Role.STOP,
    Role.NEUTRAL,
    Role.VERB,
    Role.DENY_AFTER,
    Role.DOUBT_AFTER,
)


class Assertion(NamedTuple):
    """How a statement is made.

    Attributes:
        polarity: Affirmed, denied or hedged.
        probable: Whether a hedge leans to yes ("probable"); ``False`` without one.
    """

    polarity: Polarity
    probable: bool = False


_PRESENT = Assertion(Polarity.PRESENT)
_ABSENT = Assertion(Polarity.ABSENT)


def assertion(
    statement: Statement, units: Sequence[Unit], vocabulary: Vocabulary
) -> Assertion | None:
    """How a finding is stated; ``None`` where it is not: history, or to be looked for.

    A denial prevails over a hedge: "no opacity suspicious for pneumonia" denies both. Of two
    hedges the weaker counts.
    """
    if _denied_inside(statement, units):
        return _ABSENT
    before = _before(statement, units, vocabulary)
    if before is None or before.polarity is Polarity.ABSENT:
        return before
    after = _after(statement, units, vocabulary)
    if after.polarity is Polarity.ABSENT:
        return after
    hedges = [a for a in (before, after) if a.polarity is Polarity.UNCERTAIN]
    if statement.hedged:
        hedges.append(Assertion(Polarity.UNCERTAIN, probable=True))
    return min(hedges, key=lambda a: a.probable) if hedges else _PRESENT


def _denied_inside(statement: Statement, units: Sequence[Unit]) -> bool:
    """Denial between a structure and its predicate: "the heart is not enlarged"."""
    inside = units[statement.first : statement.last]
    return any(unit.role is Role.DENY_BEFORE for unit in inside)


def _hedge(unit: Unit, vocabulary: Vocabulary) -> Assertion:
    return Assertion(Polarity.UNCERTAIN, unit.text in vocabulary.probable)


def _before(
    statement: Statement, units: Sequence[Unit], vocabulary: Vocabulary
) -> Assertion | None:
    """What the words before a statement make of it."""
    if statement.first and units[statement.first - 1].text == "clear":
        # "Lungs are clear airspace disease" lost its "of"; nothing else can be meant.
        return _ABSENT
    own_clause = _has_own_verb(statement, units, vocabulary)
    said = _PRESENT
    for j in range(statement.first - 1, -1, -1):
        unit = units[j]
        if unit.role is Role.DENY_BEFORE:
            return _ABSENT
        if unit.role is Role.UNSTATED:
            return None
        if unit.role is Role.DOUBT_BEFORE:
            hedge = _hedge(unit, vocabulary)
            said = hedge if said is _PRESENT or not hedge.probable else said
        elif unit.role is Role.VERB and j and units[j - 1].role is Role.DENY_BEFORE:
            return _ABSENT
        elif unit.role in _CLAUSE_ENDS:
            break
        elif unit.joins or unit.text == ",":
            if own_clause or (said is not _PRESENT and unit.text == ","):
                break
            if unit.text == "," and _restarts(units, j + 1):
                break
        elif unit.text == "with" and _restarts(units, j + 1):
            break
    return said


def _after(statement: Statement, units: Sequence[Unit], vocabulary: Vocabulary) -> Assertion:
    """What the words after a statement make of it."""
    listed = False
    comma = False
    for j in range(statement.last + 1, len(units)):
        unit = units[j]
        role = unit.role
        following = units[j + 1].role if j + 1 < len(units) else None
        if role in (Role.DENY_AFTER, Role.DOUBT_AFTER):
            if comma and not listed:
                break
            return _ABSENT if role is Role.DENY_AFTER else _hedge(unit, vocabulary)
        if unit.text in _TRAILING and (j + 1 == len(units) or units[j + 1].text == ","):
            return _hedge(unit, vocabulary)
        if role is Role.VERB:
            if following not in (Role.DENY_AFTER, Role.DOUBT_AFTER):
                break
        elif role in (Role.STOP, Role.DENY_BEFORE, Role.DOUBT_BEFORE, Role.UNSTATED, Role.NORMAL):
            break
        listed |= unit.joins
        comma |= unit.text == ","
    return _PRESENT


def _has_own_verb(statement: Statement, units: Sequence[Unit], vocabulary: Vocabulary) -> bool:
    """Whether a verb of its own follows, so that a list before it is another clause.

    "No effusion, and the nodule is stable" against "No effusion or nodule is seen".
    """
    if any(unit.role is Role.VERB for unit in units[statement.first : statement.last]):
        return True
    for j in range(statement.last + 1, len(units)):
        unit = units[j]
        if unit.joins or unit.text == "," or unit.role in (Role.CONCEPT, Role.STOP):
            return False
        if unit.role is Role.VERB:
            rest = [u.text for u in units[j : j + 4]]
            return not any(word in vocabulary.existence for word in rest)
    return False


def _restarts(units: Sequence[Unit], j: int) -> bool:
    """Whether a positive item opens at ``j``: "no pneumothorax, small effusion"."""
    ahead = [unit for unit in units[j : j + 2] if unit.role is Role.SEVERITY]
    if not any(unit.value in _RESTARTS for unit in ahead):
        return False
    return not any(unit.text in ("or", "nor") for unit in units[j:])
