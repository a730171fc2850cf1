"""A checkpoint works from its folder alone, and a damaged one says so."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from syncxr.errors import SyncxrError
from syncxr.pretraining.checkpoint import INDEX, describe, load
from syncxr.pretraining.data.pairs import Pairs
from syncxr.pretraining.model import DualEncoder
from syncxr.pretraining.options import PretrainingOptions
from syncxr.pretraining.prompt import Prompt
from syncxr.pretraining.training.run import pretrain


@pytest.fixture(scope="module")
def trained(
    tmp_path_factory: pytest.TempPathFactory, patches: Pairs, tiny_options: PretrainingOptions
) -> Path:
    folder = tmp_path_factory.mktemp("run") / "checkpoint"
    pretrain(patches, tiny_options, folder)
    return folder


@pytest.fixture
def copy(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "elsewhere"))


@pytest.fixture(scope="module")
def model(trained: Path) -> DualEncoder:
    return load(trained)


def test_works_from_the_folder_alone(
    copy: Path, model: DualEncoder, patches: Pairs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    films = [pair.image for pair in patches][:5]
    moved = load(copy)
    assert np.array_equal(moved.encode_image(films), model.encode_image(films))
    texts = ["a left bright patch", "no nodule"]
    assert np.array_equal(moved.encode_text(texts), model.encode_text(texts))


def test_embeddings_are_unit_vectors(model: DualEncoder, patches: Pairs) -> None:
    images = model.encode_image([pair.image for pair in patches])
    texts = model.encode_text(["a bright patch", "no bright patch"])
    assert images.shape == (60, 512) and texts.shape == (2, 512)
    assert np.allclose(np.linalg.norm(images, axis=1), 1, atol=1e-5)
    assert np.allclose(np.linalg.norm(texts, axis=1), 1, atol=1e-5)


def test_zero_shot_is_the_softmax_over_the_two_cosines(model: DualEncoder, patches: Pairs) -> None:
    films = [pair.image for pair in patches][:40]
    cosines = model.encode_image(films) @ model.encode_text(["nodule", "no nodule"]).T / 0.1
    expected = np.exp(cosines[:, 0]) / np.exp(cosines).sum(1)
    found = model.zero_shot(films, ["nodule"])
    assert found.shape == (40, 1)
    assert np.allclose(found[:, 0], expected, atol=1e-4)


def test_several_prompts_are_averaged(model: DualEncoder, patches: Pairs) -> None:
    films = [pair.image for pair in patches][:4]
    prompts = {"x": Prompt(("nodule", "a nodule"), ("no nodule",)), "y": Prompt(("a",), ("no",))}
    cosines = model.encode_image(films) @ model.encode_text(["nodule", "a nodule", "no nodule"]).T
    logit = (cosines[:, :2].mean(1) - cosines[:, 2]) / 0.1
    found = model.zero_shot(films, prompts)
    assert found.shape == (4, 2)
    assert np.allclose(found[:, 0], 1 / (1 + np.exp(-logit)), atol=1e-4)


def test_one_text_is_not_taken_for_its_letters(model: DualEncoder, patches: Pairs) -> None:
    with pytest.raises(TypeError, match=r"give a list of texts, \['nodule'\]"):
        model.encode_text("nodule")
    with pytest.raises(TypeError, match="give a list of texts"):
        model.zero_shot([patches.items[0].image], "nodule")


def test_grounding_map_has_the_size_of_the_film(model: DualEncoder, patches: Pairs) -> None:
    film = patches.items[0].image
    found = model.ground(film, "a left bright patch")
    assert found.shape == film.shape
    assert found.min() == 0 and found.max() == 1


def test_no_times_in_the_checkpoint(
    trained: Path, patches: Pairs, tmp_path: Path, tiny_options: PretrainingOptions
) -> None:
    pretrain(patches, tiny_options, tmp_path / "again")
    names = sorted(p.name for p in trained.rglob("*") if p.is_file() and p.name != ".lock")
    names = [name for name in names if not name.startswith("events.")]  # TensorBoard's
    for name in names:
        if name != "history.jsonl":
            one, two = (next(f.rglob(name)).read_bytes() for f in (trained, tmp_path / "again"))
            assert one == two, name
    assert not [name for name in names if name.startswith("training")]


def test_not_a_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(SyncxrError, match="holds no checkpoint"):
        load(tmp_path)


@pytest.mark.parametrize("text", ["", "{", '{"method": 3}', "[]"])
def test_damaged_index(copy: Path, text: str) -> None:
    (copy / INDEX).write_text(text)
    with pytest.raises(SyncxrError, match="damaged"):
        load(copy)


def test_damaged_and_missing_weights(copy: Path) -> None:
    weights = copy / describe(copy).weights
    weights.write_bytes(weights.read_bytes()[:-8])
    with pytest.raises(SyncxrError, match="damaged"):
        load(copy)
    weights.unlink()
    with pytest.raises(SyncxrError, match="missing"):
        load(copy)


def test_method_of_a_newer_version(copy: Path) -> None:
    index = json.loads((copy / INDEX).read_text())
    index["method"]["name"] = "telepathy"
    (copy / INDEX).write_text(json.dumps(index))
    with pytest.raises(SyncxrError, match="telepathy"):
        load(copy)


def test_a_checkpoint_of_another_method(copy: Path) -> None:
    index = json.loads((copy / "checkpoint.json").read_text())
    index["method"] = {"name": "gloria"}
    (copy / "checkpoint.json").write_text(json.dumps(index))
    with pytest.raises(SyncxrError, match="does not fit the gloria model .*key") as caught:
        load(copy)
    assert "give a folder as `syncxr pretrain` wrote it" in str(caught.value)
    assert "\n" not in str(caught.value)
