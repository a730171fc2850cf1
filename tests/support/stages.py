"""Stages for tests of what runs them; in a module of its own, so that workers can import it."""

import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from syncxr.errors import SyncxrError
from syncxr.factory.counterfactuals.stage import CounterfactualStage
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


class Signed(Echo):
    """Leaves its process id in a folder; the shard of sample "48" waits for so many processes."""

    def __init__(self, signs: Path, delay: float, processes: int) -> None:
        super().__init__(delay)
        self.signs, self.processes = signs, processes

    def setup(self) -> None:
        (self.signs / str(os.getpid())).touch()

    def process(self, samples: Sequence[Sample], done: Callable[[int], None]) -> ShardResult:
        limit = time.monotonic() + 120
        last = any(sample.id == "48" for sample in samples)
        while last and len(list(self.signs.iterdir())) < self.processes:
            assert time.monotonic() < limit, "no other process came"
            time.sleep(0.05)
        return super().process(samples, done)


class DiesOnce(Echo):
    """Kills its process at the first try of one shard, and never again."""

    def __init__(self, marker: Path) -> None:
        super().__init__()
        self.marker = marker

    def process(self, samples: Sequence[Sample], done: Callable[[int], None]) -> ShardResult:
        if samples[0].id == "17" and not self.marker.exists():
            self.marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().process(samples, done)


class Complains(Echo):
    """Meets a fault that the user can mend."""

    def process(self, samples: Sequence[Sample], done: Callable[[int], None]) -> ShardResult:
        raise SyncxrError("the model is absent; fetch it")


def committed_files(root: Path) -> dict[str, bytes]:
    """All that a stage has left in a run folder, by name."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for folder in ("dataset", "rejected", "records", "drafts")
        for path in sorted((root / folder).rglob("*.*"))
    }


class KilledAtCounterfactuals(CounterfactualStage):
    """Its process is killed at the second shard, the first of which is committed."""

    def process(self, samples: Sequence[Sample], done: Callable[[int], None]) -> ShardResult:
        if samples[0].id.startswith("c"):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().process(samples, done)
