"""Where shards are worked on."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from syncxr.errors import SyncxrError
from syncxr.factory.options import ExecutionOptions
from syncxr.factory.sources import ShardSource
from syncxr.resources import Resources

_SHARDS_WHILE_WAITING = 4
"""Shards in hand at a server: while one sends its last requests, the others send theirs."""


T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Work(Protocol[T_co]):
    """What an executor maps: see :class:`syncxr.factory.runner.ShardWork`."""

    @property
    def name(self) -> str:
        """The stage's."""
        ...

    @property
    def resources(self) -> Resources:
        """What a worker needs."""
        ...

    def setup(self) -> None:
        """Load models in this process."""
        ...

    def __call__(self, source: ShardSource, done: Callable[[int], None]) -> T_co:
        """Process and commit one shard; may be called from several threads."""
        ...


class Executor(Protocol):
    """Maps work over shards."""

    def map(
        self, work: Work[T], sources: Sequence[ShardSource], done: Callable[[int], None]
    ) -> Iterator[T]:
        """Yield results as shards are finished, in any order; tell ``done`` of samples."""
        ...


@dataclass(frozen=True)
class Spread:
    """How one stage is spread: what its backends declare, overruled by the configuration.

    Attributes:
        workers: Workers, each with the stage's models.
        shards: Shards that each has in hand at a time.
        cpus: Cores of one worker.
        gpus: Graphics processors of one worker.
    """

    workers: int
    shards: int
    cpus: float
    gpus: float

    @classmethod
    def of(cls, work: Work[Any], options: ExecutionOptions, shards: int) -> Spread:
        """Of a stage with so many shards to do: more workers than those have no use."""
        needs = work.resources
        chosen = options.stage(work.name)
        alone = needs.whole_machine or needs.waits
        in_hand = _SHARDS_WHILE_WAITING if needs.waits else 2 if needs.gpus else 1
        return cls(
            workers=min(chosen.workers or (1 if alone else options.workers), max(shards, 1)),
            shards=chosen.shards or in_hand,
            cpus=needs.cpus if chosen.cpus is None else chosen.cpus,
            gpus=needs.gpus if chosen.gpus is None else chosen.gpus,
        )


def make_executor(options: ExecutionOptions) -> Executor:
    """The executor that a configuration names."""
    if options.executor == "ray":
        from syncxr.factory.ray_executor import RayExecutor

        return RayExecutor(options)
    return LocalExecutor(options)


class LocalExecutor:
    """This machine: one worker works in this process, several are processes of their own.

    Args:
        options: How many workers; one if left out.
    """

    def __init__(self, options: ExecutionOptions | None = None) -> None:
        self._options = options or ExecutionOptions(workers=1)

    def map(
        self, work: Work[T], sources: Sequence[ShardSource], done: Callable[[int], None]
    ) -> Iterator[T]:
        """Yield results as shards are finished."""
        spread = Spread.of(work, self._options, len(sources))
        if work.resources.waits:
            # More processes would not wait any better than threads.
            return _in_threads(work, sources, done, spread.workers * spread.shards)
        if spread.workers > 1:
            return _in_processes(work, sources, done, spread.workers)
        return _in_threads(work, sources, done, spread.shards)


def _in_threads(
    work: Work[T], sources: Sequence[ShardSource], done: Callable[[int], None], count: int
) -> Iterator[T]:
    work.setup()
    if count == 1:
        for source in sources:
            yield work(source, done)
        return
    stopped = threading.Event()

    def tell(finished: int) -> None:
        if stopped.is_set():
            raise _Stopped
        done(finished)

    with ThreadPoolExecutor(count, "shard") as pool:
        try:
            futures = [pool.submit(work, source, tell) for source in sources]
            yield from (future.result() for future in as_completed(futures))
        except BaseException:
            # The other shards end at their next sample; nothing is committed after this run.
            stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


class _Stopped(Exception):
    """The run has ended while this shard was worked on."""


def _in_processes(
    work: Work[T], sources: Sequence[ShardSource], done: Callable[[int], None], count: int
) -> Iterator[T]:
    # Spawned, not forked: torch and native thread pools do not survive a fork.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, context, _start, (work,)) as pool:
        try:
            futures = {pool.submit(_run, source): source for source in sources}
            for future in as_completed(futures):
                result = future.result()
                done(futures[future].size)
                yield result
        except BrokenProcessPool as error:
            raise SyncxrError(
                "a worker process was killed, perhaps for lack of memory; run the same command "
                "again with --workers 1, what was finished is kept"
            ) from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


_work: Work[Any]

_ready = False


def _start(work: Work[Any]) -> None:
    global _work
    _work = work
    # The terminal sends Ctrl-C to every process; the parent alone decides what to do about it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    """End with the parent: after a SIGKILL nobody else would end this process."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run(source: ShardSource) -> Any:
    global _ready
    if not _ready:
        # Here and not at the start of the process: a fault there would be told as a dead worker.
        _work.setup()
        _ready = True
    return _work(source, lambda finished: None)
