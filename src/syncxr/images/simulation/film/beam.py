"""What the beam is, and what matter leaves of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from syncxr.images.simulation.projection import Pose
from syncxr.images.simulation.thorax import Floats

ENERGIES = (40.0, 50.0, 60.0, 80.0, 100.0)
"""Of the modelled beam, keV."""

MU_WATER = (0.2683, 0.2269, 0.2059, 0.1837, 0.1707)
"""Mass attenuation of water at :data:`ENERGIES`, cm²/g (NIST XCOM)."""

MU_BONE = tuple(1.92 * mu for mu in (0.6655, 0.4242, 0.3148, 0.2229, 0.1855))
"""Attenuation of cortical bone (ICRU-44, 1.92 g/cm³) at :data:`ENERGIES`, 1/cm (NIST)."""

MU_METAL = (3.629, 1.958, 1.205, 0.5952, 0.3717)
"""Mass attenuation of iron at :data:`ENERGIES`, cm²/g (NIST)."""

SOFT = (0.25, 0.35, 0.28, 0.12, 0.0)
"""Share of detected energy at :data:`ENERGIES`, 85 kVp behind 3 mm of aluminium.

Rounded from published tungsten spectra, weighted by energy; so is :data:`HARD`.
"""

HARD = (0.08, 0.18, 0.27, 0.29, 0.18)
"""The same at 130 kVp."""


class Matter(NamedTuple):
    """What lies along every ray.

    Attributes:
        water: Water-equivalent path, g/cm², (H, W).
        bone: Path of cortical bone, cm, (H, W).
        metal: Mass of metal as iron, g/cm², (H, W); ``None`` where there is none.
    """

    water: Tensor
    bone: Tensor
    metal: Tensor | None = None

    def less(self, other: Matter) -> Matter:
        """This without the other; no path becomes negative."""
        metal = self.metal
        if metal is not None and other.metal is not None:
            metal = (metal - other.metal).clamp_min(0.0)
        return Matter(
            (self.water - other.water).clamp_min(0.0),
            (self.bone - other.bone).clamp_min(0.0),
            metal,
        )

    def crop(self, box: tuple[slice, slice]) -> Matter:
        """A part of the film."""
        return Matter(
            self.water[box], self.bone[box], None if self.metal is None else self.metal[box]
        )


def spectrum(hardness: float) -> tuple[float, ...]:
    """Share of detected energy at :data:`ENERGIES`, for ``hardness`` in [0, 1]."""
    return tuple((1.0 - hardness) * s + hardness * h for s, h in zip(SOFT, HARD, strict=True))


def transmission(matter: Matter, hardness: float) -> Tensor:
    """Primary fluence by the law of Beer and Lambert, summed over the spectrum.

    Args:
        matter: Along every ray.
        hardness: Of the beam, 0 to 1.

    Returns:
        Fluence relative to air, in (0, 1], (H, W).
    """
    total = torch.zeros_like(matter.water)
    beam = zip(spectrum(hardness), MU_WATER, MU_BONE, MU_METAL, strict=True)
    for share, water, bone, metal in beam:
        if share <= 0:
            continue
        depth = matter.water * water
        depth.add_(matter.bone, alpha=bone)
        if matter.metal is not None:
            depth.add_(matter.metal, alpha=metal)
        total.add_(depth.neg_().exp_(), alpha=share)
    return total


def fluence(pose: Pose, size: int) -> Floats:
    """Fluence in air at the detector, relative to that 1 m from the focal spot, (H, W).

    By the inverse square of the distance and the cosine of the ray on the detector's plane.
    Detectors are calibrated to show it as flat; what stays is its share in the noise.
    """
    centres = ((np.arange(size) + 0.5) / size - 0.5) * pose.field
    squared = pose.distance**2 + centres[:, None] ** 2 + centres[None, :] ** 2
    found: Floats = (1000.0**2 / squared * pose.distance / np.sqrt(squared)).astype(np.float32)
    return found
