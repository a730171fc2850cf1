"""From path lengths to a film: beam, detector, processing, in that order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from syncxr.images.simulation.film.beam import Matter, transmission
from syncxr.images.simulation.film.detector import SATURATION, detect, scattered
from syncxr.images.simulation.film.exposure import Exposure
from syncxr.images.simulation.film.processing import (
    Window,
    bands,
    evened,
    grey_of,
    limited,
    logarithm,
    sharpened,
    slow_variation,
    window_of,
)
from syncxr.sample import Image


@dataclass(frozen=True)
class Frozen:
    """What a film's exposure and processing made of its own content.

    Passed on, another film is taken and processed in just the same way, and every difference
    between the two comes from what lies along the rays.

    Attributes:
        scatter: Scattered fluence, (H, W).
        slow: Slow variation over the film, (H, W).
        window: Log signal that becomes black and white.
        detail: What sharpening added, (H, W). ``None`` sharpens the other film by its own content,
            as a film is: what differs then has a ring as wide as the processing reaches, which
            nothing along those rays accounts for.
    """

    scatter: Tensor
    slow: Tensor
    window: Window
    detail: Tensor | None = None


class Difference(NamedTuple):
    """A film less the film without something, grey levels in [-255, 255], (H, W) each.

    Attributes:
        film: Each sharpened by its own content, as they are read.
        own: What sharpening adds held, too: what lies along the ray itself accounts for.
    """

    film: Tensor
    own: Tensor


@dataclass(frozen=True)
class Developed:
    """A film and what it was made with.

    Attributes:
        image: Bone bright, uint8, (H, W).
        matter: Along every ray.
        values: Log signal after processing, before the window, (H, W).
        detail: What sharpening added to them, (H, W).
        exposure: How it was taken.
        pixel_mm: Pixel size at the detector.
        frozen: To take another film the same way.
    """

    image: Image
    matter: Matter
    values: Tensor
    detail: Tensor
    exposure: Exposure
    pixel_mm: float
    frozen: Frozen

    @property
    def held(self) -> Frozen:
        """To take another film the same way, with this film's own detail added to it."""
        return replace(self.frozen, detail=self.detail)

    def change(self, added: Matter, least: float = 1e-3) -> Difference:
        """What taking something away would change, in grey levels, without another film.

        Scatter, slow variation and window stay; noise is left out. Only the part of the film where
        ``added`` is not nothing is looked at.

        Args:
            added: What is to be taken away, along every ray.
            least: Path that counts as nothing, g/cm².
        """
        found = Difference(torch.zeros_like(self.values), torch.zeros_like(self.values))
        touched = (added.water.abs() > least) | (added.bone.abs() > least)
        if added.metal is not None:
            touched |= added.metal > 1e-4
        rows, columns = touched.any(1).nonzero(), touched.any(0).nonzero()
        if not len(rows):
            return found
        reach = int(np.ceil(3.0 * self.exposure.detail_mm / self.pixel_mm))
        box = (
            slice(max(0, int(rows[0]) - reach), int(rows[-1]) + reach + 1),
            slice(max(0, int(columns[0]) - reach), int(columns[-1]) + reach + 1),
        )
        there, scatter = self.matter.crop(box), self.frozen.scatter[box]
        signals = [
            transmission(m, self.exposure.hardness).clamp_max(SATURATION) + scatter
            for m in (there, there.less(added.crop(box)))
        ]
        with_it, without = (logarithm(signal) for signal in signals)
        values = self.values[box]
        held = values - with_it + without
        other = held
        for (gain, band), (_, band_without) in zip(
            bands(with_it, self.exposure, self.pixel_mm),
            bands(without, self.exposure, self.pixel_mm),
            strict=True,
        ):
            other = other - gain * (limited(band) - limited(band_without))
        grey = grey_of(values, self.frozen.window, self.exposure)
        found.film[box] = grey - grey_of(other, self.frozen.window, self.exposure)
        found.own[box] = grey - grey_of(held, self.frozen.window, self.exposure)
        return found


def develop(
    matter: Matter,
    exposure: Exposure,
    pixel_mm: float,
    seed: int,
    flatness: Tensor | None = None,
    frozen: Frozen | None = None,
) -> Developed:
    """Take and process a film.

    Args:
        matter: Along every ray, (H, W) each.
        exposure: How.
        pixel_mm: Pixel size at the detector.
        seed: Of the noise.
        flatness: Fluence in air relative to the film's middle, (H, W).
        frozen: Of another film, to be taken the same way; by default the film's own.
    """
    primary = transmission(matter, exposure.hardness).clamp_max(SATURATION)
    scatter = scattered(primary, exposure, pixel_mm) if frozen is None else frozen.scatter
    log = logarithm(detect(primary + scatter, exposure, pixel_mm, seed, flatness))
    slow = slow_variation(log, pixel_mm) if frozen is None else frozen.slow
    even = evened(log, slow, exposure)
    if frozen is None or frozen.detail is None:
        values = sharpened(even, log, exposure, pixel_mm)
    else:
        values = even + frozen.detail
    window = window_of(values, exposure) if frozen is None else frozen.window
    grey = grey_of(values, window, exposure)
    image = np.rint(grey.cpu().numpy()).astype(np.uint8)
    kept = Frozen(scatter, slow, window)
    return Developed(image, matter, values, values - even, exposure, pixel_mm, kept)
