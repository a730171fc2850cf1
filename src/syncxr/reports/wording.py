"""One statement in words: every sentence that says an entity, as a grammar.

The phrases are in ``phrases.yaml``; this module fits them together.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

from syncxr.entities.lexicon import Concept, Lexicon, load_lexicon
from syncxr.entities.location import Location
from syncxr.reports.grammar import (
    EMPTY,
    Choice,
    Phrase,
    Text,
    capitalised,
    chain,
    choice,
    parse,
    with_article,
)
from syncxr.sample import Category, Entity, Polarity

PHRASES_FILE = Path(__file__).parent / "phrases.yaml"

_Number = Literal["count", "mass", "plural"]

# What a sentence says apart from the finding, by the names through which it says it.
_SAYS_SEVERITY = re.compile(r"<(np|bare|a_doubted|doubted|sev|adv)>")
_SAYS_PLACE = re.compile(r"<(np|bare|a_doubted|doubted|loc|side)>")


class Noun(BaseModel):
    """How one finding is called; see the comments of ``phrases.yaml``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    count: str = ""
    mass: str = ""
    plural: str = ""
    kinds: str = ""
    denied_kinds: str = ""
    tails: str = ""
    scale: Literal["", "volume"] = ""
    device: bool = False
    present: tuple[str, ...] = ()
    only: bool = False
    absent: tuple[str, ...] = ()


class Place(BaseModel):
    """How one zone is named: before a noun, after it and alone, on one side and on both."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    before: tuple[str, ...]
    after: tuple[str, ...]
    alone: tuple[str, ...]
    both_before: tuple[str, ...]
    both_after: tuple[str, ...]
    both_alone: tuple[str, ...]


class Phrases(BaseModel):
    """All of ``phrases.yaml``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    severity: dict[str, dict[str, str]]
    doubt: str
    places: dict[str, Place]
    frames: dict[str, dict[str, tuple[str, ...]]]
    openings: tuple[str, ...]
    denials: tuple[str, ...]
    normal_impressions: tuple[str, ...]
    normals: dict[str, tuple[str, ...]]
    normal_at: dict[str, tuple[str, ...]]
    concepts: dict[str, Noun]


class Wording:
    """Entities into phrases.

    Args:
        phrases: The words.
        lexicon: What the concepts are.
    """

    def __init__(self, phrases: Phrases, lexicon: Lexicon) -> None:
        self._phrases = phrases
        self._lexicon = lexicon

    def sentence(self, entity: Entity, *, opening: bool = False) -> Phrase:
        """Every sentence of FINDINGS that says ``entity`` and nothing else.

        Args:
            entity: What it says.
            opening: Whether a finding may be led in with "The film shows ...".
        """
        if entity.category is Category.ANATOMY:
            return _sentence(self._normal(entity))
        noun = self._noun(entity)
        lines = self._phrases.frames["device" if noun.device else "finding"][entity.polarity.value]
        if entity.polarity is Polarity.PRESENT:
            framed = lines + (self._phrases.openings if opening else ())
            lines = noun.present if noun.only else framed + noun.present
        elif entity.polarity is Polarity.ABSENT:
            lines = noun.absent or lines
        return _sentence(self._said(entity, lines, described=True))

    def denial(self, entities: Sequence[Entity]) -> Phrase:
        """Every sentence that denies all of ``entities`` together (see :meth:`joins`)."""
        if len(entities) == 1:
            return self.sentence(entities[0])
        nouns = [self._denied(entity) for entity in entities]
        middle = [part for noun in nouns[1:-1] for part in (Text(","), noun)]
        last = chain(choice(Text("or"), Text(", or")) if middle else Text("or"), nouns[-1])
        names = {"list": chain(nouns[0], *middle, last)}
        return _sentence(choice(*(parse(line, names) for line in self._phrases.denials)))

    def summary(self, entity: Entity) -> Phrase:
        """Every sentence of IMPRESSION that says a finding, shorter than in FINDINGS."""
        noun = self._noun(entity)
        short = "<doubted>" if entity.polarity is Polarity.UNCERTAIN else "<bare>"
        own = noun.present if entity.polarity is Polarity.PRESENT else ()
        return _sentence(self._said(entity, (short, *own), described=False))

    def normal_impression(self) -> Phrase:
        """Every sentence of IMPRESSION that says that nothing is abnormal."""
        return _sentence(choice(*(parse(line) for line in self._phrases.normal_impressions)))

    def joins(self, entity: Entity) -> bool:
        """Whether ``entity`` is denied so plainly that its denial can share a sentence."""
        if entity.category is Category.ANATOMY or entity.polarity is not Polarity.ABSENT:
            return False
        return not (entity.location or entity.severity or self._noun(entity).absent)

    def is_device(self, entity: Entity) -> bool:
        """Whether ``entity`` is a device or a trace of treatment."""
        return entity.category is not Category.ANATOMY and self._noun(entity).device

    def _noun(self, entity: Entity) -> Noun:
        # A concept that a user added to the lexicon is called by its name, without article.
        return self._phrases.concepts.get(entity.concept) or Noun(mass=entity.concept)

    def _said(self, entity: Entity, lines: Sequence[str], *, described: bool) -> Phrase:
        options = [
            parse(line, self._names(entity, number, described=described))
            for number in self._numbers(entity)
            for line in lines
            if self._complete(entity, line)
        ]
        return choice(*options)

    def _complete(self, entity: Entity, line: str) -> bool:
        """Whether a sentence says the severity and the place of ``entity``, and no other."""
        location = Location.parse(entity.location)
        if "<side>" in line and (location.zone or location.side not in ("left", "right")):
            return False
        return (not entity.severity or bool(_SAYS_SEVERITY.search(line))) and (
            not entity.location or bool(_SAYS_PLACE.search(line))
        )

    def _numbers(self, entity: Entity) -> list[_Number]:
        """Which grammatical numbers of the noun fit: one on one side, several on both."""
        noun = self._noun(entity)
        bilateral = Location.parse(entity.location).side == "bilateral"
        preferred: tuple[_Number, ...] = ("count", "mass", "plural")
        if entity.polarity is not Polarity.ABSENT:
            preferred = ("plural", "mass") if bilateral else ("count", "mass")
            if entity.severity and noun.count and self._scale(entity) != "grade":
                # Nobody writes "small pleural fluid".
                preferred = ("plural", "count") if bilateral else ("count",)
                preferred = preferred[:1] if getattr(noun, preferred[0]) else preferred
        fitting = [number for number in preferred if getattr(noun, number)]
        others: tuple[_Number, ...] = ("mass", "count", "plural")
        return fitting or [number for number in others if getattr(noun, number)][:1]

    def _names(self, entity: Entity, number: _Number, *, described: bool) -> Mapping[str, Phrase]:
        """What the names in a sentence stand for."""
        noun = self._noun(entity)
        bare = self._bare(entity, number, described=described)
        article = number == "count" and Location.parse(entity.location).side != "bilateral"
        doubted = chain(parse(self._phrases.doubt), bare)
        severity = self._severity(entity, described=described)
        before, _, _ = self._place(entity)
        side = Location.parse(entity.location).side
        return {
            "np": with_article(bare) if article else bare,
            "bare": bare,
            "doubted": doubted,
            "a_doubted": with_article(doubted) if article else doubted,
            "is": Text("are" if number == "plural" else "is"),
            "sev": severity,
            "adv": self._graded(entity, "adverb", described=described),
            "loc": before,
            "side": Text(side) if side else EMPTY,
            "tail": parse(noun.tails) if described else EMPTY,
        }

    def _bare(self, entity: Entity, number: _Number, *, described: bool) -> Phrase:
        noun = self._noun(entity)
        name = parse(str(getattr(noun, number)))
        denied = entity.polarity is Polarity.ABSENT
        kinds = noun.denied_kinds if denied else noun.kinds if described else ""
        head = chain(
            self._severity(entity, described=described), parse(f"[{kinds}]") if kinds else EMPTY
        )
        if not entity.location:
            return chain(head, name)
        before, after, _ = self._place(entity)
        return choice(chain(head, before, name), chain(head, name, after))

    def _denied(self, entity: Entity) -> Phrase:
        return choice(
            *(self._bare(entity, number, described=False) for number in self._numbers(entity))
        )

    def _scale(self, entity: Entity) -> str:
        concept: Concept = self._lexicon.concepts[entity.concept]
        own = self._noun(entity).scale
        return own or ("size" if concept.scale == "size" else "grade")

    def _severity(self, entity: Entity, *, described: bool) -> Phrase:
        scale = self._scale(entity) if entity.severity else ""
        return self._graded(entity, scale, described=described)

    def _graded(self, entity: Entity, scale: str, *, described: bool) -> Phrase:
        if not entity.severity:
            return EMPTY
        phrase = parse(self._phrases.severity[scale][entity.severity])
        # A summary keeps to the plain word: "very small" would overstate FINDINGS' "small".
        return phrase if described or not isinstance(phrase, Choice) else phrase.options[0]

    def _place(self, entity: Entity) -> tuple[Phrase, Phrase, Phrase]:
        """The place of ``entity`` before its noun, after it, and standing alone."""
        if not entity.location:
            return EMPTY, EMPTY, EMPTY
        side, zone = Location.parse(entity.location)
        concept = self._lexicon.concepts.get(entity.concept)
        in_lungs = concept.sites == "lung" if concept else entity.concept == "lungs"
        place = self._phrases.places.get("lung" if in_lungs and not zone else zone)
        if place is None:
            place = Place(
                before=(f"<side> {zone}",),
                after=(f"in the <side> {zone}",),
                alone=(f"the <side> {zone}",),
                both_before=(f"bilateral {zone}",),
                both_after=(f"in the {zone} on both sides",),
                both_alone=(f"the {zone} on both sides",),
            )
        if side == "bilateral":
            forms = place.both_before, place.both_after, place.both_alone
        else:
            forms = place.before, place.after, place.alone
        names = {"side": Text(side) if side else EMPTY}
        before, after, alone = (choice(*(parse(f, names) for f in form)) for form in forms)
        return before, after, alone

    def _normal(self, entity: Entity) -> Phrase:
        """A structure, or one place of it, called normal."""
        if not entity.location:
            name = entity.concept
            lines = self._phrases.normals.get(name) or (f"(normal|unremarkable) {name}",)
            return choice(*(parse(line) for line in lines))
        side = Location.parse(entity.location).side
        _, _, alone = self._place(entity)
        names = {
            "place": alone,
            "is": Text("are" if side == "bilateral" else "is"),
            "side": Text(side) if side else EMPTY,
            "structure": Text(entity.concept),
        }
        lines = self._phrases.normal_at.get(entity.concept) or self._phrases.normal_at["other"]
        return choice(*(parse(line, names) for line in lines))


def _sentence(phrase: Phrase) -> Phrase:
    return chain(capitalised(phrase), Text("."))


@cache
def load_wording() -> Wording:
    """The wording that ships with the package."""
    raw = yaml.safe_load(PHRASES_FILE.read_text("utf-8"))
    return Wording(Phrases(**raw), load_lexicon())
