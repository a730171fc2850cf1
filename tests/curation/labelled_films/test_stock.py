import numpy as np

from syncxr.curation.labelled_films.stock import _finding, simulated_film
from syncxr.images.simulation.findings import FINDINGS
from syncxr.images.simulation.renderer import SimulationRenderer


def test_good_films_may_show_whatever_the_simulator_draws() -> None:
    renderer = SimulationRenderer(SimulationRenderer.Options())
    rng = np.random.default_rng(0)
    drawn = [_finding(renderer, rng) for _ in range(1200)]
    assert {entity.concept for entity in drawn} == set(FINDINGS)
    assert not any(renderer.refusal(entity) for entity in drawn)
    assert any(entity.location for entity in drawn)
    assert any(entity.severity for entity in drawn)


def test_a_film_is_told_by_name_and_number() -> None:
    first, again = (simulated_film("tests", 3) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    other = simulated_film("others", 3)
    assert first.shape != other.shape or (first != other).any()
