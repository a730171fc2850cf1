"""Shards on a Ray cluster: actors hold the models, each shard is a task.

A worker that is lost (killed, out of memory, its machine gone) costs at most the shards that it
had in hand: another takes its place and does them again.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from syncxr.errors import SyncxrError
from syncxr.factory.executors import Spread, Work
from syncxr.factory.options import ExecutionOptions, RayOptions
from syncxr.factory.sources import ShardSource
from syncxr.progress import console
from syncxr.registry import install_command

T = TypeVar("T")

_LOSSES = 3
"""Workers that a shard may cost before it is held to be the reason."""

_OBJECT_STORE = 100 * 2**20
"""Bytes that a cluster started here keeps for results: records of shards, never films."""


class RayExecutor:
    """A Ray cluster, joined or started at the first shard and left when the process ends.

    Args:
        options: Which cluster, how many workers, and what each needs.
    """

    def __init__(self, options: ExecutionOptions) -> None:
        self._options = options

    def map(
        self, work: Work[T], sources: Sequence[ShardSource], done: Callable[[int], None]
    ) -> Iterator[T]:
        """Yield results as shards are finished.

        Raises:
            SyncxrError: Ray is not installed, the cluster cannot be joined or is too small, or
                a shard has cost three workers.
        """
        ray = _joined(self._options.ray)
        spread = Spread.of(work, self._options, len(sources))
        _check_room(ray, work.name, spread)
        crew = _Crew(ray, work, spread, sources)
        try:
            for source, result in crew.results():
                done(source.size)
                yield result
        finally:
            crew.dismiss()


def _joined(options: RayOptions) -> Any:
    """The package, connected to a cluster."""
    try:
        import ray
    except ImportError as error:
        raise SyncxrError(f"executor ray needs a package; run: {install_command('ray')}") from error
    if ray.is_initialized():
        return ray
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        if options.address:
            ray.init(address=options.address, **quiet)
        else:
            # A cluster of one machine reports to nobody.
            os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
            ray.init(
                address="local",
                num_cpus=options.cpus,
                num_gpus=options.gpus,
                include_dashboard=False,
                object_store_memory=_OBJECT_STORE,
                **quiet,
            )
    except (ConnectionError, RuntimeError, ValueError) as error:
        where = f"at {options.address!r} " if options.address else ""
        reason = " ".join(str(error).split())
        raise SyncxrError(
            f"no Ray cluster {where}({reason}); start one with `ray start --head`, or leave "
            "execution.ray.address out to use this machine alone"
        ) from error
    return ray


def _check_room(ray: Any, stage: str, spread: Spread) -> None:
    """Say what is missing, instead of waiting for it without a word."""
    there = ray.cluster_resources()
    for kind, wanted in (("CPU", spread.cpus), ("GPU", spread.gpus)):
        if wanted > there.get(kind, 0):
            # Not an error: a cluster may grow when it is asked to.
            console.print(
                f"{stage}: a worker needs {wanted:g} {kind}, the cluster has "
                f"{there.get(kind, 0):g}; waiting for more "
                f"(or set execution.stages.{stage}.{kind.lower()}s)"
            )


def _cannot_start(error: Exception) -> SyncxrError:
    reason = str(error).strip().splitlines()[-1].strip()
    return SyncxrError(
        f"a worker of the Ray cluster cannot start ({reason}); install the same version of "
        "syncxr, with the same extras, on each of its machines"
    )


class _Worker:
    """Runs in a process of the cluster."""

    def __init__(self, work: Work[Any]) -> None:
        self._work = work

    def setup(self) -> None:
        self._work.setup()

    def run(self, source: ShardSource) -> Any:
        return self._work(source, lambda finished: None)


@dataclass
class _Job:
    """A shard, and how many workers it has cost."""

    source: ShardSource
    losses: int = 0


@dataclass(eq=False)
class _Member:
    """A worker as the crew sees it.

    Attributes:
        actor: Handle.
        ready: Whether its models are loaded.
        jobs: Shards that it has in hand.
    """

    actor: Any
    ready: bool = False
    jobs: list[_Job] = field(default_factory=list)


class _Crew(Generic[T]):
    """Workers of one stage, and which shard each has in hand."""

    def __init__(
        self, ray: Any, work: Work[T], spread: Spread, sources: Sequence[ShardSource]
    ) -> None:
        self._ray = ray
        self._work = ray.put(work)
        self._spread = spread
        self._waiting = deque(_Job(source) for source in sources)
        self._awaited: dict[Any, tuple[_Member, _Job | None]] = {}
        self._members: list[_Member] = []
        self._lost_while_loading = 0

    def results(self) -> Iterator[tuple[ShardSource, T]]:
        """Each shard with what came of it, as they are finished."""
        for _ in range(self._spread.workers):
            self._hire()
        while self._waiting or any(member.jobs for member in self._members):
            self._hand_out()
            (reference,), _ = self._ray.wait(list(self._awaited), num_returns=1)
            member, job = self._awaited.pop(reference)
            try:
                result = self._ray.get(reference)
            except self._ray.exceptions.RayActorError as error:
                if error.actor_init_failed:
                    raise _cannot_start(error) from error
                self._replace(member)
            except self._ray.exceptions.RayTaskError as error:
                raise error.cause from error
            else:
                if job is None:
                    member.ready = True
                else:
                    member.jobs.remove(job)
                    yield job.source, result

    def dismiss(self) -> None:
        """End all workers; what they had in hand is not committed."""
        for member in self._members:
            self._ray.kill(member.actor)

    def _hire(self) -> None:
        options = {
            "num_cpus": self._spread.cpus,
            "num_gpus": self._spread.gpus,
            "max_concurrency": self._spread.shards,
        }
        member = _Member(self._ray.remote(_Worker).options(**options).remote(self._work))
        self._members.append(member)
        self._awaited[member.actor.setup.remote()] = (member, None)

    def _hand_out(self) -> None:
        """Give shards to whoever has room: a worker that still loads is given none."""
        for member in self._members:
            while member.ready and self._waiting and len(member.jobs) < self._spread.shards:
                job = self._waiting.popleft()
                member.jobs.append(job)
                self._awaited[member.actor.run.remote(job.source)] = (member, job)

    def _replace(self, lost: _Member) -> None:
        """Hire another for a lost worker, which is first to do what that had in hand."""
        self._members.remove(lost)
        self._awaited = {
            reference: entry for reference, entry in self._awaited.items() if entry[0] is not lost
        }
        for job in lost.jobs:
            job.losses += 1
        self._lost_while_loading += not lost.ready
        worst = max((job.losses for job in lost.jobs), default=0)
        if max(worst, self._lost_while_loading) >= _LOSSES:
            what = f"shard {lost.jobs[0].source.index}" if lost.jobs else "loading the models"
            raise SyncxrError(
                f"{what} has cost {_LOSSES} workers, perhaps for lack of memory; give workers "
                "more room (execution.stages), then run the same command again: what was "
                "finished is kept"
            )
        self._waiting.extendleft(reversed(lost.jobs))
        self._hire()
