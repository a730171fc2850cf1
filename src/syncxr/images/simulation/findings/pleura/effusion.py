"""Free pleural effusion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.finding import (
    Change,
    check_place,
    settle,
    smooth_step,
)
from syncxr.images.simulation.findings.lungs import Lung, affected
from syncxr.images.simulation.findings.pleura.level import level_surface
from syncxr.images.simulation.findings.pleura.lying import FLUID_MM, fluid_front
from syncxr.images.simulation.findings.texture import clouds
from syncxr.images.simulation.thorax import Floats
from syncxr.sample import Entity

LEVELS = {"mild": (-0.22, -0.10), "moderate": (0.10, 0.24), "severe": (0.44, 0.64)}
"""Level at the chest wall by severity; 0 = height of a mean dome, 1 = apex, -0.3 = the angle.

Small: blunts the costophrenic angle and hides the dome's flank; moderate: a third of the lung
field; large: half and more (Light, Pleural Diseases, chapter on imaging).
"""

BLUNTING = {"mild": (-0.26, -0.24), "moderate": (-0.24, -0.21), "severe": (-0.21, -0.18)}
"""Level of what merely blunts the costophrenic angle."""

AREA_CM2 = {"mild": (15.0, 110.0), "moderate": (60.0, 190.0), "severe": (110.0, 300.0)}
"""On the film, a side, the recess behind the diaphragm included: a fifth, a half and most of a lung
field of 150 to 325 cm² (see ``emphysema.AREA_CM2``), and the recess, some 90 cm² (own reading)."""

BLUNTING_AREA_CM2 = {"mild": (1.5, 60.0), "moderate": (3.0, 70.0), "severe": (5.0, 80.0)}
"""On the film, a side: the angle and, unseen behind dome and liver, the recess."""

_ANGLE = -0.3
"""Level of the costophrenic angle."""

_LATERAL = 0.75
"""Where the angle is, as a share of the chest's half width."""

DENSITY = 1.02
"""Of transudate and exudate alike, g/cm³."""

COMPRESSION = ("atelectasis", "lobar collapse", "volume loss", "consolidation", "opacity")
"""Denying any of these forbids passive atelectasis beside the fluid."""

_PUSHES = 0.4
"""Level from which fluid pushes the mediastinum away."""


@dataclass(frozen=True)
class Effusion:
    """Fluid around the lung's foot in an upright patient, rising along the chest wall.

    Fluid takes the room of lung below a level that climbs towards the chest wall (the meniscus:
    the lung's recoil is least there) and hides costophrenic angle and diaphragm (Felson, Chest
    Roentgenology, 1973). The surface is uneven, steeper at the side than in front and behind, and
    fluid enters a fissure in some. Lung just above is compressed (passive atelectasis, Woodring and
    Reed 1996), unless the text denies it. A large one pushes the mediastinum away.

    In a patient who lies, fluid layers behind the lung: a veil over the hemithorax through which
    vessels are seen, denser towards the base and along the wall (Woodring, AJR 1984; Ruskin et al.,
    AJR 1987). What merely blunts an angle is as often a scar and stays where it is.

    Attributes:
        concept: Of the lexicon.
        levels: Level by severity, see :data:`LEVELS`.
        area_cm2: What a side's mask may measure on the film.
        least_path: Of fluid and lost air that makes a pixel part of the mask, cm.
    """

    concept: str = "pleural effusion"
    levels: Mapping[str, tuple[float, float]] = field(default_factory=lambda: LEVELS)
    area_cm2: Mapping[str, tuple[float, float]] = field(default_factory=lambda: AREA_CM2)
    least_path: float = 0.8

    def refuses(self, entity: Entity) -> str:
        """Free fluid lies at the base."""
        return check_place(entity, ("base",), False)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Pour fluid in, side by side."""
        words = settle(entity, rng)
        extent = np.zeros_like(body.water)
        levels: dict[str, Any] = {}
        push = 0.0
        for lung in affected(body, words, rng):
            low, high = self.levels[words.severity]
            amount = float(lung.chance.random())
            level = low + (high - low) * amount
            # A thin layer is held up less than a deep one.
            rise = 42.0 * min(1.0, 0.4 + 2.0 * max(0.0, level + 0.22))
            rise *= float(lung.chance.uniform(0.7, 1.25))
            height = _height(lung, level)
            fissure = float(lung.chance.random()) < 0.4 and self.levels is LEVELS
            lies = body.supine and self.levels is LEVELS
            if lies:
                least, most = FLUID_MM[words.severity]
                layer = least + (most - least) * amount
                above = lung.y - fluid_front(lung, layer, rise)
            else:
                surface = _surface(lung, level_surface(lung, height, body.patient), rise)
                above = lung.z - surface
            if self.levels is BLUNTING:
                # Little more than the angle itself: often a scar, which does not run level.
                above = above + 22.0 * (1.0 - smooth_step(np.abs(lung.x), 50.0, 95.0))
            soft = 0.5 * body.slabs.thickness if lies else 2.5
            share = lung.share * smooth_step(-above, -soft, soft)
            squeezed = self._compress(lung, above, words.severity, extent)
            lung.fill(share, DENSITY, extent)
            if fissure:
                lung.fill(_in_fissure(lung, above), DENSITY, extent)
            levels[lung.side] = {
                **({"supine": True, "layer_mm": layer} if lies else {"level_mm": height}),
                "meniscus_mm": rise,
                "in_fissure": fissure,
                "passive_atelectasis": squeezed,
            }
            if level > _PUSHES:
                push -= lung.sign * float(lung.chance.uniform(3.0, 12.0))
        parameters = {**words.to_dict(), "levels": levels}
        patient = shifted(body, push)
        if patient:
            parameters["mass_effect"] = {"mediastinal_shift_mm": push}
        return Change(parameters, body.claim(extent), patient=patient, least_path=self.least_path)

    def _compress(self, lung: Lung, above: Floats, severity: str, extent: Floats) -> bool:
        """Lung that floats on the fluid loses air; ``False`` if the text will not have it."""
        if severity == "mild" or not lung.body.denied.isdisjoint(COMPRESSION):
            return False
        near = np.exp(-np.maximum(above, 0.0) / 16.0)
        loss = 0.22 * lung.share * near * (1.0 + 0.4 * lung.texture(clouds))
        lung.water[:] += np.float32(1.0) * loss * (1.0 - lung.water).clip(0.0)
        part = extent[lung.box]
        np.maximum(part, loss, out=part)
        return True


def _height(lung: Lung, level: float) -> float:
    """Height of a level, mm: from the costophrenic angle over a mean dome to the apex."""
    marks = lung.body.marks
    if level >= 0.0:
        return marks.dome + level * (marks.apex - marks.dome)
    lateral = (lung.share > 0.5) & (lung.sign * lung.x > _LATERAL * marks.half_width)
    angle = float(lung.z[0, np.flatnonzero(lateral.any((0, 2)))[0], 0])
    return marks.dome + level / _ANGLE * (angle - marks.dome)


def _surface(lung: Lung, level: Floats, rise: float) -> Floats:
    """Height of the fluid's surface over each cell, mm, (k, r, c)."""
    # Steep at the side; in front and behind the same fluid is seen face on, as a veil.
    lateral = smooth_step(np.abs(lung.x), 25.0, 105.0)
    reach = 13.0 + 20.0 * lateral
    climb = rise * np.exp(-lung.wall / reach) * (0.45 + 0.55 * lateral)
    return np.asarray(level + climb + 3.5 * lung.texture(clouds), np.float32)


def _in_fissure(lung: Lung, above: Floats) -> Floats:
    """Fluid that runs up between the lobes, thinner with the distance above the surface."""
    thinner = np.exp(-np.maximum(above, 0.0) / float(lung.chance.uniform(18.0, 45.0)))
    share: Floats = lung.share * lung.body.fissures[lung.box] * thinner
    return share * np.float32(lung.chance.uniform(0.35, 0.8))


def shifted(body: Body, push: float) -> dict[str, float]:
    """The patient's fields for a mediastinum pushed to the source body's left by ``push`` mm.

    Empty if nothing moves, or if the text denies a shift.
    """
    if push == 0.0 or not body.denied.isdisjoint(("mediastinal shift", "tracheal deviation")):
        return {}
    return {"shift": body.sampled.shift + push}


EFFUSIONS = (
    Effusion("costophrenic angle blunting", BLUNTING, BLUNTING_AREA_CM2, least_path=0.5),
    Effusion(),
    # Blood and fluid attenuate alike on a film.
    Effusion("hemothorax"),
)
