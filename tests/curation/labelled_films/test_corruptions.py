import inspect

import numpy as np
import pytest

from syncxr.curation.labelled_films import corruptions
from syncxr.curation.labelled_films.stock import Stock
from syncxr.sample import Image

FAULTS = {
    name: function
    for name, function in inspect.getmembers(corruptions, inspect.isfunction)
    if function.__module__ == corruptions.__name__ and not name.startswith("_")
}
ONE = {n: f for n, f in FAULTS.items() if len(inspect.signature(f).parameters) == 3}
TWO = {n: f for n, f in FAULTS.items() if len(inspect.signature(f).parameters) == 4}


def apply(name: str, film: Image, other: Image, severity: float, seed: int = 3) -> Image:
    rng = np.random.default_rng(seed)
    if name in TWO:
        return TWO[name](film, other, rng, severity)
    return ONE[name](film, rng, severity)


@pytest.mark.parametrize("severity", [0.0, 1.0])
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_changes_the_film_and_leaves_the_original(
    name: str, severity: float, stock: Stock
) -> None:
    film, other = stock.films[0].copy(), stock.films[1]
    result = apply(name, film, other, severity)
    np.testing.assert_array_equal(film, stock.films[0])
    assert result.dtype == np.uint8
    if name == "cropped":
        assert max(result.shape) <= 0.51 * film.shape[0]
    else:
        assert result.shape == film.shape
        changed = np.abs(result.astype(int) - film.astype(int))
        assert changed.mean() > 0.5


@pytest.mark.parametrize("name", ["gaussian_blur", "defocus", "motion_blur"])
def test_blur_takes_detail_and_keeps_brightness(name: str, stock: Stock) -> None:
    film = stock.films[0]

    def detail(image: Image) -> float:
        return float(np.abs(np.diff(image.astype(float), axis=0)).mean())

    mild, gross = (apply(name, film, film, severity) for severity in (0.0, 1.0))
    assert detail(film) > detail(mild) > detail(gross)
    assert abs(gross.mean() - film.mean()) < 4


def test_low_contrast_narrows_the_range(stock: Stock) -> None:
    spans = [np.ptp(apply("low_contrast", stock.films[0], None, s).astype(int)) for s in (0.0, 1.0)]
    assert 40 < spans[0] < 64
    assert 8 < spans[1] < 20


def test_posterised_leaves_few_levels(stock: Stock) -> None:
    assert len(np.unique(apply("posterised", stock.films[0], None, 1.0))) <= 3
