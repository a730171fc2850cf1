"""What all devices share: a concept, a way to draw it on one side, how large it is on a film."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from syncxr.entities.location import Location
from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.finding import SEVERITIES, Change
from syncxr.images.simulation.shapes import Shape
from syncxr.sample import Entity


class Drawn(NamedTuple):
    """A device in the body.

    Attributes:
        shapes: What it is made of.
        parameters: What was sampled, JSON values.
    """

    shapes: tuple[Shape, ...]
    parameters: dict[str, Any]


Draw = Callable[[Body, str, np.random.Generator], Drawn]
"""From body, side (``""`` for what has none) and chance; ``body.count`` is how many lie there."""


@dataclass(frozen=True)
class Device:
    """A device, drawn by :attr:`draw` along a course of the body.

    Attributes:
        concept: Of the lexicon.
        draw: Draws one.
        area: On the film, one of them, cm²: length times width, and a pixel's edge.
        sides: Side to its share where the words name none; empty for what has no side.
        least_path: Within the device, mean over a pixel, from which it belongs to the mask, cm.
    """

    concept: str
    draw: Draw
    area: tuple[float, float]
    sides: Mapping[str, float]
    least_path: float = 0.004
    """A wire of 0.4 mm that crosses a pixel in full has 0.03."""

    @property
    def area_cm2(self) -> dict[str, tuple[float, float]]:
        """Area by severity; devices have none."""
        return dict.fromkeys(SEVERITIES, self.area)

    def refuses(self, entity: Entity) -> str:
        """A side at most."""
        place = Location.parse(entity.location)
        if place.zone:
            return f"{place.zone!r} is no place this device can be drawn at"
        if place.side and not self.sides:
            return "this device has no side"
        return ""

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Lay it into the body, one a side that is named."""
        names = list(self.sides)
        chance = float(rng.random()) * sum(self.sides.values())
        drawn = ""
        for name in names:
            drawn = name
            chance -= self.sides[name]
            if chance < 0.0:
                break
        side = Location.parse(entity.location).side or drawn
        seeds = rng.integers(2**32, size=2)
        shapes: list[Shape] = []
        parameters: dict[str, Any] = {}
        places = ("left", "right") if side == "bilateral" else (side,)
        # "Bilateral tubes" are one a side: two places make the plural.
        there = replace(body, count=body.count and max(1, body.count // len(places)))
        for number, one in enumerate(places):
            found = self.draw(there, one, np.random.default_rng(int(seeds[number])))
            shapes += found.shapes
            parameters[one or "device"] = found.parameters
        return Change(parameters, shapes=tuple(shapes), least_path=self.least_path)


def sign_of(side: str) -> float:
    """1 towards the patient's left, -1 to the right."""
    return 1.0 if side == "left" else -1.0
