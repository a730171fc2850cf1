"""Cavities, abscesses, bullae: air within walls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from syncxr.entities.location import Location
from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.finding import (
    Change,
    Point,
    Words,
    apart,
    check_place,
    numbers,
    radius_of,
    settle,
    smooth_step,
)
from syncxr.images.simulation.findings.lung.opacity import ZONES
from syncxr.images.simulation.findings.lungs import Lung, affected
from syncxr.images.simulation.findings.texture import clouds, grain
from syncxr.images.simulation.thorax import Floats
from syncxr.sample import Entity

RADII = {"mild": (11.0, 14.0), "moderate": (17.0, 22.0), "severe": (27.0, 36.0)}
"""Outer radius by severity, mm: in 96 patients benign cavities were 35 mm, malignant ones 51 mm
wide in the mean (Clin Radiol 2016, doi 10.1016/j.crad.2016.04.009)."""

AREA_CM2 = {"mild": (1.5, 18.0), "moderate": (5.0, 38.0), "severe": (12.0, 95.0)}
"""On the film, a side: disks of the radii above with the rim of inflamed lung about them."""

_CELLS_MM = 3.0
"""Least thickness of a wall in cells of 2 mm."""


@dataclass(frozen=True)
class Cavity:
    """A gas-filled space within a lesion, seen as a lucency within a ring.

    Walls of 4 mm and less are mostly benign, thick and uneven ones suggest cancer or abscess
    (Fleischner Society glossary, 2008; Woodring and Fries, AJR 1983). An abscess holds pus below a
    level and has a rim of consolidation; a bulla has a wall of 1 mm.

    Attributes:
        concept: Of the lexicon.
        wall: Thickness of the wall, mm.
        rim: Width of the haze about it, as a share of the radius.
        level: Chance of fluid within.
        area_cm2: What a side's mask may measure on the film.
    """

    concept: str
    wall: tuple[float, float]
    rim: float = 0.0
    level: float = 0.0
    area_cm2: Mapping[str, tuple[float, float]] = field(default_factory=lambda: AREA_CM2)

    def refuses(self, entity: Entity) -> str:
        """Any lobe or zone will do."""
        return check_place(entity, ZONES, lobes=True)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Hollow out one lesion a side, or as many as the words say.

        One lies in an upper zone unless the words say otherwise, several anywhere.
        """
        sides = 2 if Location.parse(entity.location).side == "bilateral" else 1
        one = (body.count or 1) <= sides
        words = settle(entity, rng, ("upper zone", "upper zone", "mid zone") if one else ("",))
        extent = np.zeros_like(body.water)
        placed: dict[str, Any] = {}
        each = numbers(body, words)
        for whole in affected(body, words, rng):
            taken: list[tuple[Point, float]] = []
            placed[whole.side] = []
            for _ in range(each[whole.side]):
                radius = radius_of(RADII, words.severity, each[whole.side], whole.chance)
                hollow = self._hollow(whole, words, radius, taken, extent)
                taken.append((hollow["centre_mm"], radius * (1.0 + self.rim)))
                placed[whole.side].append({"radius_mm": radius, **hollow})
        return Change({**words.to_dict(), "placed": placed}, body.claim(extent), least_path=0.6)

    def _hollow(
        self,
        whole: Lung,
        words: Words,
        radius: float,
        taken: Sequence[tuple[Point, float]],
        extent: Floats,
    ) -> dict[str, Any]:
        """One lesion beside others."""
        body = whole.body
        dry = "air-fluid level" in body.denied
        clear = not body.denied.isdisjoint(("consolidation", "opacity", "airspace disease"))
        wall = float(whole.chance.uniform(*self.wall))
        stretch = whole.chance.uniform(0.88, 1.14, 3) * radius
        filled = float(whole.chance.random()) < self.level and not dry
        pool = float(whole.chance.uniform(-0.45, 0.05))
        place = partial(whole.pick, whole.lobe(words.lobe), words.zone, 18.0, 0.8)
        centre = apart(place, radius * (1.0 + self.rim), taken, tries=24)
        lung = whole.around(centre, (2.0 * radius, 2.0 * radius, 2.0 * radius))
        room = lung.lobe(words.lobe)
        dx, dy, dz = (
            (axis - at) / size
            for axis, at, size in zip((lung.x, lung.y, lung.z), centre, stretch, strict=True)
        )
        distance = np.sqrt(dx**2 + dy**2 + dz**2)
        ragged = distance + 0.09 * lung.texture(clouds) + 0.05 * lung.texture(grain)
        edge = 1.2 / radius
        if self.rim and not clear:
            haze = 0.45 * (1.0 - smooth_step(ragged, 0.9, 1.0 + 2.0 * self.rim))
            lung.fill(room * haze, np.maximum(lung.water, np.float32(1.0)), extent)
        # Walls thinner than two cells are drawn as thick as those, with no more tissue.
        density = 0.15 + (1.03 - 0.15) * min(1.0, wall / _CELLS_MM)
        shell = room * (1.0 - smooth_step(ragged, 1.0 - edge, 1.0 + edge))
        lung.fill(shell, np.maximum(lung.water, density) if self.rim else density, extent)
        hollow = 1.0 - max(wall, 0.5 * _CELLS_MM) / radius
        uneven = distance + 0.8 * wall / radius * lung.texture(clouds)
        inside = room * (1.0 - smooth_step(uneven, hollow - edge, hollow + edge))
        lung.fill(inside, 0.002, extent)
        if filled:
            # In a patient who lies the level faces the film and is not seen as one.
            up = lung.y - centre[1] if body.supine else lung.z - centre[2]
            lung.fill(inside * smooth_step(pool * radius - up, -1.0, 1.0), 1.03, extent)
        return {
            "wall_mm": wall,
            "centre_mm": list(centre),
            "level": filled and not body.supine,
            "fluid": filled,
        }


CAVITIES = (
    Cavity("cavity", (3.5, 7.5), rim=0.15, level=0.2),
    Cavity("abscess", (5.0, 9.0), rim=0.35, level=1.0),
    Cavity("bulla", (1.0, 1.4)),
)
