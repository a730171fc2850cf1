"""The real Dinov2 class, with its own processor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_dinov2
import torch
from PIL import Image as Pillow
from transformers import AutoImageProcessor, Dinov2Model

from syncxr.curation import FEATURES
from syncxr.curation.dino import Dino
from syncxr.errors import SyncxrError
from syncxr.registry import BackendSpec, build

RNG = np.random.default_rng(0)
FILMS = [RNG.integers(0, 256, shape, np.uint8) for shape in ((40, 40), (64, 50), (33, 70))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_dinov2.save(tmp_path_factory.mktemp("dino"))


def dino(folder: Path, cache: Path, **options: Any) -> Dino:
    chosen = {"model": str(folder), "device": "cpu", "cache": str(cache), **options}
    made: Dino = build("feature space", FEATURES, BackendSpec(name="rad-dino", **chosen))
    return made


def test_features_are_the_pooler_output_after_the_models_processor(
    folder: Path, tmp_path: Path
) -> None:
    """Film by film, by the plainest use of the two classes."""
    found = dino(folder, tmp_path).features(FILMS)
    processor = AutoImageProcessor.from_pretrained(folder)
    model = Dinov2Model.from_pretrained(folder).eval()
    for film, row in zip(FILMS, found, strict=True):
        pixels = processor(Pillow.fromarray(film).convert("RGB"), return_tensors="pt")
        with torch.inference_mode():
            output = model(**pixels)
        np.testing.assert_allclose(row, output.pooler_output[0].numpy(), atol=1e-5)
        np.testing.assert_allclose(row, output.last_hidden_state[0, 0].numpy(), atol=1e-5)
    assert found.dtype == np.float32 and found.shape == (3, 32)


def test_features_depend_on_the_film_alone(folder: Path, tmp_path: Path) -> None:
    together = dino(folder, tmp_path / "a").features(FILMS)
    for number, film in enumerate(FILMS):
        alone = dino(folder, tmp_path / str(number)).features([film])
        np.testing.assert_array_equal(alone[0], together[number])


@pytest.mark.parametrize("batch", [2, 8])
def test_a_batch_changes_no_more_than_rounding(folder: Path, tmp_path: Path, batch: int) -> None:
    single = dino(folder, tmp_path / "a").features(FILMS)
    many = dino(folder, tmp_path / "b", batch_size=batch).features(FILMS)
    np.testing.assert_allclose(single, many, atol=1e-5)


def test_a_film_is_looked_at_once(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    real = Dino._compute

    def compute(self: Dino, images: Any) -> Any:
        seen.append(len(images))
        return real(self, images)

    monkeypatch.setattr(Dino, "_compute", compute)
    first = dino(folder, tmp_path).features([*FILMS[:2], FILMS[0]])
    again = dino(folder, tmp_path).features(FILMS)
    np.testing.assert_array_equal(first[:2], again[:2])
    np.testing.assert_array_equal(first[0], first[2])
    assert seen == [2, 1]


def test_another_models_features_are_others(folder: Path, tmp_path: Path) -> None:
    other = tiny_dinov2.save(tmp_path / "other", seed=1)
    one, two = (dino(f, tmp_path / "cache").features(FILMS[:1]) for f in (folder, other))
    assert np.abs(one - two).max() > 0.01


def test_built_in_bad_films_show_no_chest_and_fit(folder: Path, tmp_path: Path) -> None:
    space = dino(folder, tmp_path)
    bank = space.built_in()
    assert bank.shape == (120, 32) and space.centre() is None
    assert len(np.unique(bank.round(4), axis=0)) > 100
    assert space.max_similarity == 0.5


def test_what_is_no_dinov2_is_refused(tmp_path: Path) -> None:
    from transformers import CLIPVisionConfig, CLIPVisionModel

    tiny_dinov2.save(tmp_path / "clip")
    CLIPVisionModel(
        CLIPVisionConfig(
            hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2
        )
    ).save_pretrained(tmp_path / "clip")
    with pytest.raises(SyncxrError, match="takes a Dinov2Model"):
        dino(tmp_path / "clip", tmp_path / "cache").features(FILMS[:1])


def test_the_hubs_model_needs_a_revision() -> None:
    with pytest.raises(SyncxrError, match="revision: COMMIT"):
        build("feature space", FEATURES, BackendSpec(name="rad-dino"))
