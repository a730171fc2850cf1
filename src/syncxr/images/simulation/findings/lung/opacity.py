"""Airspace opacities: consolidation, airspace disease, infiltrate, opacity, pneumonia."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.finding import Change, check_place, settle, smooth_step
from syncxr.images.simulation.findings.lung.bronchi import bronchograms
from syncxr.images.simulation.findings.lungs import Lung, affected
from syncxr.images.simulation.findings.texture import clouds, grain, reticulum
from syncxr.images.simulation.shapes import Shape
from syncxr.images.simulation.thorax import Floats
from syncxr.sample import Entity

ZONES = ("base", "lower zone", "mid zone", "upper zone", "apex")

RADII = {"mild": (20.0, 27.0), "moderate": (32.0, 42.0), "severe": (52.0, 70.0)}
"""Mean radius by severity, mm: a segment, several, a lobe."""

AREA_CM2 = {"mild": (4.0, 60.0), "moderate": (10.0, 130.0), "severe": (20.0, 240.0)}
"""On the film, a side. A lung field is 150 to 325 cm² (see ``emphysema.AREA_CM2``); a segment is a
tenth of a lung, a lobe up to half of one; at an apex they are cut smaller."""

_LOBAR = 1.9
"""What fissures bound fills the whole of a lobe when severe: its cloud reaches beyond them."""

_BRONCHI_FROM = 28.0
"""Radius, mm, from which open bronchi are large enough to show."""


@dataclass(frozen=True)
class Airspace:
    """One kind of airspace opacity; side, lobe or zone and size follow the words.

    Attributes:
        concept: Of the lexicon.
        density: Of the filled lung, g/cm³ (aerated lung 0.15, liver 1.05).
        softness: Width of the border as a share of the radius.
        patches: Clouds a side; several share the radius among them.
        acini: Unevenness at the size of acini, as a share of the border's width: fluffy patches.
        streaks: Share of septa thickened within the cloud: an uneven, streaky texture.
        halo: Density of a wider, fainter rim about the cloud, g/cm³; 0 = none.
        bounded: Whether fissures end it, as they do where airspace fills from acinus to acinus.
        bronchi: Whether bronchi stay open within (air bronchograms).
        area_cm2: What a side's mask may measure on the film.
    """

    concept: str
    density: tuple[float, float]
    softness: float
    patches: int = 1
    acini: float = 0.0
    streaks: float = 0.0
    halo: float = 0.0
    bounded: bool = True
    bronchi: bool = False
    area_cm2: Mapping[str, tuple[float, float]] = field(default_factory=lambda: AREA_CM2)

    def refuses(self, entity: Entity) -> str:
        """Any lobe or zone will do."""
        return check_place(entity, ZONES, lobes=True)

    def insert(self, body: Body, entity: Entity, rng: np.random.Generator) -> Change:
        """Fill airspace."""
        words = settle(entity, rng, ("lower zone", "mid zone", "upper zone"))
        extent = np.zeros_like(body.water)
        drawn: dict[str, Any] = {}
        tubes: list[Shape] = []
        for lung in affected(body, words, rng):
            radius = float(lung.chance.uniform(*RADII[words.severity]))
            if self.bounded and words.severity == "severe":
                radius *= _LOBAR
            filled = float(lung.chance.uniform(*self.density))
            patch = radius / self.patches**0.4
            room = lung.lobe(words.lobe) * lung.within(words.zone)
            distance, centres = self._distance(lung, room, words.zone, patch)
            ragged = distance + 0.24 * lung.texture(clouds)
            if self.acini:
                ragged = ragged + self.acini * self.softness * lung.texture(grain)
            share = room * (1.0 - smooth_step(ragged, 1.0 - self.softness, 1.0 + self.softness))
            if self.bounded and not words.lobe:
                share = share * self._lobes(lung, centres)
            net = lung.texture(reticulum)
            if self.halo:
                rim = room * (1.0 - smooth_step(distance, 0.8, 1.7))
                lung.fill(rim, np.maximum(lung.water, self.halo), extent)
            density = filled * (1.0 + 0.10 * lung.texture(clouds)) + self.streaks * net
            lung.fill(share, np.maximum(lung.water, density), extent)
            if self.bronchi and radius > _BRONCHI_FROM:
                tubes += bronchograms(lung, share, centres[0])
            drawn[lung.side] = {
                "radius_mm": patch,
                "centres_mm": [list(c) for c in centres],
                "density": filled,
            }
        parameters = {**words.to_dict(), "clouds": drawn}
        return Change(parameters, body.claim(extent), shapes=tuple(tubes), least_path=1.0)

    def _distance(
        self, lung: Lung, room: Floats, zone: str, patch: float
    ) -> tuple[Floats, list[tuple[float, float, float]]]:
        """Distance to the nearest cloud's centre in its radii, and the centres."""
        stretch = lung.chance.uniform(0.8, 1.25, 3) * patch
        distance = np.full(room.shape, np.inf, np.float32)
        centres = []
        for _ in range(self.patches):
            centre = lung.pick(room, zone, 9.0, clear=0.6)
            centres.append(centre)
            squared = (
                ((lung.x - centre[0]) / stretch[0]) ** 2
                + ((lung.y - centre[1]) / stretch[1]) ** 2
                + ((lung.z - centre[2]) / stretch[2]) ** 2
            )
            np.minimum(distance, np.sqrt(squared), out=distance)
        return distance, centres

    def _lobes(self, lung: Lung, centres: list[tuple[float, float, float]]) -> Floats:
        """Share of the lobes that hold the centres, of the lung: fissures stop what spreads."""
        held = np.zeros_like(lung.share)
        for centre in centres:
            np.maximum(held, lung.lobe_at(centre), out=held)
        return np.clip(held / np.maximum(lung.share, 1e-3), 0.0, 1.0)


AIRSPACE = (
    # Fleischner Society glossary (Hansell et al., Radiology 2008): consolidation is a homogeneous
    # increase in attenuation that hides vessels and airway walls; air bronchograms may be seen.
    Airspace("consolidation", (0.80, 0.98), 0.16, acini=0.3, bronchi=True),
    # The same glossary: ground glass is hazy, margins of vessels stay visible. Reports say
    # "opacity" and "density" when no more than that is sure: one faint, soft, bounded by nothing.
    Airspace("opacity", (0.36, 0.52), 0.45, bounded=False),
    Airspace("density", (0.36, 0.52), 0.45, bounded=False),
    # Felson, Chest Roentgenology (1973): fluffy, ill-defined, coalescing acinar shadows.
    Airspace("airspace disease", (0.60, 0.80), 0.38, patches=3, acini=0.7),
    # Not in the glossary's favour, for it says so little: here uneven, streaky, partial filling in
    # several places, fainter than consolidation (Patterson and Sponaugle, Radiology 2005).
    Airspace("infiltrate", (0.28, 0.42), 0.5, patches=3, acini=0.3, streaks=0.45, bounded=False),
    # A diagnosis, drawn as what supports it most often: a dense segment that fades into ground
    # glass, mostly in one place (Franquet, J Thorac Imaging 2018).
    Airspace("pneumonia", (0.70, 0.90), 0.28, patches=2, acini=0.4, halo=0.32, bronchi=True),
)
