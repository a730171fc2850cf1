"""From a film of any size to the pixels an encoder sees: the same in training and in use."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from pydantic import BaseModel, ConfigDict, Field

from syncxr.sample import Image


class Preprocessing(BaseModel):
    """How films are prepared; part of every checkpoint.

    Attributes:
        size: Side of the square the film is resized to, in pixels. The aspect is not kept, so
            nothing is cut off and nothing black is added (as in MAVL).
        equalise: Flatten the grey histogram first, so that exposure carries no information.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: int = Field(default=128, ge=32, le=1024)
    equalise: bool = False

    def apply(self, image: Image) -> Image:
        """One film as the encoder sees it: uint8, (size, size).

        Raises:
            ValueError: ``image`` is not a two-dimensional uint8 array.
        """
        if image.ndim != 2 or image.dtype != np.uint8:
            raise ValueError(
                f"a film is a uint8 array (H, W), not {image.dtype} {image.shape}; "
                "convert it to 8-bit grey first"
            )
        if self.equalise:
            image = equalise(image)
        if image.shape == (self.size, self.size):
            return image
        resized = Pillow.fromarray(image).resize((self.size, self.size), Pillow.Resampling.BILINEAR)
        return np.asarray(resized)

    def stack(self, images: Iterable[Image]) -> NDArray[np.uint8]:
        """Films as one array, uint8, (N, size, size)."""
        prepared = [self.apply(image) for image in images]
        return np.stack(prepared) if prepared else np.zeros((0, self.size, self.size), np.uint8)


def equalise(image: Image) -> Image:
    """Histogram equalisation: each grey value becomes its mid-rank in the film, times 255."""
    counts = np.bincount(image.ravel(), minlength=256)
    ranks = (np.cumsum(counts) - counts / 2) / image.size
    return np.asarray(np.round(ranks * 255), np.uint8)[image]
