"""Miliary pattern."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.finding import Change, check_place, settle
from syncxr.images.simulation.findings.lung.opacity import ZONES
from syncxr.images.simulation.findings.lungs import affected
from syncxr.images.simulation.thorax import Floats
from syncxr.sample import Entity

PER_LITRE = {"mild": 170.0, "moderate": 400.0, "severe": 900.0}
"""Nodules a litre of lung, by severity."""

RADII = (1.3, 1.5)
"""mm: miliary nodules are 1 to 3 mm wide (Fleischner Society glossary, 2008), seen by their
number."""

AREA_CM2 = {"mild": (1.0, 60.0), "moderate": (3.0, 130.0), "severe": (10.0, 240.0)}
"""On the film, a side: a disk of 0.04 to 0.1 cm² for each nodule, less as they overlap."""


@dataclass(frozen=True)
class Miliary:
    """Profuse, tiny, discrete nodules of one size, strewn evenly over both lungs.

    Blood-borne tuberculosis or metastases (Fleischner Society glossary, 2008; Kwong et al., AJR
    1996).
    """

    concept: str = "miliary pattern"
    area_cm2: Mapping[str, tuple[float, float]] = field(default_factory=lambda: AREA_CM2)

    def refuses(self, entity: Entity) -> str:
        """Any lobe or zone will do."""
        return check_place(entity, ZONES, lobes=True)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Strew nodules."""
        words = settle(entity, rng)
        if not entity.location:
            words.sides = ("left", "right")
        radius = float(rng.uniform(*RADII))
        extent = np.zeros_like(body.water)
        counts: dict[str, Any] = {}
        for lung in affected(body, words, rng):
            room = lung.lobe(words.lobe) * lung.within(words.zone)
            places = np.argwhere(room[:, :-1, :-1] > 0.6)
            cell = float(body.slabs.rows[1] - body.slabs.rows[0])
            volume = body.slabs.thickness * cell**2
            count = round(PER_LITRE[words.severity] * len(places) * volume / 1e6)
            chosen = places[lung.chance.integers(len(places), size=count)]
            sizes = radius * lung.chance.uniform(0.85, 1.15, count)
            share = _strewn(room.shape, chosen, 4.0 / 3.0 * np.pi * sizes**3 / volume, lung.chance)
            lung.fill(share, np.maximum(lung.water, np.float32(1.05)), extent)
            counts[lung.side] = count
        parameters = {**words.to_dict(), "radius_mm": radius, "count": counts}
        return Change(parameters, body.claim(extent), least_path=0.14)


def _strewn(
    shape: tuple[int, ...],
    cells: NDArray[np.int_],
    volumes: NDArray[np.float64],
    rng: np.random.Generator,
) -> Floats:
    """Small spheres as shares of cells: each is divided among the four it lies between.

    A sphere is smaller than a slab is thick, so that what it adds to a ray is right to the width of
    a cell, and a thousand of them cost no more than one.
    """
    share = np.zeros(shape, np.float32)
    between = rng.random((len(cells), 2))
    for down in (0, 1):
        for right in (0, 1):
            weight = np.abs(1 - down - between[:, 0]) * np.abs(1 - right - between[:, 1])
            k, r, c = cells.T
            np.add.at(share, (k, r + down, c + right), (weight * volumes).astype(np.float32))
    return share.clip(0.0, 1.0)
