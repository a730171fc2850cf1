"""From a report's words to what is to be drawn."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise

from syncxr.entities.extraction import Mention, extract
from syncxr.entities.lexicon import load_lexicon
from syncxr.entities.location import Location
from syncxr.images.simulation.scene import View
from syncxr.sample import Category, Entity, Polarity


@dataclass(frozen=True)
class Instructions:
    """What a text asks of a film.

    Attributes:
        entities: Distinct statements of any polarity, in the order of their words.
        counts: How many of a finding the words speak of, where they say so.
        view: ``"PA"``, ``"AP"`` or ``"lateral"`` where the words name one.
        supine: Whether the patient lies on the back, where the words say so.
    """

    entities: tuple[Entity, ...]
    counts: Mapping[Entity, int] = field(default_factory=dict)
    view: View | None = None
    supine: bool | None = None

    @cached_property
    def denied(self) -> frozenset[str]:
        """Concepts that the text says are absent."""
        return denials(self.entities)


NUMBERS = {
    "one": 1,
    "single": 1,
    "solitary": 1,
    "two": 2,
    "couple": 2,
    "three": 3,
    "few": 3,
    "four": 4,
    "several": 4,
    "multiple": 5,
    "five": 5,
    "scattered": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "numerous": 8,
    "nine": 9,
    "ten": 10,
    "many": 8,
    "eleven": 11,
    "twelve": 12,
    "dozen": 12,
    "innumerable": 12,
}
"""Words before a finding to how many are drawn."""

_MOST = 12
"""Figures above it count something else than findings."""

_COUNTED = re.compile(r"[a-z]+|(?<![\w./-])\d{1,2}(?![\w./-])")
"""Words and plain figures: no "5th", "2.5", "T8" or "3/4"."""

_OF_SOMETHING_ELSE = re.compile(r"(?:[cm]m|views?|films?|radiographs?|images?|projections?|days?)$")
"""What a number before it counts is no finding: "a 9 mm nodule", "two views show a nodule"."""

_PLURAL = 3
"""Drawn where only the plural says that there are several."""

_MANY = re.compile(r"(?<!s|i|u)s$")

_WORDS_BEFORE = 5

_FILM = (
    r"(?i:views?|films?|radiographs?|radiography|x-?rays?|projections?|images?|imaging|cxr|chest"
    r"|examination|exam|study|technique|portable|single|frontal|lateral|lat|upright|erect"
    r"|semi-?(?:erect|upright)|supine|bedside)"
)
"""Words beside which an abbreviation names a view."""


def _named(view: str) -> str:
    """A view's abbreviation beside such a word, or alone in its sentence.

    Else it is the pulmonary artery ("PA catheter") or the aortopulmonary window.
    """
    part = r"(?!\s+(?i:catheter|line|window|pressure|enlargement|trunk|segment|diameter))"
    after = rf"\b{view}[\s/&,+-]{{1,3}}(?:and\s+)?{_FILM}\b"
    before = rf"\b{_FILM}[\s:,(-]{{1,3}}{view}\b{part}"
    alone = rf"(?:\A|[.:\n])\s*{view}\s*(?:[.\n]|\Z)"
    return f"{after}|{before}|{alone}"


_AP = re.compile(rf"{_named('AP')}|\b(?i:anteroposterior|portable|bedside)\b")
_IN_BED = re.compile(r"\b(?i:supine|semi-?(?:erect|upright|recumbent))\b")
_PA = re.compile(rf"{_named('PA')}|\b(?i:posteroanterior)\b")
_FRONTAL = re.compile(r"\b(?i:frontal)\b")
_LIES = re.compile(r"\b(?i:supine)\b")
_SITS = re.compile(r"\b(?i:(?:semi-?)?(?:erect|upright)|semi-?recumbent|sitting)\b")
_LATERAL = re.compile(r"\b(?i:lateral (?:view|film|radiograph|projection|chest))\b")


def instructions(text: str) -> Instructions:
    """Statements of a report, numbers and view with them."""
    counts: dict[Entity, int] = {}
    mentions = extract(text)
    for mention in mentions:
        number = _number(text, mention)
        if number:
            counts[mention.entity] = max(number, counts.get(mention.entity, 0))
    entities = tuple(dict.fromkeys(mention.entity for mention in mentions))
    return Instructions(entities, counts, view_of(text), supine_of(text))


def view_of(text: str) -> View | None:
    """The view that a text names: "PA and lateral" is a PA film, "portable" an AP one.

    Of patients in bed films are AP, unless the text names a lateral view alone.
    """
    if _AP.search(text):
        return "AP"
    in_bed, frontal = _IN_BED.search(text), _FRONTAL.search(text)
    if _PA.search(text):
        return "AP" if in_bed else "PA"
    if _LATERAL.search(text) and not frontal:
        return "lateral"
    return "AP" if in_bed else None


def supine_of(text: str) -> bool | None:
    """Whether the patient lies on the back; ``None`` if the words leave it open."""
    if _SITS.search(text):
        return False
    return True if _LIES.search(text) else None


def _number(text: str, mention: Mention) -> int | None:
    """How many the words just before a finding, or its plural, speak of."""
    plural = bool(_MANY.search(text[mention.start : mention.end].lower()))
    before = re.split(r"[.;,:]", text[: mention.start])[-1]
    words = _COUNTED.findall(before.lower())[-_WORDS_BEFORE:]
    for word, next_one in reversed([*pairwise([*words, ""])]):
        number = NUMBERS.get(word, int(word) if word.isdigit() else 0)
        # "A single line shows nodules" speaks of one line; a figure needs the plural beside it, as
        # it may be a rib's or a vertebra's.
        stated = number > 1 if plural else number and not word.isdigit()
        if stated and number <= _MOST and not _OF_SOMETHING_ELSE.match(next_one):
            return number
    # What is always named in the plural ("ecg leads") leaves the number open.
    return _PLURAL if plural and not _MANY.search(mention.entity.concept) else None


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
