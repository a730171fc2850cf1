"""What a vendor's software makes of a detector's signal."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from syncxr.images.simulation.film.exposure import Exposure
from syncxr.images.simulation.film.smooth import gaussian

CREST = 0.25
"""Detail beyond which a band is amplified no further, in units of the log signal.

Multi-scale processing raises faint detail and leaves strong edges as they are, or they would ring
(Vuylsteke and Schoeters, SPIE 2167, 1994). Ribs stay well below it, the heart's border lies above.
"""

_SLOW_MM = 40.0
"""Width of what counts as slow variation over the film, mm."""


@dataclass(frozen=True)
class Window:
    """Log signal that becomes black and white."""

    black: float
    white: float


def logarithm(signal: Tensor) -> Tensor:
    """Of a detector's signal: proportional to what lay along the rays, (H, W)."""
    return -torch.log(signal.clamp_min(1e-5))


def slow_variation(log: Tensor, pixel_mm: float) -> Tensor:
    """Variation over centimetres, mean 0, (H, W)."""
    slow = gaussian(log, _SLOW_MM / pixel_mm)
    return slow - slow.mean()


def bands(log: Tensor, exposure: Exposure, pixel_mm: float) -> tuple[tuple[float, Tensor], ...]:
    """Bands of detail with their gains."""
    widths = ((exposure.detail, exposure.detail_mm), (exposure.fine, exposure.detail_mm / 4.0))
    return tuple(
        (gain, log - gaussian(log, width / pixel_mm)) for gain, width in widths if gain > 0
    )


def limited(band: Tensor) -> Tensor:
    """A band with its crests flattened."""
    return CREST * torch.tanh(band / CREST)


def evened(log: Tensor, slow: Tensor, exposure: Exposure) -> Tensor:
    """Slow variation diminished, (H, W)."""
    return log - exposure.equalise * slow


def sharpened(even: Tensor, log: Tensor, exposure: Exposure, pixel_mm: float) -> Tensor:
    """The detail of ``log`` raised in ``even``, (H, W)."""
    for gain, band in bands(log, exposure, pixel_mm):
        even = even + gain * limited(band)
    return even


def window_of(values: Tensor, exposure: Exposure) -> Window:
    """The film's own window: percentiles of its inner part."""
    margin = values.shape[0] // 20
    # A quarter of the pixels tells percentiles as well as all of them.
    inner = values[margin : -margin or None : 2, margin : -margin or None : 2]
    levels = torch.tensor([exposure.black, exposure.white], device=values.device) / 100.0
    if inner.numel() > 2**14:
        inner = inner[::2, ::2]
    black, white = torch.quantile(inner.flatten(), levels).tolist()
    return Window(black, white)


def grey_of(values: Tensor, window: Window, exposure: Exposure) -> Tensor:
    """Grey values in [0, 255], bone bright, (H, W).

    From the shoulder on the curve comes ever closer to white and never reaches it, as film does and
    as sigmoid tables for display do (DICOM PS3.3, C.11.2.1.3.1): a vertebra or a wire behind the
    heart is pressed together with it, not cut off.
    """
    grey = ((values - window.black) / max(window.white - window.black, 1e-3)).clamp_min(0.0)
    start, left = exposure.shoulder, 1.0 - exposure.shoulder
    if left > 0.0:
        grey = torch.minimum(grey, 1.0 - left * torch.exp((start - grey) / left).clamp_max(1.0))
    return 255.0 * grey.clamp_max(1.0) ** exposure.gamma
