"""Stages for tests of what runs them; in a module of its own, so that workers can import it."""

import os
import signal
import time
from collections.abc import Callable, Sequence

from syncxr.factory.stage import ShardResult
from syncxr.resources import Resources
from syncxr.sample import Sample


class Echo:
    """Writes each sample's own id as findings; rejects every seventh; can be slow."""

    name = "films"
    output = "dataset/data"
    resources = Resources()

    def __init__(self, delay: float = 0.0) -> None:
        self.delay = delay

    def describe(self) -> dict[str, str]:
        return {}

    def setup(self) -> None:
        pass

    def process(self, samples: Sequence[Sample], done: Callable[[int], None]) -> ShardResult:
        for sample in samples:
            time.sleep(self.delay)
            sample.findings = f"Report of {sample.id}."
            done(1)
        bad = {sample.id for sample in samples if int(sample.id) % 7 == 0}
        return ShardResult(
            [sample for sample in samples if sample.id not in bad],
            [sample for sample in samples if sample.id in bad],
            {"seen": len(samples)},
        )


class Waits(Echo):
    """Its work is done by a server."""

    resources = Resources(waits=True)


class Dies(Echo):
    """Its process is killed, as by a system that has run out of memory."""

    def process(self, samples: Sequence[Sample], done: Callable[[int], None]) -> ShardResult:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("unreachable")


def numbered(n: int) -> list[Sample]:
    """Samples called 1 to n."""
    return [Sample(str(index)) for index in range(1, n + 1)]
