"""Reticular patterns: interstitial opacities, interstitial lung disease, fibrosis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.finding import Change, check_place, settle, smooth_step
from syncxr.images.simulation.findings.lung.opacity import ZONES
from syncxr.images.simulation.findings.lungs import Lung, affected
from syncxr.images.simulation.findings.texture import clouds, reticulum
from syncxr.images.simulation.thorax import Floats
from syncxr.sample import Entity

STRENGTH = {"mild": (0.16, 0.22), "moderate": (0.34, 0.44), "severe": (0.62, 0.80)}
"""Share of a septum's air that is replaced, by severity."""

LOSS = {"mild": 0.0, "moderate": 0.06, "severe": 0.13}
"""Loss of lung volume with fibrosis, as a share of the lungs' height."""

AREA_CM2 = {"mild": (20.0, 260.0), "moderate": (35.0, 310.0), "severe": (45.0, 340.0)}
"""On the film, a side: from a zone to the whole of a lung field (150 to 325 cm², see
``emphysema.AREA_CM2``)."""


@dataclass(frozen=True)
class Reticular:
    """Innumerable small lines that add up to a net (Fleischner Society glossary, 2008).

    Interstitial opacities are all over the lungs or where the words say; fibrosis is at the bases
    and under the pleura, coarse, with small cysts (honeycombing), and takes volume from the lungs
    so that the diaphragm stands high (Lynch et al., Lancet Respir Med 2018). Both sides unless one
    is named.

    Attributes:
        concept: Of the lexicon.
        basal: Whether it favours bases and periphery.
        cysts: Share of air left within the net's meshes as holes of honeycombing.
        shrinks: Whether the lungs lose volume.
        area_cm2: What a side's mask may measure on the film.
    """

    concept: str
    basal: bool = False
    cysts: float = 0.0
    shrinks: bool = False
    area_cm2: Mapping[str, tuple[float, float]] = field(default_factory=lambda: AREA_CM2)

    def refuses(self, entity: Entity) -> str:
        """Any lobe or zone will do."""
        return check_place(entity, ZONES, lobes=True)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Thicken septa."""
        words = settle(entity, rng)
        if not entity.location:
            words.sides = ("left", "right")
        low, high = STRENGTH[words.severity]
        strength = low + (high - low) * float(rng.random())
        extent = np.zeros_like(body.water)
        for lung in affected(body, words, rng):
            room = lung.lobe(words.lobe) * lung.within(words.zone)
            where = self._where(lung, bool(words.zone or words.lobe))
            net = np.maximum(lung.texture(reticulum), lung.texture(reticulum))
            share = room * (where * strength * (net + 0.10)).clip(0.0, 0.95)
            if self.cysts:
                hole = room * self.cysts * strength * smooth_step(where, 0.5, 1.0) * (net < 0.05)
                lung.water[:] *= 1.0 - hole
                np.maximum(extent[lung.box], hole, out=extent[lung.box])
            lung.fill(share, np.maximum(lung.water, np.float32(1.0)), extent)
        parameters: dict[str, Any] = {**words.to_dict(), "strength": strength}
        patient = self._shrink(body, words.severity, parameters)
        return Change(parameters, body.claim(extent), patient=patient, least_path=0.35)

    def _where(self, lung: Lung, placed: bool) -> Floats:
        """Strength over the lung, 0 to about 1."""
        uneven = np.clip(0.85 + 0.35 * lung.texture(clouds), 0.15, 1.3)
        if not self.basal:
            return np.asarray(uneven, np.float32)
        outer = 0.3 + 0.7 * np.exp(-lung.depth / 14.0)
        low = 1.0 if placed else 0.15 + 0.85 * (1.0 - smooth_step(lung.heights(), 0.05, 0.65))
        return np.asarray(2.0 * uneven * outer * low, np.float32)

    def _shrink(self, body: Body, severity: str, parameters: dict[str, Any]) -> dict[str, float]:
        """Raise the diaphragm, unless the text denies loss of volume."""
        if not self.shrinks or not LOSS[severity]:
            return {}
        if not body.denied.isdisjoint(("volume loss", "low lung volumes")):
            return {}
        changed = {"lung_volume": body.sampled.lung_volume * (1.0 - LOSS[severity])}
        parameters["mass_effect"] = changed
        return changed


RETICULAR = (
    Reticular("interstitial opacity"),
    Reticular("interstitial lung disease", basal=True, cysts=0.2),
    Reticular("pulmonary fibrosis", basal=True, cysts=0.6, shrinks=True),
)
