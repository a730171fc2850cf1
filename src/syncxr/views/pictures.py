"""Films and masks as text that a page can carry: data URIs and outlines."""

from __future__ import annotations

import base64

import numpy as np
from contourpy import contour_generator
from numpy.typing import NDArray

from syncxr.dataset.schema import encode_png
from syncxr.sample import Image, Mask

Points = NDArray[np.float64]
"""Corners of a loop, (N, 2), x before y."""


def data_uri(image: Image) -> str:
    """A film as PNG in a data URI; the PNG says in its metadata that it is synthetic."""
    return "data:image/png;base64," + base64.b64encode(encode_png(image)).decode("ascii")


def outline(mask: Mask) -> str:
    """Boundary of a mask as the data of an SVG path, in pixels of its film; ``""`` if empty.

    A mask that touches the film's edge is closed along it.
    """
    padded = np.pad(mask.astype(np.float32), 1)
    loops = contour_generator(z=padded).lines(0.5)
    return "".join(_path(np.asarray(loop)) for loop in loops)


def _path(loop: Points) -> str:
    # Pixel (0, 0) of the mask is (1, 1) of the padded one, and its centre lies at 0.5.
    # The last point repeats the first; "Z" closes the path.
    points = np.round(loop[:-1] - 0.5, 1)
    corners = _without_straight_runs(points)
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in corners) + "Z"


def _without_straight_runs(points: Points) -> Points:
    """Drop points that lie on the line between their neighbours."""
    before = points - np.roll(points, 1, axis=0)
    after = np.roll(points, -1, axis=0) - points
    turn = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    corners: Points = points[np.abs(turn) > 1e-6]
    return corners
