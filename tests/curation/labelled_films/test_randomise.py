import numpy as np
import pytest

from syncxr.curation.labelled_films import randomise
from syncxr.curation.labelled_films.stock import Stock


@pytest.mark.parametrize("seed", range(20))
def test_strong_randomisation_keeps_the_chest_recognisable(seed: int, stock: Stock) -> None:
    film = randomise.strongly(stock.films[0], np.random.default_rng(seed))
    assert film.dtype == np.uint8
    assert min(film.shape) >= 120
    assert film.std() > 5


def test_slight_randomisation_keeps_the_film(stock: Stock) -> None:
    film = stock.films[0]
    for seed in range(20):
        changed = randomise.slightly(film, np.random.default_rng(seed))
        same_size = randomise.resized(changed, *film.shape).astype(float)
        assert np.corrcoef(same_size.ravel(), film.ravel())[0, 1] > 0.95


def test_compression_loses_more_at_lower_quality(stock: Stock) -> None:
    film = stock.films[0].astype(int)
    lost = [np.abs(randomise.compress(stock.films[0], q) - film).mean() for q in (90, 10)]
    assert 0 < lost[0] < lost[1]


def test_inverting_twice_changes_nothing(stock: Stock) -> None:
    film = stock.films[0]
    assert (randomise.inverted(film) != film).any()
    np.testing.assert_array_equal(randomise.inverted(randomise.inverted(film)), film)
