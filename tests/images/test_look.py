"""The common look takes borders and grey curves away, and nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncxr.images.look import crop_borders, equalise, same_look


def scene(seed: int = 0, size: int = 90) -> np.ndarray:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] / size
    return np.clip(40 + 150 * x * y + rng.normal(0, 12, (size, size)), 5, 250).astype(np.uint8)


@given(st.floats(0.5, 1.8), st.integers(150, 255))
def test_a_grey_curve_makes_no_difference(gamma: float, white: int) -> None:
    film = scene()
    other = np.rint(white * (film / 255.0) ** gamma).astype(np.uint8)
    one, two = equalise(film).astype(int), equalise(other).astype(int)
    # Levels that the curve joined cannot be told apart again.
    assert np.abs(one - two).mean() < 4


def test_grey_values_spread_evenly() -> None:
    shares = np.histogram(equalise(scene()), bins=8, range=(0, 256))[0] / 8100
    assert shares == pytest.approx(1 / 8, abs=0.03)


@pytest.mark.parametrize("grey", [0, 255])
def test_borders_go(grey: int) -> None:
    framed = np.full((110, 100), grey, np.uint8)
    framed[12:102, 4:94] = scene()
    assert (crop_borders(framed) == scene()).all()
    assert same_look(framed).shape == (110, 100)
    assert same_look(framed, 64).shape == (64, 64)


def test_what_is_flat_all_over_stays() -> None:
    assert same_look(np.full((32, 32), 7, np.uint8)).shape == (32, 32)
    half = scene()
    half[:60] = 0
    assert len(crop_borders(half)) == 72
