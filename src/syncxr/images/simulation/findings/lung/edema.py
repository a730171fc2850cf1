"""Pulmonary edema and congestion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.finding import Change, check_place, settle, smooth_step
from syncxr.images.simulation.findings.lung.bronchi import cuffs, septal_lines
from syncxr.images.simulation.findings.lung.opacity import ZONES
from syncxr.images.simulation.findings.lungs import Lung, affected
from syncxr.images.simulation.findings.texture import clouds, grain, reticulum
from syncxr.images.simulation.shapes import Shape
from syncxr.images.simulation.thorax import Floats
from syncxr.sample import Entity

FILLING = {"mild": (0.10, 0.15), "moderate": (0.24, 0.34), "severe": (0.50, 0.68)}
"""Share of perihilar air replaced by fluid: interstitial, early and full alveolar edema."""

CONGESTED = {"mild": (0.03, 0.05), "moderate": (0.07, 0.09), "severe": (0.11, 0.14)}
"""The same where veins are wide and nothing but their surroundings is wet."""

_DRY = 0.40
"""Most air that may be replaced if the text denies consolidation."""

GAIN = {"mild": 0.45, "moderate": 0.75, "severe": 0.75}
"""Widening of upper-lobe vessels in edema, 1 = twice their contrast; haze hides it in the end."""

CONGESTED_GAIN = {"mild": 0.5, "moderate": 0.9, "severe": 1.4}
"""The same in congestion, whose main sign it is."""

_VESSELS = 0.08
"""Share of lung that is vessels, of those that a film shows."""

LINES = {"mild": 3, "moderate": 5, "severe": 7}
"""Kerley B lines a side."""

CUFFS = {"mild": 2, "moderate": 3, "severe": 4}
"""Cuffed bronchi a side."""

AREA_CM2 = {"mild": (30.0, 270.0), "moderate": (50.0, 320.0), "severe": (60.0, 340.0)}
"""On the film, a side: from the hilum's surroundings to the whole of a lung field (150 to 325 cm²,
see ``emphysema.AREA_CM2``)."""

CONGESTED_AREA_CM2 = {"mild": (1.0, 150.0), "moderate": (10.0, 240.0), "severe": (30.0, 300.0)}
"""The same where but vessels and the hilum's surroundings have changed."""


@dataclass(frozen=True)
class Edema:
    """Hydrostatic edema: haze about both hila that fades towards the periphery, sparing it.

    With rising pressure: wide upper-lobe vessels (cephalisation), thickened septa (Kerley B lines
    at the bases) and cuffed bronchi, then fluffy acinar filling in a bat-wing distribution
    (Gluecker et al., RadioGraphics 1999; Milne et al., AJR 1985). Both sides unless one is named,
    never quite alike. No effusion and no large heart come along: these are findings of their own.
    Congestion stops at wide vessels, cuffs and a haze about the hila.

    Attributes:
        concept: Of the lexicon.
        filling: Share of perihilar air replaced, by severity.
        gain: Widening of upper-lobe vessels by severity, 1 = twice the contrast.
        septa: Whether septa are thick.
        area_cm2: What a side's mask may measure on the film.
    """

    concept: str = "pulmonary edema"
    filling: Mapping[str, tuple[float, float]] = field(default_factory=lambda: FILLING)
    gain: Mapping[str, float] = field(default_factory=lambda: GAIN)
    septa: bool = True
    area_cm2: Mapping[str, tuple[float, float]] = field(default_factory=lambda: AREA_CM2)

    def refuses(self, entity: Entity) -> str:
        """Any side, lobe or zone will do."""
        return check_place(entity, ZONES, lobes=True)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Let fluid into the lung about the hila."""
        words = settle(entity, rng)
        if not entity.location:
            words.sides = ("left", "right")
        filling = float(rng.uniform(*self.filling[words.severity]))
        reach = float(rng.uniform(46.0, 64.0))
        extent = np.zeros_like(body.water)
        lines: list[Shape] = []
        for lung in affected(body, words, rng):
            uneven = float(lung.chance.uniform(0.8, 1.15))
            room = lung.lobe(words.lobe) * lung.within(words.zone)
            redistribute(lung, self.gain[words.severity], extent)
            haze = self._haze(lung, reach, filling)
            share = uneven * filling * haze
            if not body.denied.isdisjoint(("consolidation", "airspace disease")):
                share = np.minimum(share, _DRY)
            if self.septa:
                share = share + self._septa(lung, filling)
            share = room * np.clip(share, 0.0, 0.92)
            lung.fill(share, np.maximum(lung.water, np.float32(1.0)), extent)
            if "bronchial wall thickening" not in body.denied:
                lines += cuffs(lung, CUFFS[words.severity])
            if self.septa and not words.zone and not words.lobe:
                lines += septal_lines(lung, LINES[words.severity])
        parameters: dict[str, Any] = {
            **words.to_dict(),
            "filling": filling,
            "reach_mm": reach,
        }
        return Change(parameters, body.claim(extent), shapes=tuple(lines), least_path=0.35)

    def _septa(self, lung: Lung, filling: float) -> Floats:
        """Share of septa that hold fluid, before acini do and most at the bases."""
        low = 1.0 - smooth_step(lung.heights(), 0.1, 0.7)
        held = lung.texture(reticulum) * (0.10 + 0.16 * low) * min(1.0, filling / 0.25)
        return np.asarray(held, np.float32)

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


def redistribute(lung: Lung, gain: float, extent: Floats) -> None:
    """Widen the vessels of the upper lung by ``gain``, 1 = twice the contrast (cephalisation)."""
    upper = smooth_step(lung.heights(), 0.45, 0.75)
    lung.perfuse(1.0 + gain * upper * lung.share)
    wider = gain * lung.share * upper * (lung.water - 0.14).clip(0.0, 0.3)
    lung.water[:] += wider
    # Wherever vessels are wide is part of it, not their own cells alone.
    reach = np.maximum(wider, _VESSELS * gain * upper * lung.share)
    np.maximum(extent[lung.box], reach, out=extent[lung.box])


EDEMAS = (
    Edema(),
    Edema("pulmonary congestion", CONGESTED, CONGESTED_GAIN, False, CONGESTED_AREA_CM2),
)
