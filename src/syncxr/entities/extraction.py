"""From the words of a report to the clinical statements in it.

A spaCy tokenizer and phrase matcher find the words of the project's lexicon; rules in the manner
of NegEx (Chapman et al., J Biomed Inform 2001) and ConText (Harkema et al., J Biomed Inform 2009)
decide polarity; places and grades come from the words beside a finding.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from syncxr.entities.lexicon import Concept, Lexicon, load_lexicon
from syncxr.entities.location import Location
from syncxr.entities.modifiers import join_places, modifiers
from syncxr.entities.polarity import assertion
from syncxr.entities.sentences import Reader, Unit
from syncxr.entities.statements import Statement, statements
from syncxr.entities.vocabulary import load_vocabulary
from syncxr.sample import Category, Entity, Polarity

_TABLES = ("implications.yaml", "language.yaml", "lexicon.yaml")


@dataclass(frozen=True, order=True)
class Mention:
    """One statement at its place in a text.

    Attributes:
        entity: What is stated.
        start: First character of the words that name it.
        end: One past the last character.
        probable: Whether the hedge of an uncertain entity leans to yes ("probable").
    """

    entity: Entity
    start: int
    end: int
    probable: bool = False


class Extractor(Protocol):
    """Reads clinical statements out of reports.

    Attributes:
        name: Its name in :data:`syncxr.entities.EXTRACTORS`.
        batch: Texts that it likes to be given at a time; 1 where it makes no difference.
    """

    name: str
    batch: int

    def extract(self, texts: Sequence[str]) -> list[list[Mention]]:
        """Mentions of each text, in the order of their words."""
        ...

    def provenance(self) -> dict[str, Any]:
        """Which extractor this is, JSON values only."""
        ...


class RuleOptions(BaseModel):
    """The rules have no options: vocabulary and lexicon are data of the package."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RuleExtractor:
    """Extractor on the project's own lexicon."""

    Options = RuleOptions
    name = "rules"
    batch = 1

    def __init__(self, options: RuleOptions | None = None) -> None:
        self._lexicon: Lexicon = load_lexicon()
        self._vocabulary = load_vocabulary()
        self._reader = Reader(self._vocabulary)

    def extract(self, texts: Sequence[str]) -> list[list[Mention]]:
        """Mentions of each text, in the order of their words."""
        return [
            [mention for sentence in sentences for mention in self._mentions(sentence)]
            for sentences in self._reader.read(texts)
        ]

    def provenance(self) -> dict[str, Any]:
        """Which extractor this is: the hashes of its tables."""
        folder = Path(__file__).parent
        return {
            "name": self.name,
            "sha256": {
                name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in _TABLES
            },
        }

    def _mentions(self, sentence: list[Unit]) -> Iterator[Mention]:
        units = join_places(sentence, self._vocabulary)
        found = statements(units, self._vocabulary)
        if not found:
            return
        found_modifiers = modifiers(found, units, self._vocabulary)
        for statement, places in zip(found, found_modifiers, strict=True):
            start, end = units[statement.first].start, units[statement.last].end
            if statement.normal:
                entities = [_normal(statement, place.location, units) for place in places]
                yield from (Mention(entity, start, end) for entity in entities)
                continue
            stated = assertion(statement, units, self._vocabulary)
            if stated is None:
                continue
            concept = self._lexicon.concepts[statement.name]
            for place in places:
                location = _location(place.location, concept)
                entity = concept.entity(stated.polarity, location, place.severity)
                yield Mention(entity, start, end, stated.probable)


def _location(location: str, concept: Concept) -> str:
    """Where a finding is, as far as it takes a place."""
    if concept.sites == "none":
        return ""
    if concept.sites == "direction":
        # "To the left or right" names neither, and an upper lobe beside it is no way to go.
        side = Location.parse(location).side
        return "" if side == "bilateral" else side
    # "Prominent left hilum": the zone is the structure itself, only the side places it.
    return Location.parse(location).side if concept.organ == "hila" else location


def _normal(statement: Statement, location: str, units: list[Unit]) -> Entity:
    """A structure called normal; "both lungs" are the lungs."""
    subject = units[statement.subject].value
    if statement.name == "lungs" and Location.parse(subject).zone in load_lexicon().places:
        location = subject
    location = "" if location == "bilateral" else location
    return Entity(statement.name, Category.ANATOMY, Polarity.ABSENT, location)


def entities_of(mentions: Iterable[Mention]) -> frozenset[Entity]:
    """What a text states, each thing once; two texts say the same when these are equal."""
    return frozenset(mention.entity for mention in mentions)


@cache
def default_extractor() -> RuleExtractor:
    """The extractor that :func:`extract` uses, built once a process."""
    return RuleExtractor()


def extract(text: str) -> list[Mention]:
    """Clinical statements of one report, e.g. for ``"Small left pleural effusion."``."""
    return default_extractor().extract([text])[0]
