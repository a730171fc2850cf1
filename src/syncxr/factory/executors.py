"""Where shards are worked on."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Protocol

from syncxr.dataset.shards import ShardRecord
from syncxr.errors import SyncxrError


class Work(Protocol):
    """What an executor maps: see :class:`syncxr.factory.runner.ShardWork`."""

    @property
    def serial(self) -> bool:
        """Whether one worker is right."""
        ...

    def setup(self) -> None:
        """Load models in this process."""
        ...

    def __call__(self, source: Any, done: Callable[[int], None]) -> ShardRecord:
        """Process and commit one shard."""
        ...


class Executor(Protocol):
    """Maps work over shards."""

    def map(
        self, work: Work, sources: Sequence[Any], done: Callable[[int], None]
    ) -> Iterator[ShardRecord]:
        """Yield records as shards are finished, in any order."""
        ...


class LocalExecutor:
    """This machine: in this process with one worker, else in a pool of processes.

    Args:
        workers: Processes for stages that use one core each; a serial stage gets one.
    """

    def __init__(self, workers: int = 1) -> None:
        self.workers = workers

    def map(
        self, work: Work, sources: Sequence[Any], done: Callable[[int], None]
    ) -> Iterator[ShardRecord]:
        """Yield records as shards are finished."""
        workers = 1 if work.serial else min(self.workers, len(sources))
        if workers == 1:
            work.setup()
            for source in sources:
                yield work(source, done)
            return
        # Spawned, not forked: torch and native thread pools do not survive a fork.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, context, _start, (work,)) as pool:
            futures = {pool.submit(_run, source): source for source in sources}
            try:
                for future in as_completed(futures):
                    record = future.result()
                    done(futures[future].size)
                    yield record
            except BrokenProcessPool as error:
                raise SyncxrError(
                    "a worker process was killed, perhaps for lack of memory; run the same command "
                    "again with --workers 1, what was finished is kept"
                ) from error
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise


_work: Work


_ready = False


def _start(work: Work) -> None:
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


def _run(source: Any) -> ShardRecord:
    global _ready
    if not _ready:
        # Here and not at the start of the process: a fault there would be told as a dead worker.
        _work.setup()
        _ready = True
    return _work(source, lambda finished: None)
