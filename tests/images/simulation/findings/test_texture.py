"""Textures: bounded, never the same twice, of their size in millimetres."""

import numpy as np
import pytest

from syncxr.images.simulation.findings.lungs import Texture
from syncxr.images.simulation.findings.texture import clouds, grain, reticulum

SHAPE = (20, 90, 50)


@pytest.mark.parametrize(
    ("kind", "low", "high"), [(clouds, -1.5, 1.5), (grain, -2.0, 2.0), (reticulum, 0.0, 1.0)]
)
def test_bounds_and_chance(kind: Texture, low: float, high: float) -> None:
    one = kind(SHAPE, 2.0, np.random.default_rng(1))
    assert one.shape == SHAPE
    assert low <= one.min() < one.max() <= high
    assert (one == kind(SHAPE, 2.0, np.random.default_rng(1))).all()
    assert np.abs(one - kind(SHAPE, 2.0, np.random.default_rng(2))).mean() > 0.05
    with pytest.raises(ValueError, match="read-only"):
        one[0, 0, 0] = 1.0


def test_grains_keep_their_size_at_any_resolution() -> None:
    def neighbours(cell: float, apart: int) -> float:
        noise = grain((4, 120, 120), cell, np.random.default_rng(3))[1]
        return float(np.corrcoef(noise[apart:].ravel(), noise[:-apart].ravel())[0, 1])

    # Four millimetres apart in both.
    assert neighbours(2.0, 2) == pytest.approx(neighbours(4.0, 1), abs=0.12)
