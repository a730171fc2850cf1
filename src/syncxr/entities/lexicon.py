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
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    kind: Literal["abnormality", "disease"]
    organ: str
    synonyms: tuple[str, ...] = ()
    scale: Literal["size", "grade", "none"] = "none"
    sites: str = "none"
    excludes: tuple[str, ...] = ()

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
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    concepts: dict[str, Concept]
    anatomies: dict[str, Anatomy]
    sites: dict[str, tuple[str, ...]]
    places: dict[str, tuple[str, ...]]

    def allows(self, concept: str, location: str) -> bool:
        """Whether a finding can be at a place; every finding may leave its place unsaid."""
        return location == "" or location in self.sites.get(self.concepts[concept].sites, ())

    def contradict(self, a: Entity, b: Entity) -> bool:
        """Whether two statements cannot both be in one report.

        That is: the same concept twice (in two sizes, two polarities or two overlapping
        places), concepts that exclude each other, or a finding in a structure called normal.
        """
        if a.category is Category.ANATOMY and b.category is Category.ANATOMY:
            return a.concept == b.concept
        if a.category is Category.ANATOMY or b.category is Category.ANATOMY:
            normal, finding = (a, b) if a.category is Category.ANATOMY else (b, a)
            if finding.polarity is Polarity.ABSENT:
                return False
            organ = self.concepts[finding.concept].organ
            covers = {organ, *self.anatomies[organ].part_of} if organ in self.anatomies else {organ}
            return normal.concept in covers
        if a.concept == b.concept:
            both = a.polarity is not Polarity.ABSENT and b.polarity is not Polarity.ABSENT
            sides = Location.parse(a.location).side, Location.parse(b.location).side
            return not (both and set(sides) == {"left", "right"})
        if Polarity.ABSENT in (a.polarity, b.polarity):
            return False
        return (
            b.concept in self.concepts[a.concept].excludes
            or a.concept in self.concepts[b.concept].excludes
        )


@cache
def load_lexicon() -> Lexicon:
    """The lexicon that ships with the package."""
    raw = yaml.safe_load((Path(__file__).parent / "lexicon.yaml").read_text("utf-8"))
    return Lexicon(
        concepts={row["name"]: Concept(**row) for row in raw["concepts"]},
        anatomies={row["name"]: Anatomy(**row) for row in raw["anatomies"]},
        sites=raw["sites"],
        places=raw["places"],
    )
