"""Features: the tower's own, once per model and set, whatever lies in the cache."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from syncxr.evaluation.films import kept
from syncxr.evaluation.films.decoded import Films
from syncxr.evaluation.films.features import Wanted, look, pooled, to_tensor
from syncxr.pretraining.encoders.features import ImageFeatures
from syncxr.pretraining.encoders.image import ImageEncoder
from syncxr.pretraining.preprocessing import Preprocessing


@pytest.fixture
def model() -> SimpleNamespace:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        tower = ImageEncoder("test_efficientnet")
    return SimpleNamespace(image_encoder=tower, preprocessing=Preprocessing(size=32))


@pytest.fixture
def films() -> Films:
    pixels = np.random.default_rng(0).integers(0, 256, (70, 32, 32), np.uint8)
    return Films(pixels, "a key", 0)


def features(model: SimpleNamespace, weights: str, films: Films, cache: Path) -> np.ndarray:
    return look(model, weights, films, [pooled(model)], cache)[0]


class Counts:
    """A tower that tells how many films it saw."""

    def __init__(self, tower: ImageEncoder) -> None:
        self.tower, self.saw, self.channels = tower, [], tower.channels

    def __call__(self, images: torch.Tensor) -> ImageFeatures:
        self.saw.append(len(images))
        return self.tower(images)

    def eval(self) -> None:
        self.tower.eval()

    def parameters(self) -> Iterator[torch.nn.Parameter]:
        return self.tower.parameters()


@torch.inference_mode()
def test_each_row_is_its_films_pooled_feature(
    model: SimpleNamespace, films: Films, tmp_path: Path
) -> None:
    found = features(model, "weights", films, tmp_path)
    assert found.shape == (70, model.image_encoder.channels)
    for row in (0, 31, 32, 69):
        alone = model.image_encoder(to_tensor(films.pixels[row : row + 1])).pooled[0]
        np.testing.assert_allclose(found[row], alone.numpy(), rtol=1e-4, atol=1e-5)


def test_once_per_model_and_set(model: SimpleNamespace, films: Films, tmp_path: Path) -> None:
    model.image_encoder = tower = Counts(model.image_encoder)
    first = features(model, "weights 1", films, tmp_path)
    assert np.array_equal(features(model, "weights 1", films, tmp_path), first)
    assert sum(tower.saw) == 70
    features(model, "weights 2", films, tmp_path)
    features(model, "weights 1", Films(films.pixels, "another key", 0), tmp_path)
    assert sum(tower.saw) == 210
    assert not list(tmp_path.rglob("*.partial"))


def test_what_is_wanted_together_costs_one_look(
    model: SimpleNamespace, films: Films, tmp_path: Path
) -> None:
    model.image_encoder = tower = Counts(model.image_encoder)
    sums = Wanted("sum", (), lambda seen: seen.pooled.sum(1))
    greatest = Wanted(
        "greatest", (2, 2), lambda seen: seen.spatial.amax(1)[:, :1, :1].expand(-1, 2, 2)
    )
    found = look(model, "w", films, [sums, pooled(model), sums], tmp_path)
    assert tower.saw == [32, 32, 6] and np.array_equal(found[0], found[2])
    np.testing.assert_allclose(found[0], found[1].sum(1), rtol=1e-4)
    tower.saw.clear()
    # One that is new is a look; those that are there are kept as they are.
    again = look(model, "w", films, [greatest, sums], tmp_path)
    assert sum(tower.saw) == 70 and again[0].shape == (70, 2, 2)
    assert np.array_equal(again[1], found[0])


def test_a_kill_loses_what_was_not_marked_and_nothing_else(
    model: SimpleNamespace, films: Films, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "_MARK", 32)
    whole = features(model, "w", films, tmp_path / "straight")
    model.image_encoder = tower = Counts(model.image_encoder)

    def dies(seen: ImageFeatures) -> torch.Tensor:
        if len(tower.saw) == 2:
            raise KeyboardInterrupt
        return seen.pooled

    with pytest.raises(KeyboardInterrupt):
        look(model, "w", films, [replace(pooled(model), of=dies)], tmp_path)
    assert not list(tmp_path.glob("features/*.npy"))
    tower.saw.clear()
    assert np.array_equal(features(model, "w", films, tmp_path), whole)
    assert tower.saw == [32, 6]


def test_a_damaged_file_is_made_again(model: SimpleNamespace, films: Films, tmp_path: Path) -> None:
    found = np.array(features(model, "w", films, tmp_path))
    (store,) = tmp_path.glob("features/*.npy")
    for broken in (store.read_bytes()[:-8], b"", b"no array"):
        store.unlink()
        store.write_bytes(broken)
        assert np.array_equal(features(model, "w", films, tmp_path), found)


def test_to_tensor(films: Films) -> None:
    pixels = to_tensor(films.pixels[:2])
    assert pixels.shape == (2, 1, 32, 32)
    assert torch.equal(pixels[:, 0], torch.from_numpy(films.pixels[:2]).float() / 255)
