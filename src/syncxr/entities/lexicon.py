"""The project's own lexicon: what can be said of a chest radiograph."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

from syncxr.entities.location import Location
from syncxr.sample import Category, Entity, Polarity


class Concept(BaseModel):
    """One abnormality or disease.

    Attributes:
        name: Canonical term, e.g. ``"pleural effusion"``.
        kind: Decides the RaTE category together with the polarity.
        organ: Anatomy whose "normal" statement denies this concept, e.g. ``"pleura"``.
        synonyms: Other surface forms, singular and plural.
        scale: Words its severity is written in: ``size`` (small, moderate, large), ``grade``
            (mild, moderate, severe), ``none``.
        sites: Key of ``Lexicon.sites``: the places it can have; ``"none"`` = it takes no place.
        excludes: Concepts that cannot stand beside it when both are present.
        states: Structure to the words that, said of it, mean this finding ("enlarged" of the
            heart).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    kind: Literal["abnormality", "disease"]
    organ: str
    synonyms: tuple[str, ...] = ()
    scale: Literal["size", "grade", "none"] = "none"
    sites: str = "none"
    excludes: tuple[str, ...] = ()
    states: dict[str, tuple[str, ...]] = {}

    def category(self, polarity: Polarity) -> Category:
        """RaTE category under a polarity."""
        denied = polarity is Polarity.ABSENT
        if self.kind == "disease":
            return Category.NON_DISEASE if denied else Category.DISEASE
        return Category.NON_ABNORMALITY if denied else Category.ABNORMALITY

    def entity(self, polarity: Polarity, location: str = "", severity: str = "") -> Entity:
        """This concept as a statement."""
        return Entity(self.name, self.category(polarity), polarity, location, severity)


class Anatomy(BaseModel):
    """A structure that can be called normal ("the heart is normal").

    Attributes:
        name: Canonical term, e.g. ``"heart"``.
        synonyms: Other surface forms.
        part_of: Structures of which it is a part; calling those normal covers it as well.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    synonyms: tuple[str, ...] = ()
    part_of: tuple[str, ...] = ()


class Lexicon(BaseModel):
    """All concepts, structures and places.

    Attributes:
        concepts: Abnormalities and diseases by name.
        anatomies: Structures by name.
        sites: Site class to its canonical locations (see :class:`Location`).
        places: Canonical zone to its surface forms, e.g. ``"base"`` to ``["lung base", ...]``.
        sided_places: Canonical location to forms that name its side as well ("bibasilar").
        implies: Concept to the concepts that its presence brings with it.
        summaries: Concept that speaks of a whole region to the concepts its denial denies.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    concepts: dict[str, Concept]
    anatomies: dict[str, Anatomy]
    sites: dict[str, tuple[str, ...]]
    places: dict[str, tuple[str, ...]]
    sided_places: dict[str, tuple[str, ...]] = {}
    implies: dict[str, tuple[str, ...]] = {}
    summaries: dict[str, tuple[str, ...]] = {}

    def allows(self, concept: str, location: str) -> bool:
        """Whether a finding can be at a place; every finding may leave its place unsaid."""
        return location == "" or location in self.sites.get(self.concepts[concept].sites, ())

    def contradict(self, a: Entity, b: Entity) -> bool:
        """Whether two statements cannot both be in one report.

        That is, at overlapping places: the same concept twice (in two sizes or two polarities),
        concepts that exclude each other, a finding and the denial of what it implies (a
        consolidation without opacity), a finding in a structure or place called normal, and the
        same structure called normal twice. A finding without a place may be anywhere.
        """
        if not Location.parse(a.location).overlaps(Location.parse(b.location)):
            return False
        if a.category is Category.ANATOMY and b.category is Category.ANATOMY:
            return a.concept == b.concept
        if a.category is Category.ANATOMY or b.category is Category.ANATOMY:
            normal, finding = (a, b) if a.category is Category.ANATOMY else (b, a)
            affected = self.affects(finding.concept)
            return finding.polarity is not Polarity.ABSENT and normal.concept in affected
        if a.concept == b.concept:
            return True
        if a.polarity is Polarity.ABSENT or b.polarity is Polarity.ABSENT:
            denied, stated = (a, b) if a.polarity is Polarity.ABSENT else (b, a)
            return stated.polarity is not Polarity.ABSENT and (
                denied.concept in self.implied(stated.concept)
                or stated.concept in self.summaries.get(denied.concept, ())
            )
        return b.concept in self._excluded(a.concept) or a.concept in self._excluded(b.concept)

    def repeat(self, a: Entity, b: Entity) -> bool:
        """Whether of two positive findings one says what the other brings with it."""
        both = a.polarity is Polarity.PRESENT and b.polarity is Polarity.PRESENT
        return both and (
            b.concept in self.implied(a.concept) or a.concept in self.implied(b.concept)
        )

    def implied(self, concept: str) -> set[str]:
        """The concept and all that its presence brings with it."""
        found, pending = set[str](), [concept]
        while pending:
            name = pending.pop()
            if name not in found:
                found.add(name)
                pending.extend(self.implies.get(name, ()))
        return found

    def affects(self, concept: str) -> set[str]:
        """The structures that cannot be called normal beside a finding."""
        concepts = [self.concepts[name] for name in self.implied(concept) if name in self.concepts]
        found, pending = set[str](), [known.organ for known in concepts]
        while pending:
            name = pending.pop()
            found.add(name)
            if name in self.anatomies:
                pending.extend(self.anatomies[name].part_of)
        return found

    def _excluded(self, concept: str) -> tuple[str, ...]:
        known = self.concepts.get(concept)
        return known.excludes if known else ()


@cache
def load_lexicon() -> Lexicon:
    """The lexicon that ships with the package."""
    raw = yaml.safe_load((Path(__file__).parent / "lexicon.yaml").read_text("utf-8"))
    return Lexicon(
        concepts={row["name"]: Concept(**row) for row in raw["concepts"]},
        anatomies={row["name"]: Anatomy(**row) for row in raw["anatomies"]},
        sites=raw["sites"],
        places=raw["places"],
        sided_places=raw["sided_places"],
        **yaml.safe_load((Path(__file__).parent / "implications.yaml").read_text("utf-8")),
    )
