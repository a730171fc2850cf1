"""Features: the tower's own, once per model and set, whatever lies in the cache."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from syncxr.evaluation.films import features
from syncxr.evaluation.films.decoded import Films
from syncxr.evaluation.films.features import extract, pooled_features, to_tensor
from syncxr.pretraining.encoders import ImageEncoder
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


@torch.inference_mode()
def test_each_row_is_its_films_pooled_feature(model: SimpleNamespace, films: Films) -> None:
    found = extract(model.image_encoder, films.pixels)
    assert found.shape == (70, model.image_encoder.channels)
    for row in (0, 31, 32, 69):
        alone = model.image_encoder(to_tensor(films.pixels[row : row + 1])).pooled[0]
        np.testing.assert_allclose(found[row], alone.numpy(), rtol=1e-4, atol=1e-5)


def test_once_per_model_and_set(
    model: SimpleNamespace, films: Films, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    monkeypatch.setattr(features, "extract", lambda *given: calls.append(1) or extract(*given))
    first = pooled_features(model, "weights 1", films, tmp_path)
    assert np.array_equal(pooled_features(model, "weights 1", films, tmp_path), first)
    assert len(calls) == 1
    pooled_features(model, "weights 2", films, tmp_path)
    pooled_features(model, "weights 1", Films(films.pixels, "another key", 0), tmp_path)
    assert len(calls) == 3
    assert not list(tmp_path.rglob("*.partial"))


def test_to_tensor(films: Films) -> None:
    pixels = to_tensor(films.pixels[:2])
    assert pixels.shape == (2, 1, 32, 32)
    assert torch.equal(pixels[:, 0], torch.from_numpy(films.pixels[:2]).float() / 255)
