"""Sources of pairs made up for tests: films of noise, reports of a few words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from syncxr.dataset.shards import commit_shard
from syncxr.pretraining.data.pairs import Pair, Pairs
from syncxr.sample import Image, Sample


def noise(number: int, side: int = 48) -> Image:
    """The film of a number."""
    return np.random.default_rng(number).integers(0, 256, (side, side + 8), np.uint8)


def report(number: int) -> tuple[str, str]:
    """FINDINGS of two sentences and an IMPRESSION; they name the number."""
    return f"Film {number} shows a nodule. The heart of {number} is normal.", f"Nodule in {number}."


def pairs(count: int, first: int = 0) -> Pairs:
    """Pairs in memory, ids ``p0`` …."""
    numbers = range(first, first + count)
    return Pairs(tuple(Pair(f"p{i}", noise(i), *report(i)) for i in numbers), "made up")


def dataset(folder: Path, count: int, shards: int = 2, first: int = 0) -> Path:
    """A generated dataset of some shards; the folder of its run."""
    made = [Sample(f"s{i}", (), *report(i), noise(i)) for i in range(first, first + count)]
    for index, numbers in enumerate(np.array_split(np.arange(count), shards)):
        samples = [made[i] for i in numbers]
        path = f"dataset/data/train-{index:05d}.parquet"
        commit_shard(folder, "films", index, {path: samples}, {})
    return folder


def table(folder: Path, count: int, first: int = 0) -> Path:
    """``pairs.csv`` and ``films/`` beside it."""
    films = folder / "films"
    films.mkdir(parents=True, exist_ok=True)
    lines = ["image,findings,impression"]
    for number in range(first, first + count):
        Pillow.fromarray(noise(number)).save(films / f"{number}.png")
        lines.append(f"{number}.png,{','.join(report(number))}")
    (folder / "pairs.csv").write_text("\n".join(lines) + "\n")
    return folder / "pairs.csv"
