"""Lungs with too much or too little air: emphysema, hyperinflation, low volumes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.finding import (
    Change,
    Words,
    check_place,
    settle,
    smooth_step,
)
from syncxr.images.simulation.findings.lung.opacity import ZONES
from syncxr.images.simulation.findings.lungs import affected
from syncxr.images.simulation.findings.texture import clouds
from syncxr.sample import Entity

VOLUME = {"mild": (1.02, 1.04), "moderate": (1.05, 1.08), "severe": (1.09, 1.12)}
"""Height of hyperinflated lungs over normal at the costophrenic angles, by severity. At total lung
capacity patients with emphysema have some 110 to 150 % of the predicted volume (own reading): a
third of it, as every dimension grows, is height."""

FLATTENING = {"mild": -8.0, "moderate": -17.0, "severe": -25.0}
"""Further fall of the domes' middle, mm: the sign most closely tied to obstruction is a dome less
than 1.5 cm high above the angles (Pratt, Am J Med 1987)."""

_LOWEST = -64.0
"""Fall of a dome, mm, beyond which the diaphragm would stand below the costophrenic angles."""

DESTRUCTION = {"mild": 0.16, "moderate": 0.32, "severe": 0.52}
"""Share of the lung's tissue lost where it is worst."""

LOW_VOLUME = {"mild": (0.86, 0.90), "moderate": (0.80, 0.84), "severe": (0.73, 0.77)}
"""Height of lungs at a shallow breath over normal."""

AREA_CM2 = dict.fromkeys(("mild", "moderate", "severe"), (140.0, 420.0))
"""On the film, a side: the whole lung, recess included (some 90 cm² more, own reading). Planimetry
of 119 adults gave 9.6 S - 1367 ml of lung for S cm² of right, left and lateral field together (Acta
Radiol 2016, doi 10.1177/0284185115618548): lungs of 3 to 8 l have S of 455 to 975 cm², some third
of it a side, which is 150 to 325 cm²."""


@dataclass(frozen=True)
class Airy:
    """Lungs that hold more or less air than they should; the mask is the whole of them.

    Hyperinflation: low, flat domes, a narrow heart that hangs long, wide lungs. Emphysema: the same
    with tissue destroyed, most in the upper lung: darker, with few and thin vessels (Fleischner
    Society glossary, 2008; Foster et al., RadioGraphics 1993). Low volumes: high domes, crowded
    vessels.

    Attributes:
        concept: Of the lexicon.
        volume: Height of the lungs over normal by severity.
        flattens: Whether the domes become flat.
        destroys: Whether tissue is lost.
        area_cm2: What a side's mask may measure on the film.
    """

    concept: str
    volume: Mapping[str, tuple[float, float]]
    flattens: bool = True
    destroys: bool = False
    area_cm2: Mapping[str, tuple[float, float]] = field(default_factory=lambda: AREA_CM2)

    def refuses(self, entity: Entity) -> str:
        """Emphysema may keep to a zone; volumes are those of both lungs."""
        return check_place(entity, ZONES if self.destroys else (), lobes=self.destroys)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Change volume and tissue of both lungs."""
        words = settle(entity, rng)
        if not entity.location:
            words.sides = ("left", "right")
        low, high = self.volume[words.severity]
        volume = low + (high - low) * float(rng.random())
        extent = np.zeros_like(body.water)
        for lung in affected(body, words, rng):
            room = lung.lobe(words.lobe) * lung.within(words.zone)
            if self.destroys:
                upper = 0.45 + 0.55 * smooth_step(lung.heights(), 0.2, 0.8)
                patchy = np.clip(1.0 + 0.3 * lung.texture(clouds), 0.4, 1.4)
                lost = room * (DESTRUCTION[words.severity] * upper * patchy).clip(0.0, 0.85)
                lung.water[:] *= 1.0 - lost
                lung.perfuse((1.0 - 1.3 * lost).clip(0.1))
            np.maximum(extent[lung.box], room, out=extent[lung.box])
        patient = self._patient(body, words, volume)
        parameters: dict[str, Any] = {**words.to_dict(), "mass_effect": patient}
        return Change(parameters, body.claim(extent), patient=patient, least_path=2.0)

    def _patient(self, body: Body, words: Words, volume: float) -> dict[str, float]:
        """Fields of the patient that go with the volume.

        Of one lung alone the dome stands lower or higher; ribs and heart stay.
        """
        patient = body.sampled
        if self.destroys and "hyperinflation" in body.denied:
            return {}
        both = len(words.sides) > 1
        deep = (volume - 1.0) * (body.marks.apex - body.marks.dome)
        fall = FLATTENING[words.severity] if self.flattens else 0.0
        changed = {"lung_volume": volume} if both else {}
        for side in words.sides:
            height: float = getattr(patient, f"{side}_dome")
            if self.flattens:
                height = max(min(height, -12.0) + fall, _LOWEST + deep)
            if self.flattens or not both:
                changed[f"{side}_dome"] = height if both else height - deep
        if self.flattens and both and patient.heart_ratio < 0.5:
            changed["heart_ratio"] = max(0.36, patient.heart_ratio + 0.002 * fall)
        return changed


AIRY = (
    Airy("emphysema", VOLUME, destroys=True),
    Airy("chronic obstructive pulmonary disease", VOLUME, destroys=True),
    Airy("hyperinflation", VOLUME),
    Airy("low lung volumes", LOW_VOLUME, flattens=False),
)
