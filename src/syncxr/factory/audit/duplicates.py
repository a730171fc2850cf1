"""Near-duplicates: films that are one film, saved again, scaled, or toned otherwise.

A film's fingerprint says of a grid of cells where brightness rises to the right (a difference
hash): bits that scaling, compression and toning hardly change. A coarse grid finds candidates among
all pairs, a fine one decides. Features of a judge are no use here: they are made to forget who is
on a film.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from syncxr.sample import Image

_COARSE, _FINE = 16, 32
_COARSE_BYTES = _COARSE**2 // 8
_BYTES = _COARSE_BYTES + _FINE**2 // 8

_CANDIDATE = 28
"""Of the 256 coarse bits, how many may differ before the fine ones are looked at."""

MOST_BITS = 96
"""Of the 1,024 fine bits, how many may differ in a near-duplicate; docs/audit.md has figures."""

_BLOCK = 2048


def fingerprint(film: Image) -> bytes:
    """160 bytes of a film, (H, W) uint8."""
    return _rising(film, _COARSE) + _rising(film, _FINE)


def near_pairs(
    prints: Sequence[bytes],
    most: int = MOST_BITS,
    progress: Callable[[int], None] = lambda films: None,
) -> Iterator[tuple[int, int, int]]:
    """Pairs of films whose fingerprints differ in at most ``most`` bits, and in how many.

    Every pair is compared, block by block; memory grows by 160 bytes a film. The 377,110 films of
    MIMIC-CXR-JPG are 7·10¹⁰ pairs: some minutes.

    Args:
        prints: As :func:`fingerprint` makes them.
        most: Different fine bits that still make a pair.
        progress: Told how many films have been compared with all that follow them.
    """
    packed = np.frombuffer(b"".join(prints), np.uint8).reshape(len(prints), _BYTES)
    coarse, fine = packed[:, :_COARSE_BYTES], packed[:, _COARSE_BYTES:]
    for i in range(0, len(prints), _BLOCK):
        left = _signs(coarse[i : i + _BLOCK])
        for j in range(i, len(prints), _BLOCK):
            right = left if i == j else _signs(coarse[j : j + _BLOCK])
            # A product of signs is the number of equal bits less that of different ones.
            a, b = np.nonzero(left @ right.T >= _COARSE**2 - 2 * _CANDIDATE)
            a, b = a + i, b + j
            a, b = a[a < b], b[a < b]
            bits = np.unpackbits(fine[a] ^ fine[b], axis=1).sum(1, dtype=np.int64)
            for k in np.nonzero(bits <= most)[0]:
                yield int(a[k]), int(b[k]), int(bits[k])
        progress(len(left))


def groups(count: int, pairs: Iterable[tuple[int, int, int]]) -> list[list[int]]:
    """Films that are connected by near pairs, each group in order; single films in none."""
    parent = list(range(count))

    def root(item: int) -> int:
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    joined: set[int] = set()
    for a, b, _ in pairs:
        first, second = sorted((root(a), root(b)))
        parent[second] = first
        joined.update((a, b))
    found: dict[int, list[int]] = {}
    for item in sorted(joined):
        found.setdefault(root(item), []).append(item)
    return list(found.values())


def distance(a: bytes, b: bytes) -> int:
    """Fine bits in which two fingerprints differ."""
    one, other = (int.from_bytes(print_[_COARSE_BYTES:]) for print_ in (a, b))
    return (one ^ other).bit_count()


def _rising(film: Image, grid: int) -> bytes:
    picture = Pillow.fromarray(film).resize((grid + 1, grid), Pillow.Resampling.BOX)
    cells = np.asarray(picture, np.int16)
    return np.packbits(cells[:, 1:] > cells[:, :-1]).tobytes()


def _signs(packed: NDArray[np.uint8]) -> NDArray[np.float32]:
    signs: NDArray[np.float32] = np.unpackbits(packed, axis=1).astype(np.float32) * 2 - 1
    return signs
