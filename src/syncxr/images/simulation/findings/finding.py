"""What every finding offers, and the words they share: sides, zones, severities."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from syncxr.entities.location import Location
from syncxr.images.simulation.anatomy.fields import smooth_step as smooth_step
from syncxr.images.simulation.body import Body
from syncxr.images.simulation.shapes import Shape
from syncxr.images.simulation.thorax import Floats, Structure
from syncxr.sample import Entity

SEVERITIES = ("mild", "moderate", "severe")

LOBES: dict[str, Structure] = {
    "left upper lobe": Structure.LEFT_UPPER_LOBE,
    "left lower lobe": Structure.LEFT_LOWER_LOBE,
    "right upper lobe": Structure.RIGHT_UPPER_LOBE,
    "right middle lobe": Structure.RIGHT_MIDDLE_LOBE,
    "right lower lobe": Structure.RIGHT_LOWER_LOBE,
}

ZONES: dict[str, tuple[float, float]] = {
    "": (0.0, 1.0),
    "base": (0.0, 0.25),
    "lower zone": (0.0, 0.34),
    "mid zone": (0.34, 0.67),
    "upper zone": (0.67, 1.0),
    "apex": (0.82, 1.0),
}
"""Zone to its part of the frontal lung field, from the dome of the diaphragm (0) to the apex (1).

Upper, mid and lower zone are thirds of the visible lung, as radiographs are described (they are
not lobes).
"""


_TISSUE = frozenset({"bone_density"})
"""Fields of the patient that move nothing."""


Areas = Mapping[str, tuple[float, float]]
"""Severity to the least and greatest area of a mask, cm² on a frontal film."""


@dataclass(frozen=True)
class Change:
    """What a finding did.

    Attributes:
        parameters: What was sampled, JSON values.
        extent: Share of each cell that changed, (K, R, C); ``None`` if only shapes were added.
        shapes: Small or thin things, to be added along the rays.
        patient: Fields of the ``Patient`` that the finding needs,
            e.g. ``{"heart_ratio": 0.56}``.
        least_path: Changed path from which a pixel belongs to the mask, cm.
        moves: Whether it draws lung together beyond its mask, as a collapse does.
    """

    parameters: dict[str, Any]
    extent: Floats | None = None
    shapes: tuple[Shape, ...] = ()
    patient: Mapping[str, Any] = field(default_factory=dict)
    least_path: float = 0.5
    moves: bool = False

    @property
    def displaces(self) -> bool:
        """Whether it moves organs, beyond its mask as well (a mass effect)."""
        return self.moves or not self.patient.keys() <= _TISSUE

    def to_dict(self) -> dict[str, Any]:
        """For provenance, as JSON values."""
        return {**self.parameters, "displaces": self.displaces}


class Finding(Protocol):
    """One finding."""

    @property
    def concept(self) -> str:
        """Of the lexicon."""
        ...

    @property
    def area_cm2(self) -> Areas:
        """Severity to the area that the mask may have on a frontal film, cm²."""
        ...

    def refuses(self, entity: Entity) -> str:
        """Why this statement cannot be drawn; ``""`` if it can."""
        ...

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Change ``body`` as the words say, leaving the rest to chance."""
        ...


@dataclass
class Words:
    """An entity's words, the unsaid ones drawn."""

    sides: tuple[str, ...]
    zone: str
    lobe: str
    severity: str
    drawn: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "sides": list(self.sides),
            "zone": self.zone,
            "lobe": self.lobe,
            "severity": self.severity,
        }


def settle(entity: Entity, rng: np.random.Generator, zones: tuple[str, ...] = ("",)) -> Words:
    """Read side, zone and severity; draw what is not said (zones from ``zones``)."""
    place = Location.parse(entity.location)
    # Always draw, used or not: the rest of the finding then does not depend on what was said.
    side = ("left", "right")[int(rng.integers(2))]
    zone = zones[int(rng.integers(len(zones)))]
    severity = SEVERITIES[int(rng.integers(3))]
    sides = ("left", "right") if place.side == "bilateral" else (place.side or side,)
    if place.zone.endswith("lobe"):
        if not place.side and place.zone == "middle lobe":
            sides = ("right",)
        return Words(sides, "", place.zone, entity.severity or severity)
    return Words(sides, place.zone or zone, "", entity.severity or severity)


def numbers(body: Body, words: Words, unsaid: int = 1) -> dict[str, int]:
    """How many to draw on each side: what the words say is the number of all of them.

    Args:
        body: Holds how many the words speak of.
        words: Where.
        unsaid: On each side, where the words say nothing.

    Returns:
        Side to at least one; of an odd number the left has one more.
    """
    if body.count is None:
        return dict.fromkeys(words.sides, unsaid)
    each, more = divmod(body.count, len(words.sides))
    return {side: max(1, each + (place < more)) for place, side in enumerate(words.sides)}


_SMALLER = 0.2
"""Several are smaller than one would be: exponent of their number on a side."""


def radius_of(
    radii: Mapping[str, tuple[float, float]], severity: str, number: int, rng: np.random.Generator
) -> float:
    """Radius of one of so many on a side, mm.

    Args:
        radii: Range by severity; none is smaller than the least mild one.
        severity: That the words say.
        number: Lesions on its side.
        rng: Source of chance.
    """
    smaller: float = number**-_SMALLER
    return max(radii["mild"][0], float(rng.uniform(*radii[severity])) * smaller)


Point = tuple[float, float, float]


def apart(
    draw: Callable[[], Point],
    radius: float,
    taken: Sequence[tuple[Point, float]],
    tries: int = 12,
    across: float = 1.0,
) -> Point:
    """A place that does not lie over others in a frontal view; the farthest of ``tries`` at worst.

    Args:
        draw: Draws a place (x, y, z), mm.
        radius: Of what is to lie there, mm.
        taken: Places and radii of the others.
        tries: How many are drawn at most.
        across: Weight of a distance across the body against one along it.
    """

    def room(place: Point) -> float:
        gaps = (
            float(np.hypot(across * (place[0] - other[0]), place[2] - other[2]))
            / (1.15 * (radius + size))
            for other, size in taken
        )
        return min(gaps, default=np.inf)

    best = draw()
    for _ in range(tries):
        if room(best) >= 1.0:
            break
        best = max(best, draw(), key=room)
    return best


def check_place(entity: Entity, zones: tuple[str, ...], lobes: bool) -> str:
    """Why a place or severity is beyond a finding; ``""`` if it is not."""
    place = Location.parse(entity.location)
    if entity.severity not in ("", *SEVERITIES):
        return f"severity {entity.severity!r} is not modelled"
    if place.zone.endswith("lobe") and lobes:
        for side in ("left", "right") if place.side == "bilateral" else (place.side,):
            if side and f"{side} {place.zone}" not in LOBES:
                return f"there is no {side} {place.zone}"
        return ""
    if place.zone not in ("", *zones):
        return f"{place.zone!r} is no place this finding can be drawn at"
    return ""


def lung_share(body: Body, side: str, lobe: str = "") -> Floats:
    """Share of each cell that is lung of that side (or lobe), (K, R, C)."""
    if not lobe:
        return body.lungs[side]
    # In situs inversus the lung with a middle lobe is on the other side.
    return body.lobes[LOBES.get(f"{side} {lobe}") or LOBES[f"{side} upper lobe"]]


def zone_limits(body: Body, zone: str) -> tuple[float, float]:
    """Lowest and highest z of a zone, mm."""
    low, high = ZONES[zone]
    dome, apex = body.marks.dome, body.marks.apex
    return dome + low * (apex - dome), dome + high * (apex - dome)


def pick_centre(
    body: Body,
    share: Floats,
    zone: str,
    margin: float,
    rng: np.random.Generator,
    clear: float = 0.7,
) -> tuple[float, float, float]:
    """A point in the lung, ``margin`` mm from the chest wall, in the open where there is any.

    Args:
        body: Where.
        share: Lung allowed, (K, R, C).
        zone: Zone allowed.
        margin: Distance to keep from the chest wall, mm; given up where nothing is left.
        rng: Source of chance.
        clear: Least ``open_lung``; halved until a place is found.
    """
    low, high = zone_limits(body, zone)
    rows = (body.slabs.rows >= low) & (body.slabs.rows <= high)
    while True:
        fits = (share > 0.8) & rows[None, :, None] & (body.wall >= margin)
        fits &= (body.open_lung >= clear)[None]
        places = np.flatnonzero(fits)
        if len(places):
            break
        clear *= 0.5
        margin *= 0.7
        if clear < 0.01:
            places = np.flatnonzero((share > 0.3) & rows[None, :, None])
            if not len(places):
                places = np.flatnonzero(share >= share.max())
            break
    k, r, c = np.unravel_index(int(places[rng.integers(len(places))]), share.shape)
    return float(body.slabs.columns[c]), float(body.slabs.centres[k]), float(body.slabs.rows[r])
