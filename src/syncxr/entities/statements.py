"""What a sentence speaks of: findings, and structures with what is said of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from syncxr.entities.location import Location
from syncxr.entities.sentences import Unit
from syncxr.entities.vocabulary import Role, Vocabulary

_TRANSPARENT = frozenset(
    (Role.VERB, Role.SEVERITY, Role.PLACE, Role.DENY_BEFORE, Role.DOUBT_BEFORE, Role.NEUTRAL)
)
"""What may stand between a structure and its predicate, beside ordinary words."""

_BETWEEN_BLOCKERS = frozenset((",", "with", "without", "in", "over", "from", "for", "by"))


_BOTH_SAID = frozenset(("to", "but", "yet"))
"""Words after which a second predicate has the subject of the first ("normal to enlarged")."""


@dataclass(frozen=True, slots=True)
class Statement:
    """Units ``first`` … ``last`` of a sentence that make one statement.

    Attributes:
        name: Concept; for a normal statement the structure.
        normal: Whether a structure is called normal.
        first: First unit.
        last: Last unit.
        subject: The structure's unit where one is named, else ``first``.
        hedged: Whether the words themselves hedge ("borderline").
    """

    name: str
    normal: bool
    first: int
    last: int
    subject: int
    hedged: bool = False


def statements(units: Sequence[Unit], vocabulary: Vocabulary) -> list[Statement]:
    """All statements of a sentence, in order."""
    return _Sentence(units, vocabulary).statements()


class _Sentence:
    def __init__(self, units: Sequence[Unit], vocabulary: Vocabulary) -> None:
        self.units = units
        self.states = vocabulary.states
        self.state_words = {word for _, word in vocabulary.states}
        self.hedged = vocabulary.hedged_states

    def statements(self) -> list[Statement]:
        found: list[Statement] = []
        predicates: dict[int, list[int]] = {}
        for i, unit in enumerate(self.units):
            if unit.role is not Role.NORMAL and unit.text not in self.state_words:
                continue
            subjects = self._subjects_before(i, predicates)
            if subjects:
                predicates[i] = subjects
            else:
                subjects = self._subjects_after(i)
            found += [s for j in subjects if (s := self._join(j, i))]
        taken = {k for s in found if not s.normal for k in range(s.first, s.last + 1)}
        found += [
            Statement(unit.value, False, i, i, i)
            for i, unit in enumerate(self.units)
            if unit.role is Role.CONCEPT and i not in taken
        ]
        return sorted(found, key=lambda s: (s.first, s.last))

    def _join(self, subject: int, predicate: int) -> Statement | None:
        """The statement that a structure and its predicate make, if any."""
        structure, said = self.units[subject], self.units[predicate]
        names = [structure.value] if structure.role is Role.ANATOMY else ["lungs"]
        if structure.role is Role.PLACE and Location.parse(structure.value).zone == "hilum":
            names.append("hila")
        first, last = sorted((subject, predicate))
        for name in names:
            if (concept := self.states.get((name, said.text))) is not None:
                hedged = said.text in self.hedged
                return Statement(concept, False, first, last, subject, hedged)
        if said.role is not Role.NORMAL or self._unsaid(first, last):
            return None
        return Statement(names[0], True, subject, subject, subject)

    def _unsaid(self, first: int, last: int) -> bool:
        """Whether what stands before or within takes "normal" back ("not normal")."""
        return any(
            unit.role in (Role.DENY_BEFORE, Role.NEUTRAL, Role.DOUBT_BEFORE)
            for unit in self.units[max(0, first - 1) : last]
        )

    def _subjects_before(self, i: int, predicates: dict[int, list[int]]) -> list[int]:
        """Structures of which unit ``i`` is the predicate: "heart and lungs are normal"."""
        j = i - 1
        while j >= 1 and self.units[j].role is Role.SEVERITY:
            j -= 1
        if j - 1 in predicates and (self.units[j].joins or self.units[j].text in _BOTH_SAID):
            return predicates[j - 1]
        while j >= 0 and not self._is_subject(j):
            unit = self.units[j]
            transparent = unit.role is None or unit.role in _TRANSPARENT
            if not transparent or unit.joins or unit.text in _BETWEEN_BLOCKERS:
                return []
            j -= 1
        if j < 0:
            return []
        return [j, *self._listed(j, -1)]

    def _subjects_after(self, i: int) -> list[int]:
        """Structures that unit ``i`` stands before: "normal heart size"."""
        j = i + 1
        while j < len(self.units) and not self._is_subject(j):
            unit = self.units[j]
            transparent = unit.role in (None, Role.SEVERITY, Role.PLACE)
            if not transparent or unit.joins or unit.text in _BETWEEN_BLOCKERS:
                return []
            j += 1
        if j == len(self.units):
            return []
        return [j, *self._listed(j, +1)]

    def _listed(self, j: int, step: int) -> list[int]:
        """Further structures of the list that the one at ``j`` closes or opens."""
        listed: list[int] = []
        joined = False
        linked = False
        k = j + step
        while 0 <= k < len(self.units):
            unit = self.units[k]
            if unit.joins or unit.text == ",":
                linked = True
                joined |= unit.joins
            elif self._is_subject(k):
                if not linked:
                    break
                listed.append(k)
                linked = False
            elif unit.text not in ("the", "both") and unit.role is not Role.PLACE:
                # After "normal heart size and lungs" a verb claims the lungs for itself.
                if step > 0 and listed and unit.role in (Role.VERB, Role.NORMAL, Role.STATE):
                    listed.pop()
                break
            k += step
        return listed if joined else []

    def _is_subject(self, j: int) -> bool:
        """A structure, or a zone that stands for the lung there ("the left base is clear")."""
        unit = self.units[j]
        if unit.role is Role.ANATOMY:
            return True
        if unit.role is not Role.PLACE or unit.value in ("left", "right", "bilateral"):
            return False
        following = self.units[j + 1] if j + 1 < len(self.units) else None
        return following is None or following.role is not Role.ANATOMY
