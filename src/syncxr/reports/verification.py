"""Whether a report says what it was asked to say, read by an extractor under an equality rule."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from threading import Lock
from typing import Any

from syncxr.entities import EXTRACTORS
from syncxr.entities.extraction import Extractor, default_extractor, entities_of
from syncxr.entities.lexicon import load_lexicon
from syncxr.entities.location import Location
from syncxr.entities.matching import (
    Comparison,
    ExactMatcher,
    Matcher,
    MatchingOptions,
    build_matcher,
)
from syncxr.registry import BackendSpec, build
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

    @classmethod
    def build(cls, extractor: BackendSpec, matching: MatchingOptions) -> Verifier:
        """As a configuration says.

        Raises:
            SyncxrError: Unknown name, bad options, or a model that cannot be loaded.
        """
        if extractor.name == "rules" and not extractor.options:
            return cls(default_extractor(), build_matcher(matching))
        return cls(build("extractor", EXTRACTORS, extractor), build_matcher(matching))

    @property
    def keeps_record(self) -> bool:
        """Whether there is more to tell of a match than that two entities are equal."""
        return not isinstance(self._matcher, ExactMatcher)

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

    def record(self, findings: str, impression: str, entities: Iterable[Entity]) -> dict[str, Any]:
        """By which rule each thing that a report states was asked for, for its provenance."""
        known = canonical(entities)
        sections = {"findings": findings, "impression": impression}
        return {
            "extractor": self._extractor.name,
            **{
                name: [match._asdict() for match in self._compare(text, (), known).matches]
                for name, text in sections.items()
            },
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
