"""Whether films show what their texts say, measured on the films.

A stated positive is *visible* by the rule of :mod:`syncxr.images.visibility`, measured against the
same film taken again without the finding.

A stated negative *holds* if the renderer drew no such finding and, where it has a model of it, the
film does not look as if it had: the film less that of the same patient in health is compared with
what a moderate finding of the denied kind would add there, outside the masks of what is stated. The
regression slope of the one on the other is 1 for a film that has the finding and 0 for one that
has not; the negative holds below :data:`LOOKS_LIKE`. A heart called normal or not enlarged has a
cardiothoracic ratio of at most :data:`NORMAL_HEART` on the film, by its view.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
from scipy import ndimage

from syncxr.entities.extraction import extract
from syncxr.entities.lexicon import load_lexicon
from syncxr.images.renderer import Film, RenderRequest
from syncxr.images.visibility import visible
from syncxr.sample import Category, Entity, Image, Mask, Polarity

LOOKS_LIKE = 0.5
"""Slope from which a film looks like one with a denied finding: halfway from without to with."""

LEFT_OVER = 0.25
"""Share of a denied finding's signal that must lie clear of what is stated to decide."""

MARGIN_MM = 20.0
"""Kept from what is stated: a large heart or an effusion moves vessels that far beyond its mask."""

SIGNS = ("consolidation", "nodule", "pleural effusion", "pneumothorax", "cardiomegaly")
"""Findings looked for where a whole structure is called normal."""


NORMAL_HEART = {"PA": 0.50, "AP": 0.55}
"""Upper limit of the normal cardiothoracic ratio: on a PA film by Danzer (Am J Med Sci 1919); an AP
film shows the heart, which lies in front, some tenth larger."""


class Study(Protocol):
    """A film that can be taken again without a finding, everything else frozen."""

    @property
    def film(self) -> Film:
        """As rendered."""
        ...

    @property
    def pixel_mm(self) -> float:
        """Pixel size."""
        ...

    @property
    def view(self) -> str:
        """``"PA"``, ``"AP"`` or ``"lateral"``."""
        ...

    @property
    def heart_ratio(self) -> float | None:
        """Cardiothoracic ratio on the film; ``None`` if it cannot be measured there."""
        ...

    def without(self, entities: Collection[Entity]) -> Image:
        """The same film without these findings."""
        ...

    def imagine(self, entity: Entity) -> tuple[Image, Mask]:
        """The same patient with this finding alone, and its mask."""
        ...


class Accountable(Protocol):
    """A renderer whose films can be checked against their counterfactuals."""

    def shows(self, entity: Entity) -> bool:
        """Whether it can draw a positive finding."""
        ...

    def study(self, request: RenderRequest) -> Study:
        """The film of a request, with its counterfactuals."""
        ...


@dataclass(frozen=True)
class Rate:
    """A share with its interval.

    Attributes:
        n: Statements.
        hits: Of which true on the film.
        share: hits / n; NaN for n = 0.
        low: Lower bound of the 95 % interval (Wilson 1927).
        high: Upper bound.
    """

    n: int
    hits: int
    share: float
    low: float
    high: float

    @classmethod
    def of(cls, outcomes: Iterable[bool]) -> Rate:
        """From single outcomes."""
        values = list(outcomes)
        n, hits = len(values), sum(bool(value) for value in values)
        if not n:
            return cls(0, 0, float("nan"), 0.0, 1.0)
        share, z = hits / n, 1.959964
        middle = (share + z * z / (2 * n)) / (1 + z * z / n)
        half = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        return cls(n, hits, share, max(0.0, float(middle - half)), min(1.0, float(middle + half)))


@dataclass(frozen=True)
class Finding:
    """One statement that was checked.

    Attributes:
        seed: Of the request.
        entity: The statement.
        holds: Whether the film agrees.
        measured: Whether a measurement on the film decided it; ``False`` for negatives that hold
            only because the renderer never draws such a thing.
        detail: What was measured, or why the statement fails.
    """

    seed: int
    entity: Entity
    holds: bool
    measured: bool
    detail: str


@dataclass(frozen=True)
class Faithfulness:
    """Summary over films.

    Attributes:
        films: Films checked.
        positives: Positives visible, among all that were stated.
        negatives: Negatives that hold, among all that were stated.
        negatives_measured: The same among those decided by a measurement.
        failures: Statements that failed, with what was measured.
        by_concept: Concept to its rate, positives only.
    """

    films: int
    positives: Rate
    negatives: Rate
    negatives_measured: Rate
    failures: tuple[Finding, ...]
    by_concept: dict[str, Rate]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "films": self.films,
            "positives": asdict(self.positives),
            "negatives": asdict(self.negatives),
            "negatives_measured": asdict(self.negatives_measured),
            "by_concept": {name: asdict(rate) for name, rate in self.by_concept.items()},
            "failures": [
                {"seed": f.seed, "statement": str(f.entity), "detail": f.detail}
                for f in self.failures
            ],
        }


def faithfulness(
    requests: Sequence[RenderRequest],
    renderer: Accountable,
    done: Callable[[int], None] = lambda count: None,
) -> Faithfulness:
    """Check every statement of every text on its film.

    Args:
        requests: Texts and seeds. Hedged statements are not counted.
        renderer: Takes the films and their counterfactuals.
        done: Told of each film that has been checked.
    """
    positives: list[Finding] = []
    negatives: list[Finding] = []
    for request in requests:
        study = renderer.study(request)
        health = study.without(study.film.shown)
        for entity in dict.fromkeys(mention.entity for mention in extract(request.text)):
            if entity.polarity is Polarity.PRESENT and entity.category is not Category.ANATOMY:
                positives.append(_positive(request.seed, entity, study))
            elif entity.polarity is Polarity.ABSENT:
                negatives.append(_negative(request.seed, entity, study, health, renderer))
        done(1)
    concepts = Counter(finding.entity.concept for finding in positives)
    return Faithfulness(
        films=len(requests),
        positives=Rate.of(f.holds for f in positives),
        negatives=Rate.of(f.holds for f in negatives),
        negatives_measured=Rate.of(f.holds for f in negatives if f.measured),
        failures=tuple(f for f in positives + negatives if not f.holds),
        by_concept={
            name: Rate.of(f.holds for f in positives if f.entity.concept == name)
            for name in concepts
        },
    )


def _positive(seed: int, entity: Entity, study: Study) -> Finding:
    """A statement that something is there."""
    film = study.film
    if entity not in film.shown:
        reasons = dict(film.not_shown)
        return Finding(seed, entity, False, True, reasons.get(entity, "not drawn"))
    mask = film.masks[str(entity)]
    seen, detail = visible(film.image, study.without([entity]), mask, study.pixel_mm)
    return Finding(seed, entity, seen, True, detail)


def _negative(
    seed: int, entity: Entity, study: Study, health: Image, renderer: Accountable
) -> Finding:
    """A statement that something is not there, or that a structure is normal."""
    lexicon = load_lexicon()
    denied = _denied(entity)
    for shown in study.film.shown:
        if any(lexicon.contradict(shown, negative) for negative in (entity, *denied)):
            return Finding(seed, entity, False, True, f"the film shows {shown}")
    details = []
    for negative in denied:
        if negative.concept == "cardiomegaly":
            ratio = study.heart_ratio
            if ratio is None:
                continue
            details.append(f"cardiothoracic ratio {ratio:.2f}")
            if ratio > NORMAL_HEART[study.view]:
                return Finding(seed, entity, False, True, details[-1])
            continue
        for absent in _imagined(negative):
            if not renderer.shows(absent):
                continue
            slope = _slope(study, absent, health)
            if slope is None:
                continue
            details.append(f"{absent}: slope {slope:.2f}")
            if slope >= LOOKS_LIKE:
                return Finding(seed, entity, False, True, details[-1])
    return Finding(seed, entity, True, bool(details), "; ".join(details))


def _denied(entity: Entity) -> list[Entity]:
    """The abnormalities that a negative statement denies."""
    lexicon = load_lexicon()
    if entity.category is not Category.ANATOMY:
        return [entity]
    return [
        concept.entity(Polarity.ABSENT)
        for concept in map(lexicon.concepts.__getitem__, SIGNS)
        if lexicon.contradict(entity, concept.entity(Polarity.PRESENT))
    ]


def _imagined(negative: Entity) -> list[Entity]:
    """The findings whose absence is checked: moderate, on each side that is denied."""
    concept = load_lexicon().concepts[negative.concept]
    severity = "" if concept.scale == "none" else "moderate"
    places = [negative.location] if negative.location else ["left", "right"]
    return [concept.entity(Polarity.PRESENT, place, severity) for place in places]


def _slope(study: Study, absent: Entity, health: Image) -> float | None:
    """How much of a denied finding the film has; ``None`` if what is stated hides the place."""
    with_it, mask = study.imagine(absent)
    # A margin round the finding: its slope is taken against what surrounds it, so that a film
    # that is brighter as a whole does not count as one with an opacity.
    region = ndimage.binary_dilation(mask, iterations=8)
    signal = with_it.astype(np.float32) - health.astype(np.float32)
    stated = np.zeros_like(region)
    for shown in study.film.masks.values():
        stated |= shown
    clear = ndimage.distance_transform_edt(~stated) * study.pixel_mm > MARGIN_MM
    whole = float((signal[region] ** 2).sum())
    region &= clear if stated.any() else ~stated
    if whole == 0.0 or float((signal[region] ** 2).sum()) < LEFT_OVER * whole:
        return None
    expected = signal[region] - signal[region].mean()
    found = study.film.image.astype(np.float32)[region] - health.astype(np.float32)[region]
    return float((expected * (found - found.mean())).sum() / max((expected**2).sum(), 1e-6))
