"""What the detector makes of the beam: scatter, noise, blur."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from syncxr.images.simulation.film.exposure import Exposure
from syncxr.images.simulation.film.smooth import gaussian

SATURATION = 0.35
"""Primary fluence beyond which the detector is full: direct beam, and the skin's edge.

Capping it also keeps scatter local to the body.
"""

_SPREAD_MM = 45.0
"""Width of scatter behind a chest, mm; the point spread of 10 to 20 cm of water behind a gap."""

_REFERENCE_MM = 1.5
"""Pixel that :class:`Exposure` counts photons in, mm."""

_BEHIND_WATER = math.exp(-0.2 * 10.0)
"""Fluence behind 10 cm of water."""


def scattered(primary: Tensor, exposure: Exposure, pixel_mm: float) -> Tensor:
    """Scattered fluence that comes with a primary one, (H, W)."""
    return exposure.scatter * gaussian(primary, _SPREAD_MM / pixel_mm)


def detect(
    signal: Tensor, exposure: Exposure, pixel_mm: float, seed: int, flatness: Tensor | None = None
) -> Tensor:
    """Count photons and blur.

    Args:
        signal: Primary and scattered fluence, relative to air, (H, W).
        exposure: Dose, noise of the electronics, blur.
        pixel_mm: Pixel size at the detector.
        seed: Of the noise.
        flatness: Fluence in air relative to the film's middle, (H, W); taken out of the signal by
            the detector's calibration, it stays in the noise.

    Returns:
        What the detector reads, calibrated, (H, W).
    """
    area = (pixel_mm / _REFERENCE_MM) ** 2
    photons = exposure.dose * area / _BEHIND_WATER
    drawn = np.random.default_rng(seed).standard_normal(signal.shape, np.float32)
    noise = torch.from_numpy(drawn).to(signal.device)
    quanta = signal / photons
    if flatness is not None:
        quanta = quanta / flatness
    spread = torch.sqrt(quanta + exposure.electronic * area / photons**2)
    return gaussian(torch.addcmul(signal, noise, spread), exposure.blur / pixel_mm)
