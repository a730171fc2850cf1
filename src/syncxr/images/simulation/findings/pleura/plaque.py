"""Calcified pleural plaques."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from syncxr.entities.location import Location
from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.finding import Change, check_place, settle, smooth_step
from syncxr.images.simulation.findings.lungs import Lung, affected
from syncxr.images.simulation.findings.texture import clouds
from syncxr.images.simulation.shapes import Material, Plate, Shape
from syncxr.images.simulation.thorax import Floats
from syncxr.sample import Entity

COUNTS = {"mild": 1, "moderate": 2, "severe": 3}
"""Plaques of the wall, a side; each side has one of the diaphragm as well."""

AREA_CM2 = {"mild": (1.0, 40.0), "moderate": (2.0, 60.0), "severe": (3.0, 80.0)}
"""On the film, a side: plaques in 279 exposed people were .5 to 31 cm long, 7 in the mean, and 1 to
20 mm thick, 5 in the mean (CT; https://synapse.koreamed.org/articles/1027046)."""

_CALCIUM = 0.26
"""Share of cortical bone in a calcified plaque."""


@dataclass(frozen=True)
class Plaque:
    """Calcified plaques of the parietal pleura: on the dome of the diaphragm and along the ribs.

    In profile a dense line along the wall or the dome; face on an irregular patch with an uneven,
    denser rim, likened to a holly leaf. Lower two thirds of the chest, sparing apices and
    costophrenic angles; mostly on both sides (Fleischner Society glossary, 2008).
    """

    concept: str = "pleural plaque"
    area_cm2: Mapping[str, tuple[float, float]] = field(default_factory=lambda: AREA_CM2)

    def refuses(self, entity: Entity) -> str:
        """A side at most."""
        return check_place(entity, (), False)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Lay calcium on dome and wall."""
        words = settle(entity, rng)
        if not Location.parse(entity.location).side:
            words.sides = ("left", "right")
        extent = np.zeros_like(body.water)
        plaques: dict[str, Any] = {}
        faces: list[Shape] = []
        for lung in affected(body, words, rng):
            laid = [self._dome(lung, extent)]
            for number in range(COUNTS[words.severity]):
                if number % 2 == 0:
                    laid.append(self._profile(lung, extent))
                else:
                    face, found = self._face(lung)
                    faces.append(face)
                    laid.append(found)
            plaques[lung.side] = laid
        parameters = {**words.to_dict(), "plaques": plaques}
        return Change(parameters, body.claim(extent), shapes=tuple(faces), least_path=0.12)

    def _dome(self, lung: Lung, extent: Floats) -> dict[str, Any]:
        """A curved line on the summit of the diaphragm, where the beam runs along it."""
        solid = lung.share > 0.5
        first = np.where(solid.any(1), solid.argmax(1), -1)
        height = np.where(first >= 0, lung.z[0, first, 0], -np.inf)
        # Beside the heart, which lies upon the inner half of the left dome.
        low, high = (88.0, 102.0) if lung.sign > 0 else (60.0, 82.0)
        x = lung.sign * float(lung.chance.uniform(low, high))
        column = int(np.argmin(np.abs(lung.x[0, 0] - x)))
        # The summit: the dome proper, not the lung before or behind it.
        proper = np.where(height[:, column] < lung.body.marks.dome + 40.0, height[:, column], -1e9)
        y = float(lung.y[int(np.argmax(proper)), 0, 0])
        half = float(lung.chance.uniform(14.0, 26.0))
        thick = float(lung.chance.uniform(2.5, 4.5))
        off = np.sqrt(((lung.x - x) / half) ** 2 + ((lung.y - y) / 6.0) ** 2)
        above = lung.z - height[:, None, :]
        level = height[:, None, :] > float(proper.max()) - 9.0
        share = smooth_step(above, -2.0, 0.0) * (1.0 - smooth_step(above, thick - 1.0, thick + 1.0))
        share = share * level * (1.0 - smooth_step(off + 0.2 * lung.texture(clouds), 0.75, 1.0))
        share = np.asarray(share, np.float32)
        lung.fill(share, np.maximum(lung.water, np.float32(0.95)), extent)
        lung.body.bone[lung.box] += _CALCIUM * share
        return {"at": "diaphragm", "half_length_mm": half, "thickness_mm": thick}

    def _profile(self, lung: Lung, extent: Floats) -> dict[str, Any]:
        """A dense line along the lateral wall, which the beam runs along."""
        z = self._height(lung)
        half = float(lung.chance.uniform(12.0, 28.0))
        thick = float(lung.chance.uniform(2.5, 4.5))
        y = float(lung.chance.uniform(-20.0, 15.0))
        off = np.sqrt(((lung.z - z) / half) ** 2 + ((lung.y - y) / 22.0) ** 2)
        near = smooth_step(thick - lung.wall, -1.2, 1.2) * smooth_step(lung.sign * lung.x, 50, 65)
        share = lung.share * near * (1.0 - smooth_step(off + 0.25 * lung.texture(clouds), 0.7, 1.0))
        lung.fill(share, np.maximum(lung.water, np.float32(0.95)), extent)
        lung.body.bone[lung.box] += _CALCIUM * np.asarray(share, np.float32)
        return {"at": "lateral wall", "height_mm": z, "half_length_mm": half, "thickness_mm": thick}

    def _face(self, lung: Lung) -> tuple[Shape, dict[str, Any]]:
        """A holly leaf on the front wall: lobed outline, faint, denser than it is thick."""
        z = self._height(lung)
        x = lung.sign * float(lung.chance.uniform(45.0, 78.0))
        half = float(lung.chance.uniform(12.0, 24.0))
        angle = np.linspace(0.0, 2.0 * np.pi, 36, endpoint=False)
        waves = sum(
            float(lung.chance.uniform(0.06, 0.2)) * np.cos(n * angle + lung.chance.uniform(0, 6.3))
            for n in (2, 3, 5, 8)
        )
        edge = half * (1.0 + waves)
        outline = np.stack([edge * np.cos(angle), 1.2 * edge * np.sin(angle)], axis=1)
        thick = float(lung.chance.uniform(2.0, 4.0))
        front = lung.body.marks.front - 12.0
        material = Material(water=0.5, bone=0.8 * _CALCIUM)
        face = Plate((x, front, z), outline.astype(np.float32), thick, material)
        return face, {"at": "front wall", "centre_mm": [x, z], "half_length_mm": half}

    def _height(self, lung: Lung) -> float:
        """Between diaphragm and upper zone, sparing angle and apex."""
        marks = lung.body.marks
        return marks.dome + float(lung.chance.uniform(0.18, 0.6)) * (marks.apex - marks.dome)
