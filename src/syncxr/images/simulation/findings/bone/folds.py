"""Folds of skin between patient and detector: no disease, but taken for one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.finding import Areas, Change, check_place, settle
from syncxr.images.simulation.shapes import Fold, Material
from syncxr.sample import Entity

LENGTH_MM = (110.0, 220.0)
"""Of the edge: half of a hemithorax's height or more, beyond the lung at either end."""

WIDTH_MM = (20.0, 48.0)
"""Over which the density fades away from the edge: a broad band, no line."""

THICKNESS_MM = (9.0, 18.0)
"""Of the fold at its edge, pressed flat: skin of the back, some 2 to 4 mm (Lee and Hwang, Surg
Radiol Anat 2002), and the fat beneath it, twice."""

SKIN = Material(water=1.0)
"""Skin and fat, between 1.09 and 0.95 g/cm³ (ICRU-44), where there would be air or cushion."""

AREA_CM2 = {"": (8.0, 100.0), "mild": (8.0, 100.0)}
"""On the film, a side: one or two bands of these lengths and widths, but for their faint half."""

_SECOND = 0.3
"""Share of sides with a second fold beside the first."""

_LATERAL = 0.8
"""Share of folds that end laterally, as those that pass for a pneumothorax do; the others end
towards the spine."""

_POINTS = 14


@dataclass(frozen=True)
class SkinFold:
    """Loose skin of the back, folded between patient and cassette on a film taken in bed.

    A broad density that grows towards an edge and ends there at once: an edge, no line like the
    visceral pleura's. It runs more or less upright over the lateral lung, does not follow the chest
    wall, may go beyond it, and lung markings go on at its far side (Fisher, AJR 1978; Kattea and
    Lababede, Ann Am Thorac Soc 2015).
    """

    concept: str = "skin fold"

    area_cm2: ClassVar[Areas] = AREA_CM2

    def refuses(self, entity: Entity) -> str:
        """A side at most."""
        return check_place(entity, (), False)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Lay folds, side by side."""
        words = settle(entity, rng)
        shapes: list[Fold] = []
        placed: dict[str, Any] = {}
        for side in ("left", "right"):
            chance = np.random.default_rng(int(rng.integers(2**32)))
            if side in words.sides:
                folds, told = folds_of(body, side, chance, body.count)
                shapes += folds
                placed[side] = told
        parameters = {"sides": list(words.sides), "folds": placed}
        return Change(parameters, shapes=tuple(shapes), least_path=0.12)


def folds_of(
    body: Body, side: str, rng: np.random.Generator, count: int | None = None
) -> tuple[list[Fold], list[dict[str, Any]]]:
    """The folds of one side, and what was drawn for them.

    Args:
        body: Where.
        side: ``"left"`` or ``"right"``, in the source body.
        rng: Source of chance.
        count: How many; drawn if ``None``.
    """
    sign = 1.0 if side == "left" else -1.0
    count = count or 1 + int(rng.random() < _SECOND)
    reach = float(rng.uniform(0.5, 0.88)) * body.marks.half_width
    top = body.marks.apex + float(rng.uniform(-45.0, 35.0))
    lean = float(rng.uniform(-0.22, 0.22))
    folds, told = [], []
    for _ in range(count):
        length = float(rng.uniform(*LENGTH_MM))
        width = float(rng.uniform(*WIDTH_MM))
        thickness = float(rng.uniform(*THICKNESS_MM))
        lateral = bool(rng.random() < _LATERAL)
        bow, turn = float(rng.uniform(-16.0, 16.0)), float(rng.uniform(-0.06, 0.06))
        along = np.linspace(0.0, 1.0, _POINTS)
        down = length * along
        out = reach + (lean + turn) * (down - 0.5 * length) + bow * np.sin(np.pi * along)
        away = np.where(lateral, -1.0, 1.0) * width * (0.7 + 0.3 * np.sin(np.pi * along))
        edge = _on_back(body, sign * out, top - down)
        foot = _on_back(body, sign * (out + away), top - down)
        # It opens out at both ends.
        fading = np.sin(np.pi * along.clip(0.0, 1.0)) ** 0.6
        folds.append(Fold(edge, foot, (thickness * fading).astype(np.float32), SKIN))
        told.append(
            {
                "length_mm": length,
                "width_mm": width,
                "thickness_mm": thickness,
                "ends": "laterally" if lateral else "medially",
                "middle_mm": [float(value) for value in edge[_POINTS // 2]],
            }
        )
        reach += float(rng.choice((-1.0, 1.0)) * rng.uniform(12.0, 26.0))
        top += float(rng.uniform(-30.0, 30.0))
    return folds, told


def _on_back(body: Body, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Places at the patient's back, (N, 3)."""
    y = [body.courses.skin(float(a), float(b), front=False) for a, b in zip(x, z, strict=True)]
    return np.stack([x, np.array(y), z], axis=1).astype(np.float32)
