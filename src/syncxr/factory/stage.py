"""What a stage is: samples of one shard in, accepted and rejected samples out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

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
        serial: Uses all cores by itself, so that one worker is right.
    """

    name: str
    output: str
    serial: bool

    def describe(self) -> dict[str, Any]:
        """All that decides what the stage makes, JSON values."""
        ...

    def setup(self) -> None:
        """Load models; called once in each process that works."""
        ...

    def process(self, samples: Sequence[Sample], done: Callable[[int], None]) -> ShardResult:
        """Work on one shard; tell ``done`` how many samples were finished with."""
        ...
