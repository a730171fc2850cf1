"""One film saved twice is found; two films are not."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from scipy import ndimage

from syncxr.factory.audit.duplicates import MOST_BITS, distance, fingerprint, groups, near_pairs
from syncxr.sample import Image


@cache
def film(seed: int) -> Image:
    """Smooth shapes, as films have."""
    rng = np.random.default_rng(seed)
    soft = ndimage.gaussian_filter(rng.standard_normal((256, 224)), 12)
    return np.interp(soft, (soft.min(), soft.max()), (0, 255)).astype(np.uint8)


def jpeg(picture: Image) -> Image:
    buffer = io.BytesIO()
    Pillow.fromarray(picture).save(buffer, "JPEG", quality=50)
    return np.asarray(Pillow.open(buffer))


CHANGES: dict[str, Callable[[Image], Image]] = {
    "as it is": lambda f: f,
    "compressed": jpeg,
    "half the size": lambda f: np.asarray(Pillow.fromarray(f).resize((112, 128))),
    "another aspect": lambda f: np.asarray(Pillow.fromarray(f).resize((200, 200))),
    "darker": lambda f: (255 * (f / 255) ** 1.4).astype(np.uint8),
    "less contrast": lambda f: (60 + f * 0.5).astype(np.uint8),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_film_changed_little_is_near(change: str) -> None:
    prints = [fingerprint(film(1)), fingerprint(CHANGES[change](film(1))), fingerprint(film(2))]
    assert [(a, b) for a, b, _ in near_pairs(prints)] == [(0, 1)]


def test_films_of_others_are_far() -> None:
    prints = [fingerprint(film(seed)) for seed in range(40)]
    assert list(near_pairs(prints)) == []


def flipped(print_: bytes, bits: int, seed: int) -> bytes:
    """A fingerprint with so many fine bits changed."""
    fine = np.unpackbits(np.frombuffer(print_[32:], np.uint8))
    fine[np.random.default_rng(seed).choice(1024, bits, replace=False)] ^= 1
    return print_[:32] + np.packbits(fine).tobytes()


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 150)), max_size=8), st.integers(0, 99))
def test_pairs_agree_with_comparing_each_with_each(drawn: list[tuple[int, int]], seed: int) -> None:
    prints = [flipped(fingerprint(film(f)), bits, seed + i) for i, (f, bits) in enumerate(drawn)]
    expected = [
        (a, b, distance(prints[a], prints[b]))
        for a in range(len(prints))
        for b in range(a + 1, len(prints))
        if distance(prints[a], prints[b]) <= MOST_BITS
        and (int.from_bytes(prints[a][:32]) ^ int.from_bytes(prints[b][:32])).bit_count() <= 28
    ]
    assert sorted(near_pairs(prints)) == expected


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    prints = [flipped(fingerprint(film(i % 5)), i, i) for i in range(17)]
    whole, told = sorted(near_pairs(prints)), list[int]()
    monkeypatch.setattr("syncxr.factory.audit.duplicates._BLOCK", 4)
    assert sorted(near_pairs(prints, progress=told.append)) == whole
    assert sum(told) == 17


def test_groups_are_connected_films() -> None:
    assert groups(8, [(5, 6, 0), (1, 2, 0), (2, 7, 0)]) == [[1, 2, 7], [5, 6]]
    assert groups(3, []) == []
    chain = [(i, i + 1, 0) for i in range(99)]
    assert groups(100, reversed(chain)) == [list(range(100))]
