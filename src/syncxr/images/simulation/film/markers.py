"""Letters burned into a film: side markers and notes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pictures
from PIL import ImageDraw, ImageFont

from syncxr.sample import Image


@dataclass(frozen=True)
class Marker:
    """One word on a film.

    Attributes:
        text: ``"L"``, ``"R"``, ``"AP PORTABLE"``, ...; several lines are set apart by newlines.
        x: Its middle, share of the film's width from the left.
        y: Its middle, share of the film's height from the top.
        height: Of a capital letter, share of the film's height.
        strength: 0 to 1, how far it goes to white: lead letters stop the beam, written ones are
            drawn by the software.
    """

    text: str
    x: float
    y: float
    height: float
    strength: float = 1.0

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)

    def draw(self, image: Image) -> Image:
        """The film with the word on it."""
        size = len(image)
        stamp = letters(self.text, max(5, round(self.height * size)))
        height, width = min(stamp.shape[0], size), min(stamp.shape[1], size)
        top = int(np.clip(round(self.y * size) - height // 2, 0, size - height))
        left = int(np.clip(round(self.x * size) - width // 2, 0, size - width))
        box = (slice(top, top + height), slice(left, left + width))
        cover = self.strength * stamp[:height, :width]
        made = image.copy()
        made[box] = np.rint(image[box] + cover * (255.0 - image[box])).astype(np.uint8)
        return made


@cache
def letters(text: str, height: int) -> NDArray[np.float32]:
    """Coverage of a word in Pillow's own font, 0 to 1, (h, w); capitals are ``height`` pixels."""
    font = ImageFont.load_default(size=1.4 * height)
    probe = ImageDraw.Draw(Pictures.new("L", (1, 1)))
    left, top, right, bottom = probe.multiline_textbbox((0, 0), text, font=font, align="center")
    picture = Pictures.new("L", (int(right - left) + 2, int(bottom - top) + 2))
    ImageDraw.Draw(picture).multiline_text(
        (1 - left, 1 - top), text, fill=255, font=font, align="center"
    )
    return np.asarray(picture, np.float32) / 255.0
