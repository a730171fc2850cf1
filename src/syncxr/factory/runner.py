"""Runs a stage over shards: skips what is committed, commits each shard when it is whole."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from syncxr.corpora.films import OWN_FILM, read_film
from syncxr.dataset.files import sha256
from syncxr.dataset.shards import (
    FileRecord,
    ShardRecord,
    check_hash,
    commit_shard,
    committed,
    read_shard,
)
from syncxr.errors import SyncxrError
from syncxr.factory.executors import Executor
from syncxr.factory.run_folder import log_event
from syncxr.factory.stage import Stage
from syncxr.progress import bar
from syncxr.sample import Sample


@dataclass(frozen=True)
class ShardSource:
    """Input of one shard: samples at hand, the shard that holds them, or image files.

    Attributes:
        index: Number of the shard.
        size: Samples in it.
        samples: Samples at hand.
        path: Parquet file to read instead.
        images: Image files to read instead; their ids are their paths below ``folder``.
        folder: What ``images`` lie in.
    """

    index: int
    size: int
    samples: tuple[Sample, ...] = ()
    path: Path | None = None
    images: tuple[Path, ...] = ()
    folder: Path = Path()

    @property
    def fingerprint(self) -> str:
        """Hash of the content; a shard made from other content is made again."""
        if self.path is not None:
            return sha256(self.path)
        if self.images:
            texts = [f"{image.relative_to(self.folder)} {sha256(image)}" for image in self.images]
        else:
            texts = [f"{s.id} {s.entities} {s.findings} {s.impression}" for s in self.samples]
        return hashlib.sha256("\0".join(texts).encode()).hexdigest()

    def load(self) -> list[Sample]:
        """The samples themselves, newly made or read."""
        if self.path is not None:
            return read_shard(self.path)
        if self.images:
            return [
                Sample(
                    str(image.relative_to(self.folder)),
                    image=read_film(image),
                    provenance={OWN_FILM: str(image.relative_to(self.folder))},
                )
                for image in self.images
            ]
        return copy.deepcopy(list(self.samples))


def cut(samples: Sequence[Sample], size: int) -> list[ShardSource]:
    """Cut samples into shards of ``size``; the last may be smaller."""
    return [
        ShardSource(start // size, len(part), part)
        for start in range(0, len(samples), size)
        if (part := tuple(samples[start : start + size]))
    ]


def outputs(root: Path, stage: Stage) -> list[ShardSource]:
    """What a finished stage hands to the next one, shard by shard."""
    return [
        ShardSource(record.index, file.rows, path=root / file.path)
        for record in committed(root, stage.name).values()
        for file in record.files
        if file.path.startswith(stage.output + "/") and _whole(root, file)
    ]


def _whole(root: Path, file: FileRecord) -> bool:
    """Whether a file is what was committed; anything else must not feed the next stage."""
    complaint = check_hash(root, file)
    if complaint:
        raise SyncxrError(f"{complaint}; restore it or start a new run")
    return True


def run_stage(
    root: Path, stage: Stage, sources: Sequence[ShardSource], executor: Executor
) -> list[ShardRecord]:
    """Bring every shard through a stage.

    Shards that were committed by an earlier run are kept; killed at any moment and started
    again, this neither loses nor repeats a sample.

    Returns:
        Records of all shards, by index.
    """
    finished = committed(root, stage.name)
    pending = [
        source
        for source in sources
        if source.index not in finished or finished[source.index].source != source.fingerprint
    ]
    total = sum(source.size for source in sources)
    todo = sum(source.size for source in pending)
    if pending:
        log_event(root, "stage started", stage=stage.name, samples=todo, shards=len(pending))
        with bar(stage.name, total, done=total - todo) as progress:
            work = ShardWork(root, stage)
            for record in executor.map(work, pending, progress.advance):
                finished[record.index] = record
        log_event(root, "stage finished", stage=stage.name)
    return [finished[source.index] for source in sources]


class ShardWork:
    """One stage applied to one shard; picklable, so that it can travel to a worker."""

    def __init__(self, root: Path, stage: Stage) -> None:
        self._root = root
        self._stage = stage

    @property
    def serial(self) -> bool:
        """Whether one worker is right."""
        return self._stage.serial

    def setup(self) -> None:
        """Load the stage's models in this process."""
        self._stage.setup()

    def __call__(self, source: ShardSource, done: Callable[[int], None]) -> ShardRecord:
        """Process and commit one shard."""
        samples = source.load()
        first = samples[0].id
        result = self._stage.process(samples, done)
        if len(result.accepted) + len(result.rejected) != source.size:
            raise RuntimeError(f"{self._stage.name}: shard {source.index} lost samples")
        counts = {"accepted": len(result.accepted), "rejected": len(result.rejected)}
        name = f"{source.index:05d}.parquet"
        return commit_shard(
            self._root,
            self._stage.name,
            source.index,
            {
                f"{self._stage.output}/train-{name}": result.accepted,
                f"rejected/{self._stage.name}-{name}": result.rejected,
            },
            counts | result.statistics,
            source=source.fingerprint,
            first=first,
        )
