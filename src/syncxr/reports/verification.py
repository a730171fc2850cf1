"""Whether a report says what it was asked to say, read by the extractor."""

from __future__ import annotations

from collections.abc import Iterable

from syncxr.entities.extraction import entities_of, extract
from syncxr.entities.lexicon import load_lexicon
from syncxr.entities.location import Location
from syncxr.reports.clip_tokens import LIMIT, count_tokens
from syncxr.sample import Category, Entity, Polarity


def verify_findings(text: str, entities: Iterable[Entity]) -> tuple[str, ...]:
    """Reasons why FINDINGS is not just ``entities``; empty = it is.

    Equal means: the same set of (concept, category, polarity, location, severity).
    """
    planned, stated = canonical(entities), canonical(entities_of(extract(text)))
    return _differences("findings", lacks=planned - stated, adds=stated - planned)


def verify_impression(impression: str, entities: Iterable[Entity]) -> tuple[str, ...]:
    """Reasons why IMPRESSION is no summary of FINDINGS that say ``entities``; empty = it is.

    It must state a subset of them that has every positive abnormality and disease, and be no
    longer than what CLIP's text encoder reads.
    """
    known, stated = canonical(entities), canonical(entities_of(extract(impression)))
    positive = {entity for entity in known if entity.polarity is Polarity.PRESENT}
    reasons = _differences("impression", lacks=positive - stated, adds=stated - known)
    if not impression.strip():
        reasons += ("impression is empty",)
    length = count_tokens(impression)
    if length > LIMIT:
        reasons += (f"impression has {length} CLIP tokens, more than {LIMIT}",)
    return reasons


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


def _differences(
    section: str, *, lacks: Iterable[Entity], adds: Iterable[Entity]
) -> tuple[str, ...]:
    return tuple(
        [f"{section} lacks: {entity}" for entity in sorted(lacks)]
        + [f"{section} adds: {entity}" for entity in sorted(adds)]
    )
