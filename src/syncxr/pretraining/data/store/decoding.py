"""From an entry to what is kept of it: in a pool, films ahead of the one that is written."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from syncxr.corpora.films import read_film
from syncxr.dataset.schema import decode_png
from syncxr.errors import SyncxrError
from syncxr.pretraining.data.captions import candidates
from syncxr.pretraining.data.entry import Entry, Rejected
from syncxr.pretraining.preprocessing import Preprocessing
from syncxr.sample import Image

_TOGETHER = 8
"""Entries a task. Of one, handing it over would be a tenth of the work; many more are many films
that wait in memory, and memory that is used again is in the processor's cache."""

_SMALLEST_SIDE, _LARGEST_RATIO = 16, 8
"""A film is at least so many pixels wide and high, and at most so many times longer than wide."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A pair ready to be kept.

    Attributes:
        film: (S, S) uint8, C-contiguous.
        strings: In UTF-8, as :mod:`syncxr.pretraining.data.store.layout` orders them.
        digest: sha256 of its words and its film as it lay in the source.
    """

    film: Image
    strings: list[bytes]
    digest: bytes


def prepare(
    entries: Iterable[Entry | Rejected], preprocessing: Preprocessing, threads: int
) -> Iterator[list[Prepared | Rejected]]:
    """Decode entries, in order, a few tasks ahead of what has been taken.

    Decoders release the interpreter, so threads are enough.
    """
    rest = iter(entries)
    ahead: deque[Future[list[Prepared | Rejected]]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            while True:
                while len(ahead) <= threads and (part := list(islice(rest, _TOGETHER))):
                    ahead.append(pool.submit(_prepare_all, part, preprocessing))
                if not ahead:
                    return
                yield ahead.popleft().result()
        finally:
            for task in ahead:
                task.cancel()


def _prepare_all(
    entries: list[Entry | Rejected], preprocessing: Preprocessing
) -> list[Prepared | Rejected]:
    return [
        entry if isinstance(entry, Rejected) else _prepare(entry, preprocessing)
        for entry in entries
    ]


def _prepare(entry: Entry, preprocessing: Preprocessing) -> Prepared | Rejected:
    try:
        film, digest = _decode(entry)
    except SyncxrError as error:
        return Rejected(entry.id, str(error))
    except MemoryError:
        raise
    except Exception:  # decoders raise whatever they like at broken bytes
        return Rejected(entry.id, f"{entry.where or entry.id}: the film does not open as an image")
    if fault := _fault(film):
        return Rejected(entry.id, f"{entry.where or entry.id}: {fault}")
    findings, impression = entry.findings.strip(), entry.impression.strip()
    named = (entry.id, entry.group, entry.split, findings, impression)
    sentences = candidates(findings, impression, "sentence")
    strings = [text.encode("utf-8", "replace") for text in (*named, *sentences)]
    digest.update(b"\0".join(strings[: len(named)]))
    return Prepared(np.ascontiguousarray(preprocessing.apply(film)), strings, digest.digest())


def _decode(entry: Entry) -> tuple[Image, hashlib._Hash]:
    """Pixels, and the hash of what they were read from."""
    if isinstance(entry.film, Path):
        film = read_film(entry.film, entry.where)
        return film, hashlib.sha256(entry.film.read_bytes())
    if isinstance(entry.film, np.ndarray):
        pixels = np.ascontiguousarray(entry.film)
        digest = hashlib.sha256(f"{pixels.dtype} {pixels.shape}".encode())
        digest.update(pixels.tobytes())
        return pixels, digest
    return decode_png(entry.film), hashlib.sha256(entry.film)


def _fault(film: Image) -> str:
    """What is wrong with decoded pixels, or ``""``."""
    if film.ndim != 2 or film.dtype != np.uint8:
        return f"the film is {film.dtype} {film.shape}, not uint8 (H, W)"
    short, long = sorted(film.shape)
    if short < _SMALLEST_SIDE or long > _LARGEST_RATIO * short:
        return f"the film is {film.shape[0]} × {film.shape[1]} pixels, which is no film's shape"
    return ""
