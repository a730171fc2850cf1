from __future__ import annotations

import base64
import io
import re

import numpy as np
from hypothesis import given
from hypothesis.extra.numpy import arrays
from matplotlib.path import Path as Polygon
from PIL import Image

from syncxr.views.pictures import data_uri, outline


def loops(path: str) -> list[np.ndarray]:
    return [
        np.array([list(map(float, p.split())) for p in loop.split("L")])
        for loop in re.findall(r"M([^Z]+)Z", path)
    ]


def inside(path: str, shape: tuple[int, int]) -> np.ndarray:
    """Pixels whose centre lies inside an odd number of loops."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    centres = np.column_stack([x.ravel() + 0.5, y.ravel() + 0.5])
    count = sum(Polygon(loop).contains_points(centres).astype(int) for loop in loops(path))
    return (np.asarray(count) % 2 == 1).reshape(shape)


@given(arrays(bool, (9, 11)))
def test_the_outline_holds_exactly_the_pixels_of_the_mask(mask: np.ndarray) -> None:
    if mask.any():
        assert (inside(outline(mask), mask.shape) == mask).all()
    else:
        assert outline(mask) == ""


def test_straight_edges_take_few_points() -> None:
    mask = np.zeros((64, 64), bool)
    mask[10:50, 20:60] = True
    assert len(loops(outline(mask))[0]) <= 9


def test_data_uri_is_a_png_that_says_what_it_is() -> None:
    film = np.arange(256, dtype=np.uint8).reshape(16, 16)
    uri = data_uri(film)
    picture = Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))
    assert (np.asarray(picture) == film).all()
    assert "SYNTHETIC" in picture.info["Description"]
