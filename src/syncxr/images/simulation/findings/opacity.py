"""Airspace opacities: dense consolidation and fainter opacity."""

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
) -> Change:
    """Fill airspace with a cloud that keeps to its lung, lobe and zone.

    Args:
        body: To change.
        entity: What the text says.
        rng: Source of chance.
        density: Range of the filled lung's density, g/cm³.
        softness: Width of the border as a share of the radius.
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
        centre = pick_centre(
            body, lung, words.zone, 0.3 * radius, np.random.default_rng(place_seed), clear=0.6
        )
        distance = np.sqrt(
            ((x - centre[0]) / (radius * stretch[0])) ** 2
            + ((y - centre[1]) / (radius * stretch[1])) ** 2
            + ((z - centre[2]) / (radius * stretch[2])) ** 2
        )
        ragged = distance + 0.28 * _texture(distance.shape, np.random.default_rng(texture_seed))
        share = lung * (1.0 - smooth_step(ragged, 1.0 - softness, 1.0 + softness))
        if words.zone:
            low, high = zone_limits(body, words.zone)
            share = share * smooth_step(z, low - 30.0, low - 5.0)
            share = share * (1.0 - smooth_step(z, high + 5.0, high + 30.0))
        share = share.astype(np.float32)
        body.fill(share, np.maximum(body.water, filled))
        extent += share
        clouds[side] = {"radius_mm": radius, "centre_mm": list(centre), "density": filled}
    return Change({**words.to_dict(), "clouds": clouds}, extent, least_path=1.0)


def _texture(shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Smooth noise of about unit variance, correlated over some 3 cm."""
    coarse = rng.standard_normal(tuple(max(4, n // 14) for n in shape)).astype(np.float32)
    for axis, count in enumerate(shape):
        at = np.linspace(0, coarse.shape[axis] - 1, count)
        weights = np.maximum(0.0, 1.0 - np.abs(at[:, None] - np.arange(coarse.shape[axis])))
        coarse = np.moveaxis(np.tensordot(weights.astype(np.float32), coarse, (1, axis)), 0, axis)
    return np.ascontiguousarray(coarse) * np.float32(1.4)


@dataclass(frozen=True)
class Consolidation:
    """Airspaces filled with fluid or cells: dense, ill-defined, hiding the vessels within."""

    concept: str = "consolidation"

    def refuses(self, entity: Entity) -> str:
        """Any lobe or zone will do."""
        return check_place(entity, ZONES, lobes=True)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Fill airspace nearly wholly."""
        return insert_airspace(body, entity, rng, (0.75, 0.95), 0.25)


@dataclass(frozen=True)
class Opacity:
    """Any hazy increase of density with soft borders through which vessels still show."""

    concept: str = "opacity"

    def refuses(self, entity: Entity) -> str:
        """Any lobe or zone will do."""
        return check_place(entity, ZONES, lobes=True)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Fill airspace in part."""
        return insert_airspace(body, entity, rng, (0.4, 0.6), 0.45)
