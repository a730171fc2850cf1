"""Collimation: what the beam's shutters leave of the film."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from syncxr.sample import Image, Mask


@dataclass(frozen=True)
class Borders:
    """Strips of a film that the beam did not reach.

    Attributes:
        top: Share of the film's height.
        bottom: The same below.
        left: Share of the film's width.
        right: The same.
        grey: What the strips show: 0 where the software blackens them, near 255 where it leaves the
            unexposed detector as it is.
    """

    top: float = 0.0
    bottom: float = 0.0
    left: float = 0.0
    right: float = 0.0
    grey: int = 0

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)

    def open(self, size: int) -> Mask:
        """What lies within, (H, W)."""
        inside = np.zeros((size, size), bool)
        top, left = round(self.top * size), round(self.left * size)
        bottom, right = size - round(self.bottom * size), size - round(self.right * size)
        inside[top:bottom, left:right] = True
        return inside

    def draw(self, image: Image) -> Image:
        """The film with its borders."""
        return np.where(self.open(len(image)), image, np.uint8(self.grey))
