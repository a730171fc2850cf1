import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from syncxr.curation.similarity import KnownBad, calibrate, thin


def slow_cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def test_similarity_is_the_greatest_cosine_about_the_centre() -> None:
    rng = np.random.default_rng(0)
    bank, films = (rng.normal(size=(n, 7)).astype(np.float32) for n in (5, 4))
    centre = rng.normal(size=7).astype(np.float32)
    expected = [max(slow_cosine(f - centre, b - centre) for b in bank) for f in films]
    np.testing.assert_allclose(KnownBad(bank, centre).similarity(films), expected, atol=1e-5)


def test_a_film_of_the_bank_is_found_at_one() -> None:
    bank = np.random.default_rng(1).normal(size=(5, 7)).astype(np.float32)
    found = KnownBad(bank, np.zeros(7, np.float32)).similarity(bank[2:3])
    assert found[0] == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("shape", [(0, 7), (5, 6)])
def test_a_bank_that_does_not_fit_is_refused(shape: tuple[int, int]) -> None:
    bank = KnownBad(np.ones(shape, np.float32), np.zeros(shape[1], np.float32))
    with pytest.raises(ValueError, match="does not fit"):
        bank.similarity(np.ones((2, 7), np.float32))


@given(
    arrays(np.float32, st.integers(1, 60), elements=st.floats(-1, 1, width=32)),
    st.sampled_from([0.0, 0.02, 0.1, 0.5]),
)
def test_calibration_loses_no_more_than_allowed_and_is_tight(good: np.ndarray, lost: float) -> None:
    threshold = calibrate(good, lost)
    assert (good > threshold).mean() <= lost
    below = good[good < threshold]
    if len(below):
        assert (good > below.max()).mean() > lost


def test_calibration_needs_films() -> None:
    with pytest.raises(ValueError, match="good films"):
        calibrate(np.zeros(0, np.float32))


def test_thinning_keeps_every_direction() -> None:
    corners = np.eye(4, dtype=np.float32)
    crowd = np.concatenate([np.repeat(corners[:1], 20, 0), corners])
    kept = crowd[thin(crowd, 4)]
    assert {int(row.argmax()) for row in kept} == {0, 1, 2, 3}
    assert len(thin(crowd, 100)) == len(crowd)
