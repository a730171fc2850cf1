"""From a report's words to what is to be drawn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from syncxr.entities.extraction import extract
from syncxr.entities.lexicon import load_lexicon
from syncxr.entities.location import Location
from syncxr.sample import Category, Entity, Polarity


def read(text: str) -> list[Entity]:
    """Distinct statements of a report, in the order of their words."""
    return list(dict.fromkeys(mention.entity for mention in extract(text)))


def denials(entities: Iterable[Entity]) -> frozenset[str]:
    """Concepts that statements deny, by name or by calling a structure normal."""
    lexicon = load_lexicon()
    denied = set()
    for entity in entities:
        if entity.polarity is not Polarity.ABSENT:
            continue
        if entity.category is not Category.ANATOMY:
            denied.add(entity.concept)
            continue
        for name, concept in lexicon.concepts.items():
            if lexicon.contradict(entity, concept.entity(Polarity.PRESENT)):
                denied.add(name)
    return frozenset(denied)


def unite(entities: Iterable[Entity]) -> dict[Entity, tuple[Entity, ...]]:
    """Statements that speak of one thing, as one: a report says things twice.

    "Small left effusion" in FINDINGS and "pleural effusion" in IMPRESSION are one effusion; a left
    and a right one are two.

    Args:
        entities: Positive findings.

    Returns:
        What is to be drawn, with all places and severities that were said, to the statements it
        stands for.
    """
    united: dict[Entity, tuple[Entity, ...]] = {}
    # The most telling first, so that a bare mention joins it whatever the order of the words.
    for entity in sorted(entities, key=lambda e: (-len(e.location.split()), e.severity == "")):
        for known, members in united.items():
            joined = _join(known, entity)
            if joined is not None:
                del united[known]
                united[joined] = (*united.get(joined, ()), *members, entity)
                break
        else:
            united[entity] = (entity,)
    return united


def _join(a: Entity, b: Entity) -> Entity | None:
    """Both as one statement, or ``None`` if they cannot be of the same thing."""
    if a.concept != b.concept or (a.severity and b.severity and a.severity != b.severity):
        return None
    here, there = Location.parse(a.location), Location.parse(b.location)
    sides, zones = {here.side, there.side} - {""}, {here.zone, there.zone} - {""}
    if len(zones) > 1 or sides == {"left", "right"}:
        return None
    side = "bilateral" if "bilateral" in sides else "".join(sides)
    location = str(Location(side, "".join(zones)))
    return replace(a, location=location, severity=a.severity or b.severity)
