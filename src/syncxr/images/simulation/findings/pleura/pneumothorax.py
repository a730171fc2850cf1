"""Pneumothorax, with and without fluid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import ndimage

from syncxr.images.simulation.anatomy import combined
from syncxr.images.simulation.body import LUNG_DENSITY, Body
from syncxr.images.simulation.findings.finding import Change, check_place, settle, smooth_step
from syncxr.images.simulation.findings.lungs import Lung, affected
from syncxr.images.simulation.findings.pleura.edge import pleural_edge
from syncxr.images.simulation.findings.pleura.effusion import DENSITY, shifted
from syncxr.images.simulation.findings.pleura.level import level_surface
from syncxr.images.simulation.findings.pleura.lying import (
    AIR_MM,
    EDGE_SHARE,
    FLUID_MM,
    SULCUS,
    deep_sulcus,
    fluid_front,
    under_air,
)
from syncxr.images.simulation.findings.texture import clouds
from syncxr.images.simulation.shapes import Shape
from syncxr.images.simulation.thorax import Floats
from syncxr.sample import Entity

APICAL_GAPS = {"mild": (18.0, 28.0), "moderate": (32.0, 48.0), "severe": (60.0, 95.0)}
"""Gap between apex and cupola by severity, mm.

Up to 3 cm is small (American College of Chest Physicians consensus, Baumann et al., Chest 2001).
"""

LATERAL = {"mild": (0.35, 0.55), "moderate": (0.40, 0.60), "severe": (0.50, 0.68)}
"""Gap at the side as a share of the apical one: more than 2 cm at the hilum, about half of the
lung's volume, is large (British Thoracic Society 2010)."""

_APICAL_ONLY = (0.15, 0.3)
"""The same where the words say that air is at the apex."""

_BASAL = {"mild": 0.2, "moderate": 0.3, "severe": 0.5}
"""Gap at the foot of the lung as a share of that at the side: the whole lung leaves the wall as the
air gets more."""

_BLOOD_KEPT = 0.75
"""Exponent of the lung's density over its loss of room: a lung keeps its tissue as it shrinks, but
less blood flows through it."""

LEVELS = {"mild": (-0.10, 0.02), "moderate": (0.12, 0.24), "severe": (0.32, 0.46)}
"""Fluid level of a hydropneumothorax, from dome (0) to apex (1), by severity."""

AREA_CM2 = {"mild": (25.0, 150.0), "moderate": (45.0, 200.0), "severe": (80.0, 300.0)}
"""On the film, a side: a rim of the gaps above around a lung field of 150 to 325 cm² (planimetry,
Acta Radiol 2016), with what lies before and behind the lung; a large one leaves little of it."""

HYDRO_AREA_CM2 = {"mild": (40.0, 240.0), "moderate": (90.0, 280.0), "severe": (130.0, 340.0)}
"""On the film, a side: air and fluid together."""

_STILL = 12.0
"""How far below the heart's middle a lung stays where it is as its apex sinks, mm."""

_DROWNED = 0.2
"""Air that lung below a fluid level loses, as a share."""

_TENSION = 0.4
"""Share of large pneumothoraces drawn under tension."""


@dataclass(frozen=True)
class Pneumothorax:
    """Air between lung and chest wall: in an upright patient most at the apex, then at the side.

    The lung draws away from the wall; its pleura shows as a thin line that runs along the wall, and
    beyond it there are no vessels. The lung left over is a little denser. Under tension the
    mediastinum is pushed away and the diaphragm down (Fleischner Society glossary, 2008; O'Connor
    and Morgan, BMJ 2005). With fluid (hydropneumothorax) there is a level, flat from wall to wall.

    In a patient who lies, air gathers before the lung and at its foot: the lower chest is darker,
    the lateral sulcus deep and dark, and the line at apex and side is left to large ones (Tocino et
    al., AJR 1985). Fluid then lies behind the lung, without a level.

    Attributes:
        concept: Of the lexicon.
        fluid: Whether fluid lies below a level.
        area_cm2: What a side's mask may measure on the film.
    """

    concept: str = "pneumothorax"
    fluid: bool = False
    area_cm2: Mapping[str, tuple[float, float]] = field(default_factory=lambda: AREA_CM2)

    def refuses(self, entity: Entity) -> str:
        """Free air rises to the apex."""
        return check_place(entity, ("apex",), False)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Let air in, side by side."""
        words = settle(entity, rng)
        extent = np.zeros_like(body.water)
        gaps: dict[str, Any] = {}
        edges: list[Shape] = []
        asks: list[Mapping[str, Any]] = []
        for lung in affected(body, words, rng):
            low, high = APICAL_GAPS[words.severity]
            apical = low + (high - low) * float(lung.chance.random())
            ratio = _APICAL_ONLY if words.zone == "apex" else LATERAL[words.severity]
            lateral = apical * float(lung.chance.uniform(*ratio))
            at = float(lung.chance.uniform(*LEVELS[words.severity]))
            found: dict[str, Any] = {"apical_mm": apical, "lateral_mm": lateral}
            if float(lung.chance.random()) < _TENSION and words.severity == "severe":
                asks.append(self._tension(lung))
                found["tension"] = True
            basal = _BASAL[words.severity]
            if body.supine:
                apical, lateral = (gap * EDGE_SHARE[words.severity] for gap in (apical, lateral))
                basal = 1.0
            kept, room = _collapse(lung, apical, lateral, basal)
            if body.supine:
                found |= self._rise(lung, words.severity, extent)
                kept = kept * under_air(lung, found["layer_mm"])
            air = (lung.share - kept).clip(0.0)
            lung.fill(air, 0.001, extent)
            denser = LUNG_DENSITY * (room**-_BLOOD_KEPT - 1.0)
            lung.water[:] += (lung.share - air) * denser * (1.0 - lung.water).clip(0.0, 1.0)
            floor = -np.inf
            if self.fluid:
                wet, floor, said = self._pour(lung, at, words.severity, asks)
                dry = _drowned(lung, kept) * wet
                lung.fill(lung.share * wet - dry, DENSITY, extent)
                lung.water[:] += _DROWNED * dry * (1.0 - lung.water).clip(0.0, 1.0)
                found |= said
            edges += pleural_edge(lung, kept, floor)
            gaps[lung.side] = found
        parameters = {**words.to_dict(), "gaps": gaps}
        patient = combined(body.sampled, asks)
        if patient:
            parameters["mass_effect"] = patient
        return Change(
            parameters,
            body.claim(extent),
            shapes=tuple(edges),
            patient=patient,
            least_path=1.2,
            moves=True,
        )

    def _pour(
        self, lung: Lung, at: float, severity: str, asks: Iterable[Mapping[str, Any]]
    ) -> tuple[Floats, float, dict[str, float]]:
        """Share of each cell that fluid would take, the height of its level, and what to note."""
        if lung.body.supine:
            layer = float(np.mean(FLUID_MM[severity]))
            half = 0.5 * lung.body.slabs.thickness
            behind = fluid_front(lung, layer, 0.0) - lung.y
            return smooth_step(behind, -half, half), -np.inf, {"fluid_mm": layer}
        marks = lung.body.marks
        height = marks.dome + at * (marks.apex - marks.dome)
        floor = level_surface(lung, height, lung.body.asked(*asks))
        wet = smooth_step(floor - lung.z, -1.0, 1.0)
        return wet, float(floor.mean()), {"level_mm": height}

    def _rise(self, lung: Lung, severity: str, extent: Floats) -> dict[str, Any]:
        """Let air rise before the lung of a patient who lies, and into the sulcus at its foot."""
        chance = np.random.default_rng(int(lung.chance.integers(2**32)))
        layer = float(chance.uniform(*AIR_MM[severity]))
        deeper = float(chance.uniform(*SULCUS[severity]))
        deep_sulcus(lung, deeper, extent)
        return {"supine": True, "layer_mm": layer, "sulcus_mm": deeper}

    def _tension(self, lung: Lung) -> dict[str, float]:
        """Patient's fields under tension, but for what the text denies."""
        dome = f"{lung.side}_dome"
        moved = shifted(lung.body, -lung.sign * float(lung.chance.uniform(8.0, 16.0)))
        lowered = float(getattr(lung.body.sampled, dome)) - float(lung.chance.uniform(6.0, 14.0))
        return {**moved, dome: lowered}


def _collapse(lung: Lung, apical: float, lateral: float, basal: float) -> tuple[Floats, Floats]:
    """The lung drawn towards its hilum: down from the apex, in from the side, less at the base.

    Each cell looks up the cell of the full lung that comes to lie there.

    Returns:
        Share of each cell that is still lung, (k, r, c), and the room that lung has left, as a
        share of what it had, (1, r, 1).
    """
    marks = lung.body.marks
    x, z = lung.x[0, 0], lung.z[0, :, 0]
    hilum_x, still = 20.0 * lung.sign, marks.heart[2] - _STILL
    squeeze_z = 1.0 - apical / (marks.apex - still)
    from_z = np.where(z > still, still + (z - still) / squeeze_z, z)
    below = np.clip((still + _STILL - z) / (still + _STILL - marks.foot), 0.0, 1.0)
    squeeze_x = 1.0 - lateral * (1.0 - (1.0 - basal) * below) / (marks.half_width - 20.0)
    from_x = hilum_x + (x - hilum_x) / squeeze_x[:, None]
    outward = lung.sign * (x - hilum_x) > 0
    from_x = np.where(outward[None, :], from_x, x[None, :])
    kept = np.minimum(lung.look_up(lung.share, from_z[:, None], from_x), lung.share)
    room = squeeze_x * np.where(z > still, squeeze_z, 1.0)
    return kept, ndimage.gaussian_filter1d(room, 6.0)[None, :, None].astype(np.float32)


def _drowned(lung: Lung, kept: Floats) -> Floats:
    """Share of each cell that stays lung below the fluid: what hangs at the hilum, fluid all round.

    Fluid before and behind it makes the level run from wall to mediastinum.
    """
    x, y, _ = lung.hilum
    away = ((lung.x - x) / 50.0) ** 2 + ((lung.y - y) / 60.0) ** 2
    dome = lung.body.marks.dome
    low = smooth_step(lung.z, dome - 15.0, dome + 30.0)
    uneven = np.sqrt(away) + 0.15 * lung.texture(clouds)
    return np.asarray(kept * low * (1.0 - smooth_step(uneven, 0.6, 1.1)), np.float32)


PNEUMOTHORACES = (
    Pneumothorax(),
    Pneumothorax("hydropneumothorax", fluid=True, area_cm2=HYDRO_AREA_CM2),
)
