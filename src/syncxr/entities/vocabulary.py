"""Everything a report can be read with: phrases of the lexicon and of the language around it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from syncxr.entities.lexicon import Lexicon, load_lexicon
from syncxr.entities.location import Location


class Role(StrEnum):
    """What a phrase does in a sentence."""

    CONCEPT = "concept"
    ANATOMY = "anatomy"
    STATE = "state"
    PLACE = "place"
    SEVERITY = "severity"
    NORMAL = "normal"
    DENY_BEFORE = "deny_before"
    DENY_AFTER = "deny_after"
    DOUBT_BEFORE = "doubt_before"
    DOUBT_AFTER = "doubt_after"
    UNSTATED = "unstated"
    NEUTRAL = "neutral"
    STOP = "stop"
    VERB = "verb"


class Term(NamedTuple):
    """One phrase.

    Attributes:
        surface: Lower-case words.
        role: What it does.
        value: Canonical name of a concept, structure, place or severity; else the surface.
    """

    surface: str
    role: Role
    value: str


@dataclass(frozen=True)
class Vocabulary:
    """All phrases with the tables that tie them together.

    Attributes:
        terms: Every phrase once, longest role conflicts settled by the order of :func:`_terms`.
        states: (structure, state word) to the finding that they make together.
        hedged_states: State words between normal and not ("borderline").
        probable: Hedges that lean to yes ("probable").
        existence: Participles that state existence ("seen", "noted").
        fillers: Words that may stand inside a place.
        prepositions: Words that a modifier does not reach across.
        changes: Words of change; a degree before one grades the change.
        hedging_adjectives: Hedges that stand inside a noun phrase ("possible").
    """

    terms: tuple[Term, ...]
    states: dict[tuple[str, str], str]
    hedged_states: frozenset[str]
    probable: frozenset[str]
    existence: frozenset[str]
    fillers: frozenset[str]
    prepositions: frozenset[str]
    changes: frozenset[str]
    hedging_adjectives: frozenset[str]


@cache
def load_vocabulary() -> Vocabulary:
    """The vocabulary that ships with the package."""
    lexicon = load_lexicon()
    language = yaml.safe_load((Path(__file__).parent / "language.yaml").read_text("utf-8"))
    unique: dict[str, Term] = {}
    for term in _terms(lexicon, language):
        unique.setdefault(term.surface, term)
    return Vocabulary(
        terms=tuple(unique.values()),
        states={
            (anatomy, word): concept.name
            for concept in lexicon.concepts.values()
            for anatomy, words in concept.states.items()
            for word in words
        },
        hedged_states=frozenset(language["hedged_states"]),
        probable=frozenset(language["probable"]),
        existence=frozenset(language["existence"]),
        fillers=frozenset(language["place_fillers"]),
        prepositions=frozenset(language["prepositions"]),
        changes=frozenset(language["changes"]),
        hedging_adjectives=frozenset(language["hedging_adjectives"]),
    )


def plural(phrase: str) -> str:
    """Regular English plural of a noun phrase; the same phrase where it is one already."""
    if phrase.endswith("s") and not phrase.endswith("ss"):
        return phrase
    if phrase.endswith("y") and phrase[-2:-1] not in "aeiou":
        return phrase[:-1] + "ies"
    if phrase.endswith(("x", "ch", "sh", "ss")):
        return phrase + "es"
    return phrase + "s"


def _terms(lexicon: Lexicon, language: dict[str, Any]) -> Iterator[Term]:
    """All phrases; where two have the same words, the first counts."""
    for place, forms in _places(lexicon, language["sides"]):
        yield from _each(forms, Role.PLACE, place)
    for severity, forms in language["severities"].items():
        yield from _each(forms, Role.SEVERITY, severity)
    for concept in lexicon.concepts.values():
        for surface in (concept.name, *concept.synonyms):
            yield from _each((surface, plural(surface)), Role.CONCEPT, concept.name)
    for anatomy in lexicon.anatomies.values():
        yield from _each((anatomy.name, *anatomy.synonyms), Role.ANATOMY, anatomy.name)
    for role in Role:
        yield from (Term(phrase, role, phrase) for phrase in language.get(role.value, ()))
    for concept in lexicon.concepts.values():
        for words in concept.states.values():
            yield from (Term(word, Role.STATE, word) for word in words)
    yield from (Term(verb, Role.VERB, verb) for verb in language["verbs"])


def _each(forms: Iterable[str], role: Role, value: str) -> Iterator[Term]:
    return (Term(form.lower(), role, value) for form in forms)


def _places(lexicon: Lexicon, sides: dict[str, list[str]]) -> Iterator[tuple[str, Iterable[str]]]:
    yield from sides.items()
    yield from lexicon.sided_places.items()
    for zone, forms in lexicon.places.items():
        yield str(Location("", zone)), (zone, *forms)
