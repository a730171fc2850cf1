"""Films as the encoder sees them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from syncxr.pretraining.preprocessing import Preprocessing, equalise


def test_resized_to_a_square_without_losing_an_edge() -> None:
    film = np.zeros((100, 400), np.uint8)
    film[:, :4] = film[:, -4:] = 255
    small = Preprocessing(size=64).apply(film)
    assert small.shape == (64, 64)
    assert small[:, 0].min() > 100 and small[:, -1].min() > 100 and small[:, 32].max() == 0


@pytest.mark.parametrize("film", [np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.float32)])
def test_other_arrays_are_refused(film: np.ndarray) -> None:
    with pytest.raises(ValueError, match="uint8"):
        Preprocessing().apply(film)


def test_stack_of_none() -> None:
    assert Preprocessing(size=32).stack([]).shape == (0, 32, 32)


@settings(max_examples=50, deadline=None)
@given(arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_equalising_keeps_order_and_forgets_exposure(film: np.ndarray) -> None:
    flat = equalise(film).astype(int)
    a, b = film.ravel().astype(int), flat.ravel()
    assert ((a[:, None] < a[None]) <= (b[:, None] <= b[None])).all()
    darker = (film.astype(float) / 255) ** 2 * 255
    if len(np.unique(darker.round())) == len(np.unique(film)):
        assert np.array_equal(equalise(darker.round().astype(np.uint8)), flat)


def test_equalising_flattens_the_histogram() -> None:
    film = np.random.default_rng(0).normal(60, 10, (200, 200)).clip(0, 255).astype(np.uint8)
    flat = equalise(film)
    assert abs(flat.mean() - 127.5) < 3
    assert abs(flat.std() - 255 / np.sqrt(12)) < 3
