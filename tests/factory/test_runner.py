import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from syncxr.dataset.reader import read
from syncxr.errors import SyncxrError
from syncxr.factory.executors import LocalExecutor
from syncxr.factory.runner import cut, outputs, run_stage
from syncxr.factory.stage import ShardResult
from syncxr.sample import Sample


class Echo:
    """Writes each sample's own id as findings; rejects every seventh; can be slow."""

    name = "films"
    output = "dataset/data"
    serial = False

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


def samples(n: int) -> list[Sample]:
    return [Sample(str(index)) for index in range(1, n + 1)]


def files(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for folder in ("dataset", "rejected", "records")
        for path in sorted((root / folder).rglob("*.*"))
    }


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("undisturbed")
    run_stage(root, Echo(), cut(samples(50), 8), LocalExecutor())
    return root


def test_every_sample_is_in_exactly_one_place(undisturbed: Path) -> None:
    accepted = [int(sample.id) for sample in read(undisturbed / "dataset")]
    rejected = [int(sample.id) for sample in read(undisturbed / "rejected")]
    assert rejected == [7, 14, 21, 28, 35, 42, 49]
    assert sorted(accepted + rejected) == list(range(1, 51))


def test_workers_do_not_change_a_byte(undisturbed: Path, tmp_path: Path) -> None:
    run_stage(tmp_path, Echo(), cut(samples(50), 8), LocalExecutor(workers=2))
    assert files(tmp_path) == files(undisturbed)


def test_a_finished_shard_is_not_done_again(undisturbed: Path) -> None:
    class Refuses(Echo):
        def process(self, samples: Sequence[Sample], done: Callable[[int], None]) -> ShardResult:
            raise AssertionError("a committed shard was processed again")

    records = run_stage(undisturbed, Refuses(), cut(samples(50), 8), LocalExecutor())
    assert sum(record.statistics["seen"] for record in records) == 50


def test_outputs_feed_the_next_stage(undisturbed: Path) -> None:
    sources = outputs(undisturbed, Echo())
    assert sum(source.size for source in sources) == 43
    assert all(len(source.load()) == source.size for source in sources)


SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from test_runner import Echo, LocalExecutor, cut, run_stage, samples
run_stage(Path(sys.argv[2]), Echo(delay=0.02), cut(samples(50), 8), LocalExecutor())
"""


def test_killed_at_any_moment_it_goes_on(undisturbed: Path, tmp_path: Path) -> None:
    """SIGKILL at three moments, then a run to the end: the same bytes."""
    command = [sys.executable, "-c", SCRIPT, str(Path(__file__).parent), str(tmp_path)]
    for shards in (1, 3, 5):
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        while len(list((tmp_path / "records").glob("*.json"))) < shards:
            assert process.poll() is None, "finished before it could be killed"
            time.sleep(0.005)
        time.sleep(0.03 * shards % 0.1)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    assert files(tmp_path) == files(undisturbed)


class Dies(Echo):
    """Its process is killed, as by a system that has run out of memory."""

    def process(self, samples: Sequence[Sample], done: Callable[[int], None]) -> ShardResult:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("unreachable")


def test_a_killed_worker_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(SyncxrError, match="a worker process was killed.*--workers 1"):
        run_stage(tmp_path, Dies(), cut(samples(16), 8), LocalExecutor(workers=2))
