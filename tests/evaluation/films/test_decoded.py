"""The decoded cache: right pixels, each film once, gone on with after a kill, never stale."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from syncxr.errors import SyncxrError
from syncxr.evaluation.films import decoded, kept
from syncxr.evaluation.films.decoded import (
    Recipe,
    decode,
    decode_films,
    decode_masks,
    prepared,
)
from syncxr.evaluation.testsets.test_set import Info, Item, TestSet
from syncxr.pretraining.preprocessing import Preprocessing

SMALL = Preprocessing(size=32)


class Tiny(TestSet):
    """Films of several sizes with half a mask on every second one; nobody drew on the last."""

    info = Info("tiny", "Tiny", "", "", "", "", (), {}, ("nodule",), ("segmentation",))
    opened = 0

    def __init__(self, root: Path, count: int) -> None:
        super().__init__(root, "test")
        self.items = tuple(Item(f"f{i}", f"f{i}.png", "", {"nodule": i % 2}) for i in range(count))

    def film(self, item: Item) -> np.ndarray:
        self.opened += 1
        return super().film(item)

    def mask(self, item: Item, finding: str) -> np.ndarray | None:
        if item is self.items[-1]:
            return None
        mask = np.zeros(self.film(item).shape, bool)
        mask[:, : mask.shape[1] // 2] = item.labels[finding]
        return mask


@pytest.fixture
def tiny(tmp_path: Path) -> Tiny:
    generator = np.random.default_rng(0)
    for index in range(9):
        size = (40 + index, 50 - index)
        pixels = generator.integers(0, 256, size, np.uint8)
        Pillow.fromarray(pixels).save(tmp_path / f"f{index}.png")
    return Tiny(tmp_path, 9)


@pytest.mark.parametrize("equalise", [False, True])
def test_films_are_what_the_encoder_would_see(tiny: Tiny, tmp_path: Path, equalise: bool) -> None:
    preprocessing = Preprocessing(size=32, equalise=equalise)
    films = decode_films(tiny, preprocessing, tmp_path / "cache")
    straight = preprocessing.stack(tiny.film(item) for item in tiny.items)
    assert np.array_equal(films.pixels, straight)
    assert not films.pixels.flags.writeable and films.decoded == 9


def test_decoded_once(tiny: Tiny, tmp_path: Path) -> None:
    first = decode_films(tiny, SMALL, tmp_path / "cache")
    tiny.opened = 0
    again = decode_films(tiny, SMALL, tmp_path / "cache")
    assert (again.decoded, tiny.opened, again.key) == (0, 0, first.key)


def test_two_lists_of_the_same_films_are_decoded_once(tiny: Tiny, tmp_path: Path) -> None:
    """PadChest's three sets are of the same 39,053 films."""

    class Other(Tiny):
        info = replace(Tiny.info, name="other", findings=("mass",))

    first = decode_films(tiny, SMALL, tmp_path / "cache")
    assert decode_films(Other(tmp_path, 9), SMALL, tmp_path / "cache").decoded == 0
    assert decode_films(Other(tmp_path, 9), SMALL, tmp_path / "cache").key == first.key


def test_other_files_preprocessing_or_films_are_other_entries(tiny: Tiny, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    keys = [decode_films(tiny, SMALL, cache).key]
    keys.append(decode_films(tiny, Preprocessing(size=64), cache).key)
    keys.append(decode_films(tiny.subset(tiny.items[:4], "part"), SMALL, cache).key)
    Pillow.fromarray(np.zeros((40, 50), np.uint8)).save(tmp_path / "f0.png")
    changed = decode_films(tiny, SMALL, cache)
    assert len({*keys, changed.key}) == 4
    assert not changed.pixels[0].any()


def test_a_kill_loses_one_chunk(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoded, "_CHUNK", 3)
    monkeypatch.setattr(kept, "_MARK", 3)
    monkeypatch.setattr(decoded, "_THREADS", 1)
    cache, film = tmp_path / "cache", tiny.film

    def dies(item: Item) -> np.ndarray:
        if item.id == "f7":
            raise KeyboardInterrupt
        return film(item)

    monkeypatch.setattr(tiny, "film", dies)
    with pytest.raises(KeyboardInterrupt):
        decode_films(tiny, SMALL, cache)
    assert not list(cache.glob("films/*.npy"))
    monkeypatch.setattr(tiny, "film", film)
    tiny.opened = 0
    films = decode_films(tiny, SMALL, cache)
    assert (films.decoded, tiny.opened) == (3, 3)
    assert np.array_equal(films.pixels, SMALL.stack(film(item) for item in tiny.items))
    assert sorted(p.suffix for p in (cache / "films").iterdir()) == [".json", ".lock", ".npy"]


def test_a_film_that_does_not_open_is_named(tiny: Tiny, tmp_path: Path) -> None:
    (tmp_path / "f5.png").write_bytes(b"no film")
    with pytest.raises(SyncxrError, match=r"f5\.png does not open"):
        decode_films(tiny, SMALL, tmp_path / "cache")


def test_an_empty_set(tiny: Tiny, tmp_path: Path) -> None:
    with pytest.raises(SyncxrError, match="holds no film"):
        decode_films(tiny.subset((), "none"), SMALL, tmp_path / "cache")


@pytest.mark.parametrize("size", [32, 36])
def test_masks(tiny: Tiny, tmp_path: Path, size: int) -> None:
    masks = decode_masks(tiny, ["nodule"], size, tmp_path / "cache")
    assert masks.drawn.tolist() == [True] * 8 + [False]
    found = masks.batch(np.array([1, 2, 8]))
    assert found.shape == (3, size, size)
    assert found[0, :, : size // 2 - 1].all() and not found[0, :, size // 2 + 1 :].any()
    assert not found[1:].any()
    os.utime(tmp_path / "f1.png")
    tiny.opened = 0
    decode_masks(tiny, ["nodule"], size, tmp_path / "cache")
    assert tiny.opened > 0


def test_each_film_is_read_once_whatever_is_made_of_it(tiny: Tiny, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    grey = Recipe("greys", {"measure": "mean"}, (), np.float64, lambda film: film.mean())
    recipes = [prepared(SMALL), prepared(Preprocessing(size=32, equalise=True)), grey]
    (films, flat, greys), read = decode(tiny, recipes, cache)
    assert tiny.opened == read == 9
    assert np.array_equal(films, decode_films(tiny, SMALL, cache).pixels)
    assert not np.array_equal(films, flat)
    assert greys.tolist() == [tiny.film(item).mean() for item in tiny.items]
    tiny.opened = 0
    (cache / "greys" / next(cache.glob("greys/*.npy")).name).unlink()
    (_, again), read = decode(tiny, [recipes[0], grey], cache)
    assert tiny.opened == read == 9 and np.array_equal(again, greys)
    assert decode(tiny, recipes, cache)[1] == 0
