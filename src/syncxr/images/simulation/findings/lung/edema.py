"""Pulmonary edema and congestion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.ct import Floats
from syncxr.images.simulation.findings.finding import Change, check_place, settle, smooth_step
from syncxr.images.simulation.findings.lung.bronchi import cuffs, septal_lines
from syncxr.images.simulation.findings.lung.opacity import ZONES
from syncxr.images.simulation.findings.lungs import Lung, affected
from syncxr.images.simulation.findings.texture import clouds, grain, reticulum
from syncxr.images.simulation.shapes import Shape
from syncxr.sample import Entity

FILLING = {"mild": (0.10, 0.15), "moderate": (0.24, 0.34), "severe": (0.50, 0.68)}
"""Share of perihilar air replaced by fluid: interstitial, early and full alveolar edema."""

LINES = {"mild": 3, "moderate": 5, "severe": 7}
"""Kerley B lines a side."""

CUFFS = {"mild": 2, "moderate": 3, "severe": 4}
"""Cuffed bronchi a side."""

AREA_CM2 = {"mild": (30.0, 270.0), "moderate": (50.0, 320.0), "severe": (60.0, 340.0)}
"""On the film, a side: from the hilum's surroundings to the whole of a lung field (240 cm², Harris
et al., Radiology 1971, larger in tall people)."""


@dataclass(frozen=True)
class Edema:
    """Hydrostatic edema: haze about both hila that fades towards the periphery, sparing it.

    With rising pressure: wide upper-lobe vessels (cephalisation), thickened septa (Kerley B lines
    at the bases) and cuffed bronchi, then fluffy acinar filling in a bat-wing distribution
    (Gluecker et al., RadioGraphics 1999; Milne et al., AJR 1985). Both sides unless one is named,
    never quite alike. No effusion and no large heart come along: these are findings of their own.
    """

    concept: str = "pulmonary edema"
    area_cm2: Mapping[str, tuple[float, float]] = field(default_factory=lambda: AREA_CM2)

    def refuses(self, entity: Entity) -> str:
        """Any side, lobe or zone will do."""
        return check_place(entity, ZONES, lobes=True)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Let fluid into the lung about the hila."""
        words = settle(entity, rng)
        if not entity.location:
            words.sides = ("left", "right")
        filling = float(rng.uniform(*FILLING[words.severity]))
        reach = float(rng.uniform(46.0, 64.0))
        extent = np.zeros_like(body.water)
        lines: list[Shape] = []
        for lung in affected(body, words, rng):
            uneven = float(lung.chance.uniform(0.8, 1.15))
            room = lung.lobe(words.lobe) * lung.within(words.zone)
            redistribute(lung, 0.25 + 0.5 * min(1.0, filling / 0.3))
            haze = self._haze(lung, reach, filling)
            # Septa hold fluid before acini do, at the bases most.
            low = 1.0 - smooth_step(lung.heights(), 0.1, 0.7)
            septa = lung.texture(reticulum) * (0.10 + 0.16 * low) * min(1.0, filling / 0.25)
            share = room * np.clip(uneven * filling * haze + septa, 0.0, 0.92)
            lung.fill(share, np.maximum(lung.water, np.float32(1.0)), extent)
            lines += cuffs(lung, CUFFS[words.severity])
            if not words.zone and not words.lobe:
                lines += septal_lines(lung, LINES[words.severity])
        parameters: dict[str, Any] = {
            **words.to_dict(),
            "filling": filling,
            "reach_mm": reach,
        }
        return Change(parameters, body.claim(extent), shapes=tuple(lines), least_path=0.7)

    def _haze(self, lung: Lung, reach: float, filling: float) -> Floats:
        """1 at the hilum, falling towards the periphery; the fuller, the fluffier."""
        hilum = lung.hilum
        squared = (
            ((lung.x - hilum[0]) / reach) ** 2
            + ((lung.y - hilum[1]) / (1.3 * reach)) ** 2
            + ((lung.z - hilum[2] + 18.0) / (1.35 * reach)) ** 2
        )
        fluff = 1.0 + 0.3 * lung.texture(clouds) + min(0.5, filling) * lung.texture(grain)
        # The outermost centimetre or two stays aerated, which gives the wings their outline.
        spared = smooth_step(lung.wall, 4.0, 26.0)
        haze: Floats = np.exp(-squared) * fluff * (0.35 + 0.65 * spared)
        return haze


def redistribute(lung: Lung, gain: float) -> None:
    """Widen the vessels of the upper lung by ``gain``, 1 = twice the contrast (cephalisation)."""
    upper = smooth_step(lung.heights(), 0.45, 0.75)
    lung.water[:] += gain * lung.share * upper * (lung.water - 0.14).clip(0.0, 0.3)
