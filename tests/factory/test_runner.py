import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import stages
from stages import Dies, Echo, committed_files, numbered

from syncxr.dataset.reader import read
from syncxr.errors import SyncxrError
from syncxr.factory.executors import LocalExecutor
from syncxr.factory.options import ExecutionOptions
from syncxr.factory.runner import outputs, run_stage
from syncxr.factory.sources import cut
from syncxr.factory.stage import ShardResult
from syncxr.sample import Sample


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("undisturbed")
    run_stage(root, Echo(), cut(numbered(50), 8), LocalExecutor())
    return root


def test_every_sample_is_in_exactly_one_place(undisturbed: Path) -> None:
    accepted = [int(sample.id) for sample in read(undisturbed / "dataset")]
    rejected = [int(sample.id) for sample in read(undisturbed / "rejected")]
    assert rejected == [7, 14, 21, 28, 35, 42, 49]
    assert sorted(accepted + rejected) == list(range(1, 51))


def test_workers_do_not_change_a_byte(undisturbed: Path, tmp_path: Path) -> None:
    run_stage(tmp_path, Echo(), cut(numbered(50), 8), LocalExecutor(ExecutionOptions(workers=2)))
    assert committed_files(tmp_path) == committed_files(undisturbed)


def test_a_finished_shard_is_not_done_again(undisturbed: Path) -> None:
    class Refuses(Echo):
        def process(self, samples: Sequence[Sample], done: Callable[[int], None]) -> ShardResult:
            raise AssertionError("a committed shard was processed again")

    records = run_stage(undisturbed, Refuses(), cut(numbered(50), 8), LocalExecutor())
    assert sum(record.statistics["seen"] for record in records) == 50


def test_outputs_feed_the_next_stage(undisturbed: Path) -> None:
    sources = outputs(undisturbed, Echo())
    assert sum(source.size for source in sources) == 43
    assert all(len(source.load()) == source.size for source in sources)


SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from stages import Echo, numbered
from syncxr.factory.executors import LocalExecutor
from syncxr.factory.runner import run_stage
from syncxr.factory.sources import cut
run_stage(Path(sys.argv[2]), Echo(delay=0.02), cut(numbered(50), 8), LocalExecutor())
"""


def test_killed_at_any_moment_it_goes_on(undisturbed: Path, tmp_path: Path) -> None:
    """SIGKILL at three moments, then a run to the end: the same bytes."""
    command = [sys.executable, "-c", SCRIPT, str(Path(stages.__file__).parent), str(tmp_path)]
    for shards in (1, 3, 5):
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        while len(list((tmp_path / "records").glob("*.json"))) < shards:
            assert process.poll() is None, "finished before it could be killed"
            time.sleep(0.005)
        time.sleep(0.03 * shards % 0.1)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    assert committed_files(tmp_path) == committed_files(undisturbed)


def test_a_killed_worker_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(SyncxrError, match="a worker process was killed.*--workers 1"):
        run_stage(
            tmp_path, Dies(), cut(numbered(16), 8), LocalExecutor(ExecutionOptions(workers=2))
        )
