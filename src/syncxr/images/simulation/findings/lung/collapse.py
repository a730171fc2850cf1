"""Collapse of a lobe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from syncxr.images.simulation.anatomy import combined
from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.finding import Change, check_place, settle, smooth_step
from syncxr.images.simulation.findings.lung.opacity import ZONES
from syncxr.images.simulation.findings.lungs import Lung, affected
from syncxr.images.simulation.findings.texture import clouds
from syncxr.images.simulation.thorax import Floats
from syncxr.sample import Entity

DEGREE = {"mild": (0.40, 0.50), "moderate": (0.62, 0.72), "severe": (0.86, 0.96)}
"""Of the way from a full lobe to one without air, by severity."""

AREA_CM2 = {"mild": (12.0, 190.0), "moderate": (10.0, 160.0), "severe": (8.0, 140.0)}
"""On the film. A lobe's shadow is a quarter to two thirds of a lung field of 150 to 325 cm² (see
``emphysema.AREA_CM2``) and shrinks to a fifth of itself when airless; a left upper lobe, which
falls forward, keeps its width."""

_DENSITY = 0.97
"""Of airless lung, g/cm³."""


@dataclass(frozen=True)
class _Way:
    """How a lobe collapses: what of its size is left, and where it goes.

    Attributes:
        left: Share of width, depth and height that an airless lobe keeps.
        x: Where it goes, mm outwards from the midline.
        y: Where it goes, 0 = back of the chest, 1 = front.
        z: Where it goes, 0 = dome, 1 = apex.
        dome: Rise of the hemidiaphragm, mm.
        shift: Of heart and mediastinum towards it, mm.
        upper_shift: Of trachea and upper mediastinum beyond that, mm.
        hinge: Distances from the midline, mm, between which it goes over from keeping its height to
            losing it: a fissure swings about the hilum.
    """

    left: tuple[float, float, float]
    x: float
    y: float
    z: float
    dome: float
    shift: float
    upper_shift: float
    hinge: tuple[float, float] | None = None


_WAYS = {
    "right upper lobe": _Way((0.42, 0.75, 0.40), 12.0, 0.55, 1.0, 6.0, 2.0, 9.0, (22.0, 62.0)),
    "right middle lobe": _Way((0.66, 0.70, 0.14), 16.0, 0.75, 0.18, 2.0, 1.0, 0.0, (18.0, 84.0)),
    "right lower lobe": _Way((0.38, 0.60, 0.62), 16.0, 0.15, -0.10, 16.0, 7.0, 0.0),
    "left upper lobe": _Way((0.80, 0.28, 0.85), 22.0, 0.90, 0.60, 10.0, 5.0, 6.0),
    "left lower lobe": _Way((0.38, 0.60, 0.62), 14.0, 0.15, -0.10, 16.0, 7.0, 0.0),
}
"""Direct and indirect signs lobe by lobe (Felson, Chest Roentgenology, 1973; Proto and Tocino,
Semin Roentgenol 1980): upper lobes to apex or front, middle lobe to the heart's border, lower
lobes to the spine; the diaphragm rises, mediastinum and fissures follow."""


@dataclass(frozen=True)
class Collapse:
    """A lobe that has lost its air: small, dense, drawn to its hilum, its fissure displaced.

    The neighbouring lobe takes its room. Loss of volume shows in what moves: hemidiaphragm,
    mediastinum, trachea, unless the text denies that.
    """

    concept: str = "lobar collapse"
    area_cm2: Mapping[str, tuple[float, float]] = field(default_factory=lambda: AREA_CM2)

    def refuses(self, entity: Entity) -> str:
        """Any lobe; a zone stands for the lobe in it."""
        return check_place(entity, ZONES, lobes=True)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Collapse one lobe a side."""
        words = settle(entity, rng, ("lower zone", "upper zone"))
        extent = np.zeros_like(body.water)
        collapsed: dict[str, Any] = {}
        asks: list[Mapping[str, float]] = []
        for lung in affected(body, words, rng):
            lobe = words.lobe or self._lobe(lung, words.zone)
            low, high = DEGREE[words.severity]
            degree = low + (high - low) * float(lung.chance.random())
            way = _WAYS.get(f"{lung.side} {lobe}", _WAYS[f"{lung.side} upper lobe"])
            share = self._shrunk(lung, lung.lobe(lobe), way, degree)
            uneven = 1.0 + 0.05 * lung.texture(clouds)
            density = 0.35 + (_DENSITY - 0.35) * min(1.0, 0.35 + 0.7 * degree)
            lung.fill(share, np.maximum(lung.water, density * uneven), extent)
            asks.append(self._pull(lung, way, degree))
            collapsed[lung.side] = {"lobe": lobe, "degree": degree, "density": density}
        patient = combined(body.sampled, asks)
        parameters = {**words.to_dict(), "collapsed": collapsed, "mass_effect": patient}
        return Change(parameters, body.claim(extent), patient=patient, least_path=1.0)

    def _lobe(self, lung: Lung, zone: str) -> str:
        """The lobe that a zone stands for."""
        if zone == "mid zone" and lung.side == "right":
            return "middle lobe"
        return "upper lobe" if zone in ("upper zone", "apex", "mid zone") else "lower lobe"

    def _shrunk(self, lung: Lung, lobe: Floats, way: _Way, degree: float) -> Floats:
        """The lobe drawn to where it goes: each cell looks up where its tissue was."""
        marks = lung.body.marks
        x, z = lung.x[0, 0], lung.z[0, :, 0]
        kept = [1.0 - degree * (1.0 - left) for left in way.left]
        to_x = way.x * lung.sign
        to_z = marks.dome + way.z * (marks.apex - marks.dome)
        to_y = marks.back + way.y * (marks.front - marks.back)
        from_y = to_y + (lung.y[:, 0, 0] - to_y) / kept[1]
        slab = np.interp(from_y, lung.y[:, 0, 0], np.arange(len(from_y)), left=-1, right=-1)
        deep = lobe[np.rint(slab).astype(int)] * (slab >= 0)[:, None, None]
        hinge = smooth_step(np.abs(x), *way.hinge) if way.hinge else np.ones_like(x)
        kept_z = 1.0 - degree * (1.0 - way.left[2]) * (0.40 + 0.60 * hinge)
        from_z = to_z + (z[:, None] - to_z) / kept_z
        from_x = to_x + (x - to_x) / kept[0]
        drawn = lung.look_up(deep, from_z.astype(np.float32), from_x[None, :])
        return np.minimum(drawn, lung.share)

    def _pull(self, lung: Lung, way: _Way, degree: float) -> dict[str, float]:
        """Patient's fields that follow the loss of volume, but for what the text denies."""
        denied, patient = lung.body.denied, lung.body.sampled
        if "volume loss" in denied:
            return {}
        dome = f"{lung.side}_dome"
        changed: dict[str, float] = {}
        if "diaphragmatic elevation" not in denied:
            changed[dome] = float(getattr(patient, dome)) + degree * way.dome
        if denied.isdisjoint(("mediastinal shift", "tracheal deviation")):
            changed["shift"] = patient.shift + lung.sign * degree * way.shift
            changed["upper_shift"] = patient.upper_shift + lung.sign * degree * way.upper_shift
        return changed
