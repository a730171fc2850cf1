"""From path lengths to grey values: beam, scatter, noise, detector, processing."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from scipy import ndimage

from syncxr.images.simulation.ct import Floats
from syncxr.sample import Image

ENERGIES = (40.0, 50.0, 60.0, 80.0, 100.0)
"""Of the modelled beam, keV."""

MU_WATER = np.array([0.2683, 0.2269, 0.2059, 0.1837, 0.1707], np.float32)
"""Mass attenuation of water at :data:`ENERGIES`, cm²/g (NIST XCOM)."""

MU_BONE = np.array([0.6655, 0.4242, 0.3148, 0.2229, 0.1855], np.float32) * 1.92
"""Attenuation of cortical bone (ICRU-44, 1.92 g/cm³) at :data:`ENERGIES`, 1/cm (NIST)."""


@dataclass(frozen=True)
class Exposure:
    """How a film is taken and developed.

    Attributes:
        hardness: 0 = soft beam (about 85 kVp), 1 = hard beam (about 130 kVp).
        scatter: Scattered over primary fluence behind the grid, mean over the film.
        dose: Photons a pixel of 1.5 mm behind 10 cm of water.
        blur: Standard deviation of focal spot and detector, mm at the detector.
        black: Percentile of the log signal that becomes black.
        white: Percentile that becomes white.
        gamma: Of the grey curve.
        detail: Strength of the unsharp mask.
        detail_mm: Its radius, mm.
        equalise: Share of the slow variation over the film that processing takes away.
    """

    hardness: float = 0.5
    scatter: float = 0.3
    dose: float = 4000.0
    blur: float = 0.4
    black: float = 1.0
    white: float = 99.0
    gamma: float = 1.0
    detail: float = 0.5
    detail_mm: float = 6.0
    equalise: float = 0.3

    def to_dict(self) -> dict[str, float]:
        """As JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Window:
    """Log signal that becomes black and white."""

    black: float
    white: float


def spectrum(hardness: float) -> Floats:
    """Share of detected energy at :data:`ENERGIES`, for ``hardness`` in [0, 1].

    Between an 85 kVp and a 130 kVp beam, both behind 3 mm of aluminium; the shares are rounded
    from published tungsten spectra, weighted by energy.
    """
    soft = np.array([0.25, 0.35, 0.28, 0.12, 0.0], np.float32)
    hard = np.array([0.08, 0.18, 0.27, 0.29, 0.18], np.float32)
    mixed: Floats = (1.0 - hardness) * soft + hardness * hard
    return mixed


def transmission(water: Floats, bone: Floats, hardness: float) -> Floats:
    """Primary fluence by the law of Beer and Lambert, summed over the spectrum.

    Args:
        water: Water-equivalent path, g/cm², (H, W).
        bone: Path of cortical bone, cm, (H, W).
        hardness: Of the beam, see :class:`Exposure`.

    Returns:
        Fluence relative to air, in (0, 1], (H, W).
    """
    total = np.zeros_like(water)
    for share, mu_water, mu_bone in zip(spectrum(hardness), MU_WATER, MU_BONE, strict=True):
        if share > 0:
            total += share * np.exp(-(mu_water * water + mu_bone * bone))
    return total


def develop(
    water: Floats,
    bone: Floats,
    exposure: Exposure,
    pixel_mm: float,
    seed: int,
    window: Window | None = None,
) -> tuple[Image, Window]:
    """Take and process a film.

    Args:
        water: Water-equivalent path, g/cm², (H, W).
        bone: Path of cortical bone, cm, (H, W).
        exposure: How.
        pixel_mm: Pixel size at the detector.
        seed: Of the noise.
        window: Grey window to use; by default the film's own. Passing that of another film freezes
            the processing, so that both can be compared pixel by pixel.

    Returns:
        The film, uint8 (H, W), bone bright, and the window it was developed with.
    """
    primary = transmission(water, bone, exposure.hardness)
    # Direct beam saturates every detector; capping it keeps scatter local to the body.
    primary = np.minimum(primary, 0.35)
    signal = primary + exposure.scatter * ndimage.gaussian_filter(
        primary, 45.0 / pixel_mm, mode="nearest", truncate=2.0
    )
    photons = exposure.dose * (pixel_mm / 1.5) ** 2 / float(np.exp(-0.2 * 10.0))
    noise = np.random.default_rng(seed).standard_normal(signal.shape, np.float32)
    signal = signal + noise * np.sqrt(signal / photons)
    signal = ndimage.gaussian_filter(signal, exposure.blur / pixel_mm)
    log = -np.log(np.maximum(signal, 1e-5))
    slow = ndimage.gaussian_filter(log, 40.0 / pixel_mm, mode="nearest", truncate=2.0)
    log = log - exposure.equalise * (slow - slow.mean())
    log = log + exposure.detail * (
        log - ndimage.gaussian_filter(log, exposure.detail_mm / pixel_mm, mode="nearest")
    )
    if window is None:
        inner = log[log.shape[0] // 20 : -(log.shape[0] // 20) or None]
        black, white = np.percentile(inner, [exposure.black, exposure.white])
        window = Window(float(black), float(white))
    grey = np.clip((log - window.black) / max(window.white - window.black, 1e-3), 0.0, 1.0)
    film = np.rint(255.0 * grey**exposure.gamma).astype(np.uint8)
    return film, window
