"""Films and masks of a test set, decoded once and kept at evaluation size.

Reading, decoding and resizing a film costs more than a small network's look at it (a 1024² PNG:
19 ms of a core), and public code pays it at every epoch. Here each film is decoded once, in the
order of the set's items, into one memory-mapped array that every model with the same
preprocessing and every task reads.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from syncxr.dataset.files import write_text
from syncxr.evaluation.films.kept import Blocks, Kept, bring
from syncxr.evaluation.testsets.test_set import Item, TestSet
from syncxr.pretraining.preprocessing import Preprocessing
from syncxr.sample import Image, Mask

_CHUNK = 32
"""Films that are decoded side by side before their rows are written."""

_THREADS = min(4, os.cpu_count() or 1)
"""Decoders release the interpreter, so threads are enough."""


@dataclass(frozen=True)
class Films:
    """Films of one set at evaluation size.

    Attributes:
        pixels: (N, S, S), read-only, in the order of the set's items.
        key: Hash of the films' files and of the preprocessing.
        decoded: How many films this call had to decode; 0 where all lay in the cache.
    """

    pixels: NDArray[np.uint8]
    key: str
    decoded: int

    def __len__(self) -> int:
        """Number of films."""
        return len(self.pixels)


@dataclass(frozen=True)
class Masks:
    """Masks of one finding at evaluation size, one bit a pixel.

    Attributes:
        packed: (N, S, ceil(S / 8)), read-only.
        drawn: (N,), False where nobody drew: such films are not scored.
        size: S.
    """

    packed: NDArray[np.uint8]
    drawn: NDArray[np.bool_]
    size: int

    def batch(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Masks (n, S, S) of some films."""
        bits = np.unpackbits(np.asarray(self.packed[rows]), axis=2, count=self.size)
        return bits.astype(np.bool_)


@dataclass(frozen=True)
class Recipe:
    """What is kept of a film as it comes.

    Attributes:
        folder: Of the cache.
        settings: JSON values that say, with the film's file, what it is; part of the key.
        row: Shape for a film.
        dtype: Of the values.
        make: From the film to its row.
    """

    folder: str
    settings: dict[str, Any]
    row: tuple[int, ...]
    dtype: type[np.generic]
    make: Callable[[Image], NDArray[Any]]


def decode(
    test_set: TestSet, recipes: Sequence[Recipe], cache: Path
) -> tuple[list[NDArray[Any]], int]:
    """Several things made of each film, from the cache as far as they lie there.

    Each film is read once, however many of them are wanted.

    Returns:
        An array (N, …) a recipe, read-only; and how many films had to be read.

    Raises:
        SyncxrError: A film does not open, or the set is empty.
    """
    arrays = [
        Kept(cache / r.folder / f"{_key(test_set, r.settings)[:32]}.npy", r.row, r.dtype)
        for r in recipes
    ]

    def rows(start: int, places: Sequence[int]) -> Blocks:
        def read(item: Item) -> list[NDArray[Any]]:
            film = test_set.film(item)
            return [recipes[place].make(film) for place in places]

        return _side_by_side(test_set.items[start:], read)

    found, decoded = bring(arrays, len(test_set), rows, f"decoding {test_set.info.name}")
    for array, recipe in zip(arrays, recipes, strict=True):
        _describe(array.store, test_set, recipe.settings)
    return found, decoded


def prepared(preprocessing: Preprocessing) -> Recipe:
    """Films as an encoder sees them."""
    settings = {"preprocessing": preprocessing.model_dump(mode="json")}
    side = preprocessing.size
    return Recipe("films", settings, (side, side), np.uint8, preprocessing.apply)


def decode_films(test_set: TestSet, preprocessing: Preprocessing, cache: Path) -> Films:
    """Films of a set as an encoder sees them.

    Args:
        test_set: What to decode.
        preprocessing: Of the model; part of the key.
        cache: Folder; ``films/KEY.npy`` is whole or absent, and an interrupted call is gone on
            with.

    Raises:
        SyncxrError: A film does not open, or the set is empty.
    """
    recipe = prepared(preprocessing)
    (pixels,), decoded = decode(test_set, [recipe], cache)
    return Films(pixels, _key(test_set, recipe.settings), decoded)


def decode_masks(test_set: TestSet, findings: Sequence[str], size: int, cache: Path) -> Masks:
    """Masks of findings together, resized to ``(size, size)`` by nearest neighbour.

    Args:
        test_set: What to decode.
        findings: Whose masks; a film that shows one of them which nobody drew counts as not drawn.
        size: Side in pixels, that of the films.
        cache: As for :func:`decode_films`.

    Raises:
        SyncxrError: A mask does not open or is of another size than its film.
    """
    settings = {"findings": list(findings), "size": size}
    key = _key(test_set, {**settings, "tree": tree_state(test_set.outlines_from)})
    width = -(-size // 8)

    def read(item: Item) -> NDArray[np.uint8]:
        # The last row says whether anybody drew, so that one file holds it all.
        row = np.zeros((size + 1, width), np.uint8)
        mask = _together(test_set, item, findings)
        if mask is not None:
            row[:size] = np.packbits(_shrunk(mask, size), axis=1)
            row[size] = 1
        return row

    store = cache / "masks" / f"{key[:32]}.npy"
    (rows,), _ = bring(
        [Kept(store, (size + 1, width), np.uint8)],
        len(test_set),
        lambda start, _: _side_by_side(test_set.items[start:], lambda item: [read(item)]),
        f"masks of {test_set.info.name}",
    )
    _describe(store, test_set, settings)
    return Masks(rows[:, :size], np.asarray(rows[:, size, 0] == 1), size)


def _side_by_side(items: Sequence[Item], read: Callable[[Item], list[NDArray[Any]]]) -> Blocks:
    """Rows of films that several threads read."""
    with ThreadPoolExecutor(_THREADS) as pool:
        for start in range(0, len(items), _CHUNK):
            rows = list(pool.map(read, items[start : start + _CHUNK]))
            yield [np.stack(column) for column in zip(*rows, strict=True)]


def _together(test_set: TestSet, item: Item, findings: Sequence[str]) -> Mask | None:
    """Union of a film's masks; None where nothing is drawn or a finding that it shows is not."""
    drawn = {finding: test_set.mask(item, finding) for finding in findings}
    if any(mask is None and item.labels.get(finding) == 1 for finding, mask in drawn.items()):
        return None
    masks = [mask for mask in drawn.values() if mask is not None]
    return np.asarray(np.any(masks, axis=0)) if masks else None


def _shrunk(mask: NDArray[np.bool_], size: int) -> NDArray[np.bool_]:
    picture = Pillow.fromarray(mask.astype(np.uint8) * 255)
    resized = picture.resize((size, size), Pillow.Resampling.NEAREST)
    return np.asarray(resized) > 127


def _key(test_set: TestSet, settings: dict[str, Any]) -> str:
    """Hash of what decides the array: which files, as they are now, prepared how."""
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    # Not of the set's name: PadChest's three lists are of the same films.
    digest.update(str(test_set.root.resolve()).encode())
    for item in test_set.items:
        digest.update(f"\n{item.id}\0{item.path}\0{file_state(test_set.root / item.path)}".encode())
    return digest.hexdigest()


def file_state(path: Path) -> str:
    """Size and time of a file: reading 25,000 films to hash them costs as much as decoding."""
    try:
        found = path.stat()
    except OSError:
        return ""
    return f"{found.st_size} {found.st_mtime_ns}"


def tree_state(places: Iterable[Path]) -> list[int]:
    """Number, bytes and latest change of all files there and below."""
    files = (path for place in places for path in (place, *place.rglob("*")) if path.is_file())
    states = [path.stat() for path in files]
    sizes = sum(state.st_size for state in states)
    return [len(states), sizes, max((state.st_mtime_ns for state in states), default=0)]


def _describe(store: Path, test_set: TestSet, settings: dict[str, Any]) -> None:
    """A note beside the array for whoever finds it."""
    note = store.with_suffix(".json")
    if not note.exists():
        about = {
            "test_set": test_set.info.name,
            "split": test_set.split,
            "films": len(test_set),
            "ids_sha256": test_set.digest,
            **settings,
        }
        write_text(note, json.dumps(about, indent=1) + "\n")
