"""Airspace opacities: dense consolidation, fainter opacity, patchy infiltrate, pneumonia."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.ct import Floats
from syncxr.images.simulation.findings.finding import (
    Change,
    check_place,
    lung_share,
    pick_centre,
    settle,
    smooth_step,
    zone_limits,
)
from syncxr.sample import Entity

ZONES = ("base", "lower zone", "mid zone", "upper zone", "apex")

RADII = {"mild": (20.0, 27.0), "moderate": (30.0, 40.0), "severe": (46.0, 62.0)}
"""Mean radius by severity, mm: a segment, several, most of a lobe."""


def insert_airspace(
    body: Body,
    entity: Entity,
    rng: np.random.Generator,
    density: tuple[float, float],
    softness: float,
    patches: int = 1,
) -> Change:
    """Fill airspace with a cloud that keeps to its lung, lobe and zone.

    Args:
        body: To change.
        entity: What the text says.
        rng: Source of chance.
        density: Range of the filled lung's density, g/cm³.
        softness: Width of the border as a share of the radius.
        patches: Clouds a side; several share the radius among them.
    """
    words = settle(entity, rng, ("lower zone", "mid zone", "upper zone"))
    extent = np.zeros_like(body.water)
    clouds: dict[str, Any] = {}
    x, y, z = body.coordinates()
    for side in ("left", "right"):
        radius = float(rng.uniform(*RADII[words.severity]))
        filled = float(rng.uniform(*density))
        stretch = rng.uniform(0.8, 1.25, 3)
        place_seed, texture_seed = (int(s) for s in rng.integers(2**32, size=2))
        if side not in words.sides:
            continue
        lung = lung_share(body, side, words.lobe)
        chance = np.random.default_rng(place_seed)
        patch = radius / patches**0.4
        distance = np.full_like(body.water, np.inf)
        centres = []
        for _ in range(patches):
            centre = pick_centre(body, lung, words.zone, 0.3 * patch, chance, clear=0.6)
            centres.append(list(centre))
            squared = (
                ((x - centre[0]) / (patch * stretch[0])) ** 2
                + ((y - centre[1]) / (patch * stretch[1])) ** 2
                + ((z - centre[2]) / (patch * stretch[2])) ** 2
            )
            distance = np.minimum(distance, np.sqrt(squared))
        ragged = distance + 0.28 * texture(distance.shape, np.random.default_rng(texture_seed))
        share = lung * (1.0 - smooth_step(ragged, 1.0 - softness, 1.0 + softness))
        if words.zone:
            low, high = zone_limits(body, words.zone)
            share = share * smooth_step(z, low - 30.0, low - 5.0)
            share = share * (1.0 - smooth_step(z, high + 5.0, high + 30.0))
        share = share.astype(np.float32)
        body.fill(share, np.maximum(body.water, filled))
        extent += share
        clouds[side] = {"radius_mm": patch, "centres_mm": centres, "density": filled}
    return Change({**words.to_dict(), "clouds": clouds}, body.claim(extent), least_path=1.0)


def texture(shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Smooth noise of about unit variance, correlated over some 3 cm, within ±1.5."""
    coarse = rng.standard_normal(tuple(max(4, n // 14) for n in shape)).astype(np.float32)
    for axis, count in enumerate(shape):
        at = np.linspace(0, coarse.shape[axis] - 1, count)
        weights = np.maximum(0.0, 1.0 - np.abs(at[:, None] - np.arange(coarse.shape[axis])))
        coarse = np.moveaxis(np.tensordot(weights.astype(np.float32), coarse, (1, axis)), 0, axis)
    # Bounded, so that noise never eats a whole cloud.
    bounded: Floats = np.clip(np.ascontiguousarray(coarse) * np.float32(1.4), -1.5, 1.5)
    return bounded


@dataclass(frozen=True)
class Airspace:
    """One kind of airspace opacity; side, lobe or zone and size follow the words.

    Attributes:
        concept: Of the lexicon.
        density: Of the filled lung, g/cm³ (aerated lung 0.15, liver 1.05).
        softness: Width of the border as a share of the radius.
        patches: Clouds a side.
    """

    concept: str
    density: tuple[float, float]
    softness: float
    patches: int = 1

    def refuses(self, entity: Entity) -> str:
        """Any lobe or zone will do."""
        return check_place(entity, ZONES, lobes=True)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Fill airspace."""
        return insert_airspace(body, entity, rng, self.density, self.softness, self.patches)


AIRSPACE = (
    # Fleischner Society glossary (Hansell et al., Radiology 2008): consolidation replaces air and
    # hides vessels; "opacity" says only that something attenuates more than what surrounds it.
    Airspace("consolidation", (0.75, 0.95), 0.25),
    Airspace("opacity", (0.40, 0.60), 0.45),
    Airspace("density", (0.40, 0.60), 0.45),
    # Used loosely in reports: here airspace filling without the density of consolidation.
    Airspace("airspace disease", (0.55, 0.80), 0.35, patches=2),
    Airspace("infiltrate", (0.35, 0.55), 0.5, patches=3),
    # What pneumonia looks like: consolidation, often patchy.
    Airspace("pneumonia", (0.60, 0.90), 0.35, patches=2),
)
