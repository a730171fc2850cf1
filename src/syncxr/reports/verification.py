"""Whether a report says what it was asked to say, read by an extractor under an equality rule."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from threading import Lock
from typing import Any

from syncxr.entities.extraction import Extractor, default_extractor, entities_of
from syncxr.entities.lexicon import load_lexicon
from syncxr.entities.location import Location
from syncxr.entities.matching import Comparison, ExactMatcher, Match, Matcher
from syncxr.reports.clip_tokens import LIMIT, count_tokens
from syncxr.sample import Category, Entity, Polarity


class Verifier:
    """Checks reports against what they have to say.

    Safe to call from several threads, which take turns at the extractor.

    Args:
        extractor: Reads the texts; by default the rules.
        matcher: When a stated entity is a planned one; by default when they are equal.
    """

    def __init__(self, extractor: Extractor | None = None, matcher: Matcher | None = None) -> None:
        self._extractor = extractor or default_extractor()
        self._matcher = matcher or ExactMatcher()
        self._lock = Lock()

    def findings(self, text: str, entities: Iterable[Entity]) -> tuple[str, ...]:
        """Reasons why FINDINGS is not just ``entities``; empty = it is."""
        planned = canonical(entities)
        return _reasons("findings", self._compare(text, planned, planned))

    def impression(self, text: str, entities: Iterable[Entity]) -> tuple[str, ...]:
        """Reasons why IMPRESSION is no summary of FINDINGS that say ``entities``; empty = it is.

        It must state a subset of them that has every positive abnormality and disease, and be no
        longer than what CLIP's text encoder reads.
        """
        known = canonical(entities)
        positive = {entity for entity in known if entity.polarity is Polarity.PRESENT}
        reasons = _reasons("impression", self._compare(text, positive, known))
        if not text.strip():
            reasons += ("impression is empty",)
        length = count_tokens(text)
        if length > LIMIT:
            reasons += (f"impression has {length} CLIP tokens, more than {LIMIT}",)
        return reasons

    def matches(self, text: str, entities: Iterable[Entity]) -> tuple[Match, ...]:
        """What matched in a text, and by which rule, where that is more than equality."""
        known = canonical(entities)
        return self._compare(text, (), known).matches

    def record(self, findings: str, impression: str, entities: Iterable[Entity]) -> dict[str, Any]:
        """How an accepted report was verified, for its provenance; empty for the default."""
        if isinstance(self._matcher, ExactMatcher):
            return {}
        known = tuple(entities)
        return {
            "extractor": self._extractor.name,
            "findings": [list(match) for match in self.matches(findings, known)],
            "impression": [list(match) for match in self.matches(impression, known)],
        }

    def _compare(
        self, text: str, required: Iterable[Entity], allowed: Iterable[Entity]
    ) -> Comparison:
        with self._lock:
            (mentions,) = self._extractor.extract([text])
            stated = canonical(entities_of(mentions))
            return self._matcher.compare(frozenset(required), frozenset(allowed), stated)


@cache
def default_verifier() -> Verifier:
    """The rules under equality, built once a process."""
    return Verifier()


def verify_findings(text: str, entities: Iterable[Entity]) -> tuple[str, ...]:
    """Reasons why FINDINGS is not just ``entities``; empty = it is.

    Equal means: the same set of (concept, category, polarity, location, severity).
    """
    return default_verifier().findings(text, entities)


def verify_impression(impression: str, entities: Iterable[Entity]) -> tuple[str, ...]:
    """Reasons why IMPRESSION is no summary of ``entities``; see :meth:`Verifier.impression`."""
    return default_verifier().impression(impression, entities)


def canonical(entities: Iterable[Entity]) -> frozenset[Entity]:
    """``entities`` with the two ways to name a normal place made one.

    "Both lungs are clear" calls the lungs normal, wherever; and a zone of the lung called normal
    ("the left apex is clear") is the lungs' whatever finding it was the place of.
    """
    return frozenset(_canonical(entity) for entity in entities)


def _canonical(entity: Entity) -> Entity:
    if entity.category is not Category.ANATOMY or not entity.location:
        return entity
    location = "" if entity.location == "bilateral" else entity.location
    in_lungs = Location.parse(location).zone in load_lexicon().places
    concept = "lungs" if in_lungs else entity.concept
    return Entity(concept, entity.category, entity.polarity, location)


def _reasons(section: str, comparison: Comparison) -> tuple[str, ...]:
    return tuple(
        [f"{section} lacks: {entity}" for entity in comparison.lacks]
        + [f"{section} adds: {entity}" for entity in comparison.adds]
    )
