import numpy as np
import pytest

from syncxr.curation.labelled_films import phantoms

DRAWN = [
    phantoms.hand,
    phantoms.foot,
    phantoms.arm,
    phantoms.knee,
    phantoms.skull,
    phantoms.quadruped,
    phantoms.fish,
    phantoms.bird,
    phantoms.luggage,
    phantoms.circuit,
    phantoms.gears,
    phantoms.text_page,
    phantoms.noise,
    phantoms.gradient,
    phantoms.shapes,
]


@pytest.mark.parametrize("draw", DRAWN, ids=lambda draw: draw.__name__)
@pytest.mark.parametrize("seed", range(4))
def test_a_phantom_is_a_picture_of_its_seed(draw: phantoms.Phantom, seed: int) -> None:
    first, again = (draw(np.random.default_rng(seed)) for _ in range(2))
    assert first.shape == (phantoms.SIDE, phantoms.SIDE)
    assert first.dtype == np.uint8
    assert first.std() > 0
    np.testing.assert_array_equal(first, again)


def test_a_capsule_is_as_thick_as_its_diameter() -> None:
    path = phantoms._capsule((0.2, 0.5), (0.8, 0.5), 0.1, 0.1)
    assert path[phantoms.SIDE // 2, phantoms.SIDE // 2] == pytest.approx(0.2, abs=2e-3)
    assert path[0, 0] == 0


def test_drawing_in_a_window_equals_drawing_everywhere() -> None:
    a, b, radius = (0.3, 0.4), (0.55, 0.7), 0.05
    window = phantoms._around(a, b, radius)
    whole = phantoms._capsule(a, b, radius, radius)
    part = np.zeros_like(whole)
    part[window] = phantoms._capsule(a, b, radius, radius, window=window)
    np.testing.assert_allclose(part, whole, atol=1e-6)
