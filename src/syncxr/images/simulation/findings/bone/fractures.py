"""Broken and healed ribs and clavicles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.bone.breaks import (
    CALLUS,
    Break,
    callus,
    displace,
    gap,
    places,
)
from syncxr.images.simulation.findings.curves import Points
from syncxr.images.simulation.findings.finding import (
    SEVERITIES,
    Change,
    check_place,
    numbers,
    settle,
)
from syncxr.images.simulation.shapes import Shape
from syncxr.images.simulation.thorax import Floats
from syncxr.sample import Entity

RIBS = (4, 9)
"""Ribs that break most often: 380 patients with serial fractures had most of them at ribs 4 to 7
(Liebsch et al., PLoS ONE 2019); down to the ninth is own reading."""

ALL_RIBS = (3, 10)
"""Ribs that break where the words say more than those; beyond eight a side some break twice."""

DISPLACEMENT = {"rib": (4.0, 8.0), "clavicle": (6.0, 12.0)}
"""Step between the fragments, mm: half to a whole thickness of the bone."""

HEALED_STEP = (1.0, 2.5)
"""What is left of it under the callus, mm."""

SPAN = {"rib": (0.15, 0.85), "clavicle": (0.35, 0.65)}
"""Part of the bone that breaks."""

AREA_CM2 = {"rib": (1.0, 24.0), "clavicle": (1.5, 14.0), "healed": (0.5, 20.0)}
"""On the film: up to three ribs of 1.3 cm, clavicle of 1.5 cm height, each over 1 to 4 cm."""


@dataclass(frozen=True)
class Fracture:
    """A break across a bone with a gap and a step, or the callus that is left of one.

    A fresh one: a dark line across the bone, its outer fragment displaced by some millimetres. A
    healed one: a spindle of new bone round the old break, which no longer shows. Breaks are put
    where the bone runs across the beam and can be seen.

    Attributes:
        concept: Of the lexicon.
        bone: Which bones break.
        healed: Whether long ago.
    """

    concept: str
    bone: Literal["rib", "clavicle"]
    healed: bool = False

    @property
    def area_cm2(self) -> dict[str, tuple[float, float]]:
        """Area by severity; fractures have none."""
        return dict.fromkeys(SEVERITIES, AREA_CM2["healed" if self.healed else self.bone])

    def refuses(self, entity: Entity) -> str:
        """A side at most."""
        return check_place(entity, (), False)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Break one bone a side, or up to three neighbouring ribs, or as many as the words say."""
        words = settle(entity, rng)
        extent = np.zeros_like(body.water)
        shapes: list[Shape] = []
        placed: dict[str, Any] = {}
        for side in ("left", "right"):
            seed = int(rng.integers(2**32))
            if side in words.sides:
                chance = np.random.default_rng(seed)
                count = body.count and numbers(body, words)[side]
                lines, second = self._lines(body, side, count, chance)
                for name, line in lines:
                    found = places(line, 2 if second > 0 else 1, chance, SPAN[self.bone])
                    second -= len(found) - 1
                    placed[f"{side} {name}".strip()] = [
                        self._break(body, place, extent, shapes, chance) for place in found
                    ]
        body.claim(extent)
        return Change({"broken": placed}, extent, tuple(shapes), least_path=0.12)

    def _lines(
        self, body: Body, side: str, count: int | None, rng: np.random.Generator
    ) -> tuple[list[tuple[str, Points]], int]:
        """Names and middle lines of the bones to break; how many of them are to break twice."""
        if self.bone == "clavicle":
            return [("clavicle", body.courses.clavicles[side])], 0
        count = count or int(rng.integers(1, 4))
        low, high = RIBS if count <= RIBS[1] - RIBS[0] + 1 else ALL_RIBS
        first = int(rng.integers(low, max(low, high - count + 1) + 1))
        chosen = range(first, min(first + count, high + 1))
        lines = [(f"rib {n}", body.courses.ribs[f"{side} {n}"]) for n in chosen]
        return lines, count - len(lines)

    def _break(
        self,
        body: Body,
        where: Break,
        extent: Floats,
        shapes: list[Shape],
        rng: np.random.Generator,
    ) -> dict[str, Any]:
        """Break one bone; what was sampled."""
        low, high = HEALED_STEP if self.healed else DISPLACEMENT[self.bone]
        step = float(rng.uniform(low, high))
        # The outer fragment of a clavicle sinks with the arm; a rib's goes either way.
        down = self.bone == "clavicle" or rng.random() < 0.6
        across = np.array([-where.along[2], 0.0, where.along[0]])
        across /= np.linalg.norm(across)
        across *= -np.sign(across[2]) if down else np.sign(across[2])
        displace(body, where, step * across, extent)
        if self.healed:
            shapes.append(callus(where, float(rng.uniform(*CALLUS)), rng))
        else:
            shapes.append(gap(where, rng))
        return {"step_mm": step, "at_mm": [float(value) for value in where.at]}


FRACTURES = (
    Fracture("rib fracture", "rib"),
    Fracture("healed rib fracture", "rib", healed=True),
    Fracture("clavicle fracture", "clavicle"),
)
