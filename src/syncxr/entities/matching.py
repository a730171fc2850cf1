"""When two entities are the same: the equality rule behind "exactly these entities".

``exact`` compares whole entities (concept, category, polarity, place, severity). It is right where
both sides come from the rule extractor, which writes each statement one way.

An open vocabulary has many ways. The other rules compare *terms*: an entity is a term of its words
and category and, where it has a place, a second term of that place and ANATOMY, as the bank counts
them. A term is matched by the first of these that finds it a partner of the same category:

1. ``surface``: the same words, in lower case, hyphens, punctuation and articles apart;
2. ``synonyms``: the lexicon, which knows each of the words, reads the same out of both: "effusions"
   is "pleural effusion", "left effusion" is that finding with the place "left";
3. ``embedding``: a sentence encoder gives them a cosine of at least the threshold, they name the
   same places and degrees, and the lexicon does not know both: to an encoder left and right, or
   bronchiectasis and bronchitis, are near neighbours.

Each rule includes the ones before it. Several terms may match one: what counts is that every term
that is asked for is there, and every term that is there was asked for.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict, Field

from syncxr.assets import fetch
from syncxr.entities.bank import rows_of, surface
from syncxr.entities.lexicon import load_lexicon
from syncxr.entities.location import Location
from syncxr.entities.modifiers import merge
from syncxr.entities.vocabulary import Role, Term, load_vocabulary
from syncxr.models import ModelOptions
from syncxr.sample import Category, Entity, Polarity

if TYPE_CHECKING:
    from syncxr.entities.embedding import SentenceEncoder

Rule = Literal["exact", "surface", "synonyms", "embedding"]

_ENCODER = "minilm-l6-v2"

_FILLERS = frozenset(("the", "a", "an", "of", "in", "at", "on", "within"))


class MatchingOptions(BaseModel):
    """How a report's entities are compared with its plan.

    .. code-block:: yaml

        matching:
          rule: embedding
          encoder: {model: FremyCompany/BioLORD-2023-C, revision: COMMIT}
          threshold: 0.85

    Attributes:
        rule: ``exact`` for the rule extractor; one of the others for a network's open vocabulary.
        encoder: Sentence encoder of the rule ``embedding``; by default the MiniLM of the assets.
        pooling: How its tokens become one vector; MedCPT needs ``cls``.
        threshold: Least cosine that counts as the same, in [-1, 1]; its own for each encoder
            (docs/entities.md has figures for the default).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: Rule = "exact"
    encoder: ModelOptions | None = None
    pooling: Literal["auto", "mean", "cls"] = "auto"
    threshold: float = Field(default=0.85, ge=-1, le=1)


class Match(NamedTuple):
    """One term of a text that was asked for, for the record.

    Attributes:
        planned: The term that was asked for; several if it takes several to cover what was found.
        found: The term in the text.
        rule: What made them the same.
        similarity: Their cosine where an encoder was asked, else 1.
    """

    planned: str
    found: str
    rule: str
    similarity: float


@dataclass(frozen=True)
class Comparison:
    """What came of comparing a text with its plan.

    Attributes:
        lacks: Asked for and not there.
        adds: There and not asked for.
        matches: By which rule what is there was asked for; nothing where only equality counts.
    """

    lacks: tuple[Entity, ...]
    adds: tuple[Entity, ...]
    matches: tuple[Match, ...] = ()


class Matcher(Protocol):
    """An equality rule at work."""

    def compare(
        self, required: Collection[Entity], allowed: Collection[Entity], stated: Collection[Entity]
    ) -> Comparison:
        """Compare.

        Args:
            required: What the text must state.
            allowed: What it may state; includes what is required.
            stated: What was found in it.
        """
        ...


def build_matcher(options: MatchingOptions) -> Matcher:
    """The matcher that options describe; an encoder is loaded at once.

    Raises:
        SyncxrError: The encoder is not there.
    """
    if options.rule == "exact":
        return ExactMatcher()
    encoder = None
    if options.rule == "embedding":
        from syncxr.entities.embedding import SentenceEncoder

        chosen = options.encoder or ModelOptions(model=str(fetch(_ENCODER)))
        encoder = SentenceEncoder(chosen, options.pooling)
    return TermMatcher(encoder, options.threshold, synonyms=options.rule != "surface")


class ExactMatcher:
    """Whole entities, as they are."""

    def compare(
        self, required: Collection[Entity], allowed: Collection[Entity], stated: Collection[Entity]
    ) -> Comparison:
        """Differences of the sets, sorted."""
        stated = frozenset(stated)
        return Comparison(
            lacks=tuple(sorted(frozenset(required) - stated)),
            adds=tuple(sorted(stated - frozenset(allowed))),
        )


class TermMatcher:
    """Words and categories, by the rules of the module's docstring.

    Args:
        encoder: Sentence encoder, or ``None`` to do without.
        threshold: Least cosine that counts as the same.
        synonyms: Whether the lexicon is asked.
    """

    def __init__(
        self, encoder: SentenceEncoder | None, threshold: float, *, synonyms: bool
    ) -> None:
        self._encoder = encoder
        self._threshold = threshold
        self._synonyms = synonyms

    def compare(
        self, required: Collection[Entity], allowed: Collection[Entity], stated: Collection[Entity]
    ) -> Comparison:
        """Terms without a partner, in order, and how those of the text found theirs."""
        asked, needed, there = _terms(allowed), _terms(required), _terms(stated)
        found = {term: self._partner(term, there) for term in needed}
        expected = {term: self._partner(term, asked) for term in there}
        return Comparison(
            lacks=tuple(term for term, match in found.items() if match is None),
            adds=tuple(term for term, match in expected.items() if match is None),
            matches=tuple(match for match in expected.values() if match),
        )

    def _partner(self, term: Entity, others: Sequence[Entity]) -> Match | None:
        fellows = [other for other in others if other.category is term.category]
        own = normal(words(term))
        for other in fellows:
            if normal(words(other)) == own:
                return Match(surface(other), surface(term), "surface", 1.0)
        if self._synonyms and (read := _read(own, term.category)):
            readings = {other: _read(normal(words(other)), other.category) for other in others}
            if read <= frozenset().union(*readings.values()):
                shared = [surface(other) for other, has in readings.items() if has & read]
                return Match("; ".join(shared), surface(term), "synonyms", 1.0)
        return self._nearest(term, fellows) if self._encoder else None

    def _nearest(self, term: Entity, fellows: Sequence[Entity]) -> Match | None:
        assert self._encoder is not None
        own = normal(words(term))
        alike = [other for other in fellows if not _apart(term, other)]
        if not alike:
            return None
        vectors = self._encoder.encode([own, *(normal(words(other)) for other in alike)])
        cosines = vectors[1:] @ vectors[0]
        best = int(cosines.argmax())
        if cosines[best] < self._threshold:
            return None
        cosine = round(float(cosines[best]), 4)
        return Match(surface(alike[best]), surface(term), "embedding", cosine)


def words(term: Entity) -> str:
    """The words of a bank row, without those that say its polarity."""
    if term.category is Category.ANATOMY:
        return surface(term)
    plain = Entity(term.concept, term.category, Polarity.PRESENT, "", term.severity)
    return surface(plain)


@lru_cache(maxsize=100_000)
def normal(text: str) -> str:
    """Words in lower case, without punctuation, hyphens and leading articles."""
    parts = re.sub(r"[^\w\s]|_", " ", text.lower()).split()
    while len(parts) > 1 and parts[0] in ("the", "a", "an"):
        parts = parts[1:]
    return " ".join(parts)


def _apart(a: Entity, b: Entity) -> bool:
    """Whether the lexicon tells two terms of one category apart, so that no encoder is asked."""
    one, other = normal(words(a)), normal(words(b))
    if _bounds(one) != _bounds(other):
        return True
    return bool(_read(one, a.category)) and bool(_read(other, b.category))


def _terms(entities: Iterable[Entity]) -> list[Entity]:
    return sorted({row for entity in entities for row in rows_of(entity)})


@lru_cache(maxsize=100_000)
def _read(text: str, category: Category) -> frozenset[tuple[str, str]]:
    """What the lexicon reads out of normal words: rows as (category, words); nothing if unsure.

    It is sure where it knows every word: one finding with a place and a degree, or one structure
    or place.
    """
    terms = _segments(text)
    if terms is None:
        return frozenset()
    by_role = {role: [t for t in terms if t.role is role] for role in (Role.CONCEPT, Role.ANATOMY)}
    place: Location | None = Location("", "")
    for term in terms:
        if term.role is Role.PLACE and place is not None:
            place = merge(place, Location.parse(term.value))
    degrees = {term.value for term in terms if term.role is Role.SEVERITY}
    named = by_role[Role.ANATOMY if category is Category.ANATOMY else Role.CONCEPT]
    other = by_role[Role.CONCEPT if category is Category.ANATOMY else Role.ANATOMY]
    if place is None or other or len(named) > 1 or len(degrees) > 1:
        return frozenset()
    if category is not Category.ANATOMY:
        if not named:
            return frozenset()
        severity = next(iter(degrees), "")
        entity = Entity(named[0].value, category, Polarity.PRESENT, str(place), severity)
    elif degrees or not (named or str(place)):
        return frozenset()
    else:
        structure = named[0].value if named else "lungs"
        where = "" if named and place == ("bilateral", "") else str(place)  # "both lungs"
        entity = Entity(structure, category, Polarity.ABSENT, where)
    return frozenset((str(row.category), words(row)) for row in rows_of(entity))


@lru_cache(maxsize=100_000)
def _bounds(text: str) -> frozenset[tuple[str, str]]:
    """Places and degrees that normal words name; an encoder cannot tell them apart."""
    parts, found, i = text.split(), set[tuple[str, str]](), 0
    table, longest = _phrases()
    while i < len(parts):
        term, i = _longest(parts, i, table, longest)
        if term is not None and term.role in (Role.PLACE, Role.SEVERITY):
            found.add((term.role, term.value))
    return frozenset(found)


def _segments(text: str) -> list[Term] | None:
    """Normal words cut into phrases of the lexicon, the longest first; None if any is unknown."""
    table, longest = _phrases()
    parts, found, i = text.split(), list[Term](), 0
    while i < len(parts):
        if parts[i] in _FILLERS:
            i += 1
            continue
        term, i = _longest(parts, i, table, longest)
        if term is None:
            return None
        found.append(term)
    return found


def _longest(
    parts: Sequence[str], i: int, table: dict[str, Term], longest: int
) -> tuple[Term | None, int]:
    """The longest phrase at a word, and the word after it."""
    for length in range(min(longest, len(parts) - i), 0, -1):
        term = table.get(" ".join(parts[i : i + length]))
        if term is not None:
            return term, i + length
    return None, i + 1


@cache
def _phrases() -> tuple[dict[str, Term], int]:
    """Normal words of each finding, structure, place and degree, and the most words of any."""
    table: dict[str, Term] = {}
    for term in load_vocabulary().terms:
        if term.role in (Role.CONCEPT, Role.ANATOMY, Role.PLACE, Role.SEVERITY):
            table.setdefault(normal(term.surface), term)
    for concept in load_lexicon().concepts:
        table.setdefault(normal(concept), Term(concept, Role.CONCEPT, concept))
    return table, max(len(phrase.split()) for phrase in table)
