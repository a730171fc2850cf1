"""Runs a stage over shards: skips what is committed, commits each shard when it is whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from syncxr.dataset.shards import ShardRecord, commit_shard, committed
from syncxr.dataset.storage import StoragePath
from syncxr.factory.executors import Executor
from syncxr.factory.run_folder import log_event
from syncxr.factory.sources import ShardFileSource, ShardSource
from syncxr.factory.stage import Stage
from syncxr.progress import bar
from syncxr.resources import Resources


def outputs(root: StoragePath, stage: Stage) -> list[ShardFileSource]:
    """What a finished stage hands to the next one, shard by shard."""
    return [
        ShardFileSource(record.index, file.rows, root / file.path, file.sha256)
        for record in committed(root, stage.name).values()
        for file in record.files
        if file.path.startswith(stage.output + "/")
    ]


def run_stage(
    root: StoragePath,
    stage: Stage,
    sources: Sequence[ShardSource],
    executor: Executor,
    seen: Callable[[ShardRecord], None] = lambda record: None,
) -> list[ShardRecord]:
    """Bring every shard through a stage.

    Shards that were committed by an earlier run are kept; killed at any moment and started
    again, this neither loses nor repeats a sample.

    Args:
        root: Run folder.
        stage: What is done.
        sources: What it is done to.
        executor: Where.
        seen: Told of each shard as it stands; what it raises ends the run.

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
    again = {source.index for source in pending}
    for source in sources:
        if source.index not in again:
            seen(finished[source.index])
    if pending:
        log_event(root, "stage started", stage=stage.name, samples=todo, shards=len(pending))
        with bar(stage.name, total, done=total - todo) as progress:
            work = ShardWork(root, stage)
            for record in executor.map(work, pending, progress.advance):
                finished[record.index] = record
                seen(record)
        log_event(root, "stage finished", stage=stage.name)
    return [finished[source.index] for source in sources]


class ShardWork:
    """One stage applied to one shard; picklable, so that it can travel to a worker."""

    def __init__(self, root: StoragePath, stage: Stage) -> None:
        self._root = root
        self._stage = stage

    @property
    def name(self) -> str:
        """The stage's."""
        return self._stage.name

    @property
    def resources(self) -> Resources:
        """What a worker needs."""
        return self._stage.resources

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
