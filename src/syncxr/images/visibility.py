"""When a finding is visible: one rule for those who draw films and those who check them.

A finding is visible where its film differs from the same film without it - same patient, pose,
exposure, noise, processing frozen - by more than :data:`GREY_STEP` grey levels, and by more than
:data:`OWN_STEP` the same way if what sharpening added is held as well: the ring that sharpening
draws round an object is no part of it. It is visible as a whole if the film differs by
:data:`GREY_STEP` inside its mask over at least :data:`LEAST_AREA` mm², with a signal that noise
cannot feign: contrast × √pixels ≥ :data:`ROSE` × noise.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from syncxr.sample import Image, Mask

GREY_STEP = 5
"""Of 255: 2 % of the range, about ten just-noticeable differences on a calibrated display (DICOM
PS3.14: a diagnostic monitor spans some 500 of them)."""

OWN_STEP = 2.55
"""Of 255: 1 % of the range."""

LEAST_AREA = 30.0
"""mm²: a disk of 6 mm, the smallest nodule that readers find on radiographs with any regularity."""

ROSE = 5.0
"""Signal over noise from which objects are detected reliably (Rose, J Opt Soc Am 1948)."""


def noise_level(image: Image) -> float:
    """Standard deviation of a film's noise, grey levels (Immerkær, CVIU 1996)."""
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    response = ndimage.convolve(image.astype(np.float32), kernel)
    return float(np.sqrt(np.pi / 2) * np.abs(response).mean() / 6.0)


def visible_pixels(
    difference: NDArray[np.floating], own: NDArray[np.floating]
) -> NDArray[np.bool_]:
    """Where a finding is visible, (H, W).

    Args:
        difference: Film less the film without the finding, grey levels, (H, W).
        own: The same with what sharpening added held, too.
    """
    same = np.sign(difference) == np.sign(own)
    found: NDArray[np.bool_] = (np.abs(difference) > GREY_STEP) & (np.abs(own) > OWN_STEP) & same
    return found


def seen(
    difference: NDArray[np.floating], mask: Mask, noise: float, pixel_mm: float
) -> tuple[bool, str]:
    """Whether a finding is visible, and the figures that decide.

    Args:
        difference: Film less the film without the finding, grey levels, (H, W).
        mask: Where it lies, (H, W).
        noise: Of the film, grey levels.
        pixel_mm: Pixel size.
    """
    size = np.abs(difference)
    changed = mask & (size > GREY_STEP)
    count = int(changed.sum())
    area = count * pixel_mm**2
    contrast = float(size[changed].mean()) if count else 0.0
    rose = contrast * np.sqrt(count) / max(noise, 0.5)
    detail = f"{area:.0f} mm² changed by {contrast:.0f} levels, signal over noise {rose:.0f}"
    return bool(area >= LEAST_AREA and rose >= ROSE), detail


def visible(film: Image, without: Image, mask: Mask, pixel_mm: float) -> tuple[bool, str]:
    """Whether a finding is visible on a film, given the film without it.

    Args:
        film: With the finding, (H, W).
        without: The same without it, (H, W).
        mask: Where it lies, (H, W).
        pixel_mm: Pixel size.
    """
    difference = film.astype(np.float32) - without.astype(np.float32)
    return seen(difference, mask, noise_level(film), pixel_mm)
