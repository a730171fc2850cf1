"""What shards are made from: samples at hand, a part of a plan, an earlier shard, image files.

A source is small, however much it stands for: it travels to a worker, which loads it there.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from syncxr.corpora.films import FAULT, OWN_FILM, read_film
from syncxr.dataset.files import sha256
from syncxr.dataset.shards import read_shard
from syncxr.dataset.storage import StoragePath
from syncxr.entities.plan import PlanFile
from syncxr.errors import SyncxrError
from syncxr.sample import Sample


class ShardSource(Protocol):
    """Input of one shard."""

    @property
    def index(self) -> int:
        """Number of the shard."""
        ...

    @property
    def size(self) -> int:
        """Samples in it."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hash of the content; a shard made from other content is made again."""
        ...

    def load(self) -> list[Sample]:
        """The samples themselves, newly made or read."""
        ...


@dataclass(frozen=True)
class SamplesSource:
    """Samples at hand."""

    index: int
    samples: tuple[Sample, ...]

    @property
    def size(self) -> int:
        """Samples in it."""
        return len(self.samples)

    @property
    def fingerprint(self) -> str:
        """Hash of ids, entities and texts."""
        return fingerprint(self.samples)

    def load(self) -> list[Sample]:
        """Copies: a stage fills in what it is given."""
        return copy.deepcopy(list(self.samples))


@dataclass(frozen=True)
class PlanSource:
    """Some reports of a plan on disk.

    Attributes:
        index: Number of the shard.
        plan: The plan.
        start: First report.
        size: Reports.
        fingerprint: As of the samples made of them.
    """

    index: int
    plan: PlanFile
    start: int
    size: int
    fingerprint: str

    def load(self) -> list[Sample]:
        """One empty sample a report."""
        reports = self.plan.read(self.start, self.size)
        return [Sample(report.id, report.entities) for report in reports]


@dataclass(frozen=True)
class ShardFileSource:
    """What an earlier stage committed, or any shard on disk.

    Attributes:
        index: Number of the shard.
        size: Samples in it.
        path: Parquet file.
        committed: Hash that its record gives; ``""`` where there is no record.
    """

    index: int
    size: int
    path: StoragePath
    committed: str = ""

    @property
    def fingerprint(self) -> str:
        """Hash of the file."""
        return self.committed or sha256(self.path)

    def load(self) -> list[Sample]:
        """Its samples.

        Raises:
            SyncxrError: It is damaged, or not what was committed: that must not feed a stage.
        """
        return read_shard(self.path, self.committed)


@dataclass(frozen=True)
class FilmsSource:
    """Image files; their ids are their paths below ``folder``."""

    index: int
    images: tuple[Path, ...]
    folder: Path

    @property
    def size(self) -> int:
        """Samples in it."""
        return len(self.images)

    @property
    def fingerprint(self) -> str:
        """Hash of names and pixels."""
        texts = [f"{image.relative_to(self.folder)} {sha256(image)}" for image in self.images]
        return _hash(texts)

    def load(self) -> list[Sample]:
        """One sample a film; of one that does not open, the reason instead of its pixels."""
        return [self._sample(image) for image in self.images]

    def _sample(self, image: Path) -> Sample:
        name = str(image.relative_to(self.folder))
        sample = Sample(name, provenance={OWN_FILM: name})
        try:
            sample.image = read_film(image)
        except SyncxrError as error:
            sample.provenance[FAULT] = " ".join(str(error).split())
        return sample


def cut(samples: Sequence[Sample], size: int) -> list[SamplesSource]:
    """Cut samples into shards of ``size``; the last may be smaller."""
    return [
        SamplesSource(start // size, part)
        for start in range(0, len(samples), size)
        if (part := tuple(samples[start : start + size]))
    ]


def fingerprint(samples: Iterable[Sample]) -> str:
    """Hash of what is known of samples before a stage works on them."""
    return _hash(f"{s.id} {s.entities} {s.findings} {s.impression}" for s in samples)


def _hash(texts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()
