from collections.abc import Callable

import numpy as np
import pytest

from syncxr.curation.labelled_films import views
from syncxr.curation.labelled_films.randomise import resized
from syncxr.sample import Image

Take = Callable[[np.random.Generator], Image]


def lungs_beside_spine(film: Image) -> float:
    """Brightness of the middle over that of the two sides, in the upper half of the body."""
    film = resized(film, 100, 100)[20:50].astype(float)
    return float(film[:, 46:54].mean() - (film[:, 26:36].mean() + film[:, 64:74].mean()) / 2)


def test_only_a_frontal_view_has_a_bright_middle_between_two_lungs() -> None:
    def seen(pose: views.Pose) -> float:
        return lungs_beside_spine(views.view(np.random.default_rng(0), pose))

    assert seen(views.Pose()) > 40
    assert seen(views.Pose(yaw=90)) < 20


def test_half_a_turn_mirrors_the_film() -> None:
    volume = views._attenuation()
    one = np.ones(3)
    front = views._depth(volume, views.Pose(), one)
    back = views._depth(volume, views.Pose(yaw=180), one)
    width = min(front.shape[1], back.shape[1])
    correlation = np.corrcoef(front[:, :width].ravel(), back[:, :width][:, ::-1].ravel())[0, 1]
    assert correlation > 0.97


def test_the_head_is_up() -> None:
    film = views.view(np.random.default_rng(0), views.Pose()).astype(float)
    height = film.shape[0]
    assert film[int(0.75 * height) : int(0.9 * height)].mean() > film[: height // 2].mean()


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_slices_are_pictures(plane: str) -> None:
    films = [views.ct_slice(np.random.default_rng(seed), plane) for seed in range(3)]
    assert all(film.dtype == np.uint8 and min(film.shape) > 100 for film in films)
    assert films[0].std() > 10


@pytest.mark.parametrize("take", [views.rendered_lateral, views.rendered_oblique])
@pytest.mark.parametrize("seed", range(4, 7))
def test_sides_taken_by_the_renderer_are_not_frontal(take: Take, seed: int) -> None:
    film, again = (take(np.random.default_rng(seed)) for _ in range(2))
    np.testing.assert_array_equal(film, again)
    assert lungs_beside_spine(film) < 60


def test_parts_are_pictures() -> None:
    films = [views.part(np.random.default_rng(seed)) for seed in range(6)]
    assert all(film.std() > 3 for film in films)
