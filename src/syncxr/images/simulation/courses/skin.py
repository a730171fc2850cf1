"""The body's surface, front and back."""

from __future__ import annotations

import numpy as np

from syncxr.images.simulation.thorax import Floats, Thorax


def skin(thorax: Thorax) -> tuple[Floats, Floats, Floats, Floats]:
    """Front and back of the body by row and column, every 6 mm."""
    step = max(1, round(6.0 / thorax.spacing))
    body = thorax.labels[:, ::step, ::step] > 0
    y = thorax.axis("y")
    some = body.any(0)
    front = np.where(some, y[len(y) - 1 - body[::-1].argmax(0)], np.nan).astype(np.float32)
    back = np.where(some, y[body.argmax(0)], np.nan).astype(np.float32)
    return front, back, thorax.axis("x")[::step], thorax.axis("z")[::step]
