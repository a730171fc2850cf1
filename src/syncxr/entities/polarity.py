"""Whether a statement is affirmed, denied, hedged, or made at all."""

from __future__ import annotations

from collections.abc import Sequence

from syncxr.entities.sentences import Unit
from syncxr.entities.statements import Statement
from syncxr.entities.vocabulary import Role, Vocabulary
from syncxr.sample import Polarity

_RESTARTS = ("mild", "moderate")


def polarity(
    statement: Statement, units: Sequence[Unit], vocabulary: Vocabulary
) -> Polarity | None:
    """Polarity of a finding; ``None`` where it belongs to the patient's history.

    A denial prevails over a hedge: "no opacity suspicious for pneumonia" denies both.
    """
    inside = _inside(statement, units)
    if inside is not None:
        return inside
    before = _before(statement, units, vocabulary)
    if before is Polarity.ABSENT or before is None:
        return before
    after = _after(statement, units)
    if Polarity.ABSENT in (before, after):
        return Polarity.ABSENT
    hedged = statement.hedged or Polarity.UNCERTAIN in (before, after)
    return Polarity.UNCERTAIN if hedged else Polarity.PRESENT


def _inside(statement: Statement, units: Sequence[Unit]) -> Polarity | None:
    """Denial between a structure and its predicate: "the heart is not enlarged"."""
    roles = [unit.role for unit in units[statement.first : statement.last]]
    return Polarity.ABSENT if Role.DENY_BEFORE in roles else None


def _before(statement: Statement, units: Sequence[Unit], vocabulary: Vocabulary) -> Polarity | None:
    """What the words before a statement make of it."""
    own_clause = _has_own_verb(statement, units, vocabulary)
    doubt = False
    for j in range(statement.first - 1, -1, -1):
        unit = units[j]
        role = unit.role
        if role is Role.DENY_BEFORE:
            return Polarity.ABSENT
        if role is Role.HISTORY:
            return None
        if role is Role.DOUBT_BEFORE:
            doubt = True
        elif role in (Role.STOP, Role.NEUTRAL, Role.VERB, Role.DENY_AFTER, Role.DOUBT_AFTER):
            break
        elif unit.joins or unit.text == ",":
            if own_clause or (doubt and unit.text == ","):
                break
            if unit.text == "," and _restarts(units, j + 1):
                break
    return Polarity.UNCERTAIN if doubt else Polarity.PRESENT


def _after(statement: Statement, units: Sequence[Unit]) -> Polarity:
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
            return Polarity.ABSENT if role is Role.DENY_AFTER else Polarity.UNCERTAIN
        if role is Role.VERB:
            if following not in (Role.DENY_AFTER, Role.DOUBT_AFTER):
                break
        elif role in (Role.STOP, Role.DENY_BEFORE, Role.DOUBT_BEFORE, Role.HISTORY, Role.NORMAL):
            break
        listed |= unit.joins
        comma |= unit.text == ","
    return Polarity.PRESENT


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
    """Whether a positive item opens after a comma: "no pneumothorax, small effusion"."""
    if j >= len(units) or units[j].role is not Role.SEVERITY or units[j].value not in _RESTARTS:
        return False
    return not any(unit.text in ("or", "nor") for unit in units[j:])
