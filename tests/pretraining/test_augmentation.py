"""Random views: each switch does what it says and nothing when it is off."""

import pytest
import torch

from syncxr.pretraining.augmentation import augment
from syncxr.pretraining.options import Augmentation

OFF = {"crop": 1, "rotation": 0, "shift": 0, "scale": 0, "contrast": 0, "blur": 0, "mirror": 0}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def films() -> torch.Tensor:
    return torch.rand(6, 1, 24, 24, generator=seeded(9))


def test_all_off_changes_nothing(films: torch.Tensor) -> None:
    assert torch.allclose(augment(films, Augmentation(**OFF), seeded()), films, atol=1e-5)


@pytest.mark.parametrize(
    "on",
    [{"crop": 0.5}, {"rotation": 20}, {"shift": 0.2}, {"scale": 0.2}, {"contrast": 0.4}],
)
def test_each_change_changes_every_film_differently(films: torch.Tensor, on: dict) -> None:
    same = films[:1].repeat(6, 1, 1, 1)
    changed = augment(same, Augmentation(**{**OFF, **on}), seeded())
    assert changed.shape == films.shape
    assert changed.min() >= 0 and changed.max() <= 1
    for i in range(6):
        assert not torch.allclose(changed[i], same[i], atol=1e-3)
        assert not torch.allclose(changed[i], changed[i - 1], atol=1e-3)


def test_mirror_is_left_right(films: torch.Tensor) -> None:
    changed = augment(films, Augmentation(**{**OFF, "mirror": 1}), seeded())
    assert torch.allclose(changed, films.flip(3), atol=1e-5)


def test_blur_softens_half_of_the_films_and_keeps_their_mean() -> None:
    films = torch.rand(200, 1, 24, 24, generator=seeded(1))
    changed = augment(films, Augmentation(**{**OFF, "blur": 2}), seeded())
    softer = changed.std((1, 2, 3)) < 0.9 * films.std((1, 2, 3))
    assert 60 < int(softer.sum()) < 130
    flat = torch.full((4, 1, 24, 24), 0.3)
    assert torch.allclose(augment(flat, Augmentation(**{**OFF, "blur": 2}), seeded()), flat)


def test_a_crop_stays_inside_the_film() -> None:
    white = torch.ones(50, 1, 24, 24)
    changed = augment(white, Augmentation(**{**OFF, "crop": 0.5}), seeded())
    assert changed[:, :, 1:-1, 1:-1].min() > 0.99


def test_the_same_seed_gives_the_same_views(films: torch.Tensor) -> None:
    options = Augmentation()
    assert torch.equal(augment(films, options, seeded(4)), augment(films, options, seeded(4)))
    assert not torch.equal(augment(films, options, seeded(4)), augment(films, options, seeded(5)))
