"""What a stage is: samples of one shard in, accepted and rejected samples out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from threading import RLock
from typing import Any, Protocol

from syncxr.registry import BackendSpec, backend_class
from syncxr.resources import Resources
from syncxr.sample import Sample


@dataclass(frozen=True)
class ShardResult:
    """What a stage made of one shard; every input sample is in exactly one of the two lists."""

    accepted: list[Sample]
    rejected: list[Sample] = field(default_factory=list)
    statistics: dict[str, int] = field(default_factory=dict)


class Stage(Protocol):
    """A step of the factory. Holds options only until :meth:`setup`, so that it can be pickled.

    Attributes:
        name: Name in records, seeds and logs.
        output: Folder of the accepted shards, relative to the run folder.
    """

    name: str
    output: str

    @property
    def resources(self) -> Resources:
        """What a worker needs; known before anything is loaded."""
        ...

    def describe(self) -> dict[str, Any]:
        """All that decides what the stage makes, JSON values."""
        ...

    def setup(self) -> None:
        """Load models; called once in each process that works."""
        ...

    def process(self, samples: Sequence[Sample], done: Callable[[int], None]) -> ShardResult:
        """Work on one shard; tell ``done`` how many samples were finished with.

        May be called from several threads at once: see :class:`Turns`.
        """
        ...


class Turns:
    """Lets the shards that a worker has in hand take turns at what computes here.

    Models are not made for several threads; clients of a server are.
    """

    def __init__(self) -> None:
        self._lock = RLock()

    def __reduce__(self) -> tuple[type[Turns], tuple[()]]:
        return Turns, ()  # Another process takes turns of its own.

    def at(self, *backends: object) -> AbstractContextManager[Any]:
        """To be held while backends work, one after the other; free if one of them waits."""
        waits = any(getattr(backend, "resources", Resources()).waits for backend in backends)
        return nullcontext() if waits else self._lock


def declared(
    kind: str, table: Mapping[str, str], spec: BackendSpec, default: Resources | None = None
) -> Resources:
    """What a backend's class says that it needs, or else ``default``; nothing is loaded."""
    needs: Resources | None = getattr(backend_class(kind, table, spec), "resources", default)
    return needs or Resources()
