"""Pleural thickening and scarring: apical caps and peels along the wall."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from syncxr.entities.location import Location
from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.finding import Change, check_place, settle, smooth_step
from syncxr.images.simulation.findings.lungs import Lung, affected
from syncxr.images.simulation.findings.texture import clouds, grain
from syncxr.images.simulation.thorax import Floats
from syncxr.sample import Entity

THICKNESS = {"mild": (4.0, 6.0), "moderate": (8.0, 11.0), "severe": (14.0, 20.0)}
"""mm. An apical cap is mostly below 5 mm thick (Fleischner Society glossary, 2008; McLoud et al.,
AJR 1981); the ILO classification (2022) grades thickening of the wall at 3 to 5, 5 to 10 and above
10 mm."""

AREA_CM2 = {"mild": (0.8, 45.0), "moderate": (2.0, 70.0), "severe": (5.0, 100.0)}
"""On the film, a side: a cap is some 5 cm wide, a peel 10 to 20 cm long, each of the thickness
above in profile; where the wall turns to the front its fading edge counts, too."""


@dataclass(frozen=True)
class Thickening:
    """Soft tissue along the pleura: a cap over the apex or a peel along the lateral wall.

    The lower edge of a cap is sharp and uneven, often undulating (Fleischner Society glossary);
    a peel runs along ribs in profile and tapers at its ends (ILO classification of radiographs of
    pneumoconioses). Where nothing is said, "thickening" is at the apex as often as at the side.

    Attributes:
        concept: Of the lexicon.
        ragged: Unevenness of the inner edge, mm; scars are more uneven.
        area_cm2: What a side's mask may measure on the film.
    """

    concept: str
    ragged: float
    area_cm2: Mapping[str, tuple[float, float]] = field(default_factory=lambda: AREA_CM2)

    def refuses(self, entity: Entity) -> str:
        """Apex, base or the side of the chest."""
        return check_place(entity, ("apex", "base"), False)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Line the pleura."""
        words = settle(entity, rng, ("apex", "lateral"))
        if not Location.parse(entity.location).side and words.zone == "apex":
            words.sides = ("left", "right")
        extent = np.zeros_like(body.water)
        layers: dict[str, Any] = {}
        for lung in affected(body, words, rng):
            thick = float(lung.chance.uniform(*THICKNESS[words.severity]))
            make = _cap if words.zone == "apex" else _peel
            depth = make(lung, thick, words.zone)
            uneven = self.ragged * (lung.texture(clouds) + 0.5 * lung.texture(grain))
            beyond = _under_apex(lung) if words.zone == "apex" else lung.wall
            over = np.asarray(depth + uneven - beyond, np.float32)
            share = lung.share * smooth_step(over, -1.2, 1.2)
            lung.fill(share, np.maximum(lung.water, np.float32(1.0)), extent)
            layers[lung.side] = {"thickness_mm": thick}
        return Change({**words.to_dict(), "layers": layers}, body.claim(extent), least_path=0.8)


def _under_apex(lung: Lung) -> Floats:
    """Height of lung above each cell, mm."""
    step = float(lung.z[0, 1, 0] - lung.z[0, 0, 0])
    above: Floats = np.cumsum(lung.share[:, ::-1], axis=1)[:, ::-1] * np.float32(step)
    return above


def _cap(lung: Lung, thick: float, _: str) -> Floats:
    """Thickness over the apex, running out as the lung's top falls away to the sides."""
    rows = np.flatnonzero((lung.share > 0.5).any((0, 2)))
    top = float(lung.z[0, rows[-1], 0])
    over = smooth_step(lung.z, top - 32.0, top - 6.0)
    return np.broadcast_to(thick * over - 3.0 * (1.0 - over), lung.share.shape)


def _peel(lung: Lung, thick: float, zone: str) -> Floats:
    """Thickness along the lateral wall, tapering to both ends."""
    # Down in the recess a peel would blunt the angle as fluid does.
    open_angle = not lung.body.denied.isdisjoint(
        ("pleural effusion", "costophrenic angle blunting")
    )
    low = lung.body.marks.dome + 6.0 if open_angle else lung.body.marks.foot - 10.0
    top = float(
        lung.chance.uniform(0.25, 0.45) if zone == "base" else lung.chance.uniform(0.5, 0.8)
    )
    high = lung.body.marks.dome + top * (lung.body.marks.apex - lung.body.marks.dome)
    ends = smooth_step(lung.z, low, low + 10.0) * (1.0 - smooth_step(lung.z, high - 30.0, high))
    # Of the wall's curve only what the beam grazes: 4 cm inwards of the outermost lung.
    reach = np.where((lung.share > 0.3).any(0), lung.sign * lung.x[0], 0.0).max(1)
    lateral = smooth_step(lung.sign * lung.x - reach[None, :, None], -36.0, -18.0)
    along = ends * lateral
    return np.broadcast_to(thick * along - 3.0 * (1.0 - along), lung.share.shape)


THICKENINGS = (
    Thickening("pleural thickening", 1.0),
    Thickening("pleural scarring", 2.2),
)
