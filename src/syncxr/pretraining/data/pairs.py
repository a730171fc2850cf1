"""Pairs in memory: the simplest source, for what is made in Python."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from syncxr.dataset.reader import read
from syncxr.errors import SyncxrError
from syncxr.sample import Image, Sample

_LONGEST_SIDE = 512
"""Larger films are shrunk on reading: no encoder here looks at more."""


@dataclass(frozen=True)
class Pair:
    """One film and its report.

    Attributes:
        id: Decides on which side of the validation split the pair falls.
        image: Film, uint8, (H, W).
        findings: FINDINGS section, may be empty.
        impression: IMPRESSION section, may be empty.
    """

    id: str
    image: Image
    findings: str = ""
    impression: str = ""


@dataclass(frozen=True)
class Pairs:
    """Pairs in a fixed order.

    Attributes:
        items: The pairs; each has some text.
        source: Where they came from, for the record of the run.
    """

    items: tuple[Pair, ...]
    source: str = "memory"

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Pair]:
        return iter(self.items)

    def fingerprint(self) -> str:
        """sha256 over ids, texts and pixels: what a run was trained on."""
        digest = hashlib.sha256()
        for pair in self.items:
            head = (pair.id, pair.findings, pair.impression, str(pair.image.shape))
            digest.update("\0".join(head).encode())
            digest.update(np.ascontiguousarray(pair.image).tobytes())
        return digest.hexdigest()

    def shuffled(self, seed: int) -> Pairs:
        """The same films with the reports dealt out anew: the control that must not learn."""
        order = np.random.default_rng(seed).permutation(len(self.items))
        texts = [self.items[i] for i in order]
        items = tuple(
            Pair(own.id, own.image, other.findings, other.impression)
            for own, other in zip(self.items, texts, strict=True)
        )
        return Pairs(items, f"{self.source}, captions shuffled with seed {seed}")

    @classmethod
    def from_samples(cls, samples: Iterable[Sample], source: str = "memory") -> Pairs:
        """Take over finished samples.

        Raises:
            SyncxrError: A sample has no film or no text.
        """
        items = []
        for sample in samples:
            if sample.image is None:
                raise SyncxrError(f"{source}: sample {sample.id} has no film; render it first")
            if not (sample.findings.strip() or sample.impression.strip()):
                raise SyncxrError(f"{source}: sample {sample.id} has no text; draft it first")
            image = _shrink(sample.image)
            items.append(Pair(sample.id, image, sample.findings, sample.impression))
        return cls(tuple(items), source)

    @classmethod
    def from_dataset(cls, folder: Path) -> Pairs:
        """Read a generated dataset.

        Raises:
            SyncxrError: No shards, a damaged one, or a sample without film or text.
        """
        return cls.from_samples(read(folder), str(folder))


def _shrink(image: Image) -> Image:
    """Bring the longest side down to :data:`_LONGEST_SIDE`, keeping the aspect."""
    height, width = image.shape
    longest = max(height, width)
    if longest <= _LONGEST_SIDE:
        return image
    scale = _LONGEST_SIDE / longest
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Pillow.fromarray(image).resize(size, Pillow.Resampling.BILINEAR))
