import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from stages import Echo, Waits, committed_files, numbered

from syncxr.factory.executors import LocalExecutor, Spread
from syncxr.factory.options import ExecutionOptions
from syncxr.factory.runner import ShardWork, run_stage
from syncxr.factory.sources import cut
from syncxr.factory.stage import ShardResult, Turns
from syncxr.resources import Resources
from syncxr.sample import Sample


def spread(resources: Resources, shards: int = 100, **execution: object) -> tuple[int, int]:
    stage = Echo()
    stage.resources = resources
    options = ExecutionOptions.model_validate(execution)
    found = Spread.of(ShardWork(Path(), stage), options, shards)
    return found.workers, found.shards


def test_how_a_stage_is_spread() -> None:
    assert spread(Resources(), workers=4) == (4, 1)
    assert spread(Resources(), workers=4, shards=2) == (2, 1), "no more workers than shards"
    assert spread(Resources(whole_machine=True), workers=4) == (1, 1)
    assert spread(Resources(gpus=1), workers=4) == (4, 2)
    assert spread(Resources(waits=True), workers=4) == (1, 4)


def test_a_model_here_and_a_judge_at_a_server_take_a_worker_a_gpu() -> None:
    both = Resources(gpus=1) | Resources(waits=True)
    assert both == Resources(gpus=1)
    assert spread(both, workers=4) == (4, 2)


def test_the_configuration_overrules_what_is_declared() -> None:
    stages = {"films": {"workers": 8, "shards": 3, "gpus": 0.5}}
    assert spread(Resources(waits=True), stages=stages) == (8, 3)
    options = ExecutionOptions.model_validate({"stages": stages})
    assert Spread.of(ShardWork(Path(), Echo()), options, 9).gpus == 0.5


def test_shards_that_wait_are_in_hand_together_and_the_same_bytes(tmp_path: Path) -> None:
    class Watched(Waits):
        here = most = 0
        lock = threading.Lock()

        def process(self, samples: list[Sample], done: Callable[[int], None]) -> ShardResult:
            with self.lock:
                self.here += 1
                self.most = max(self.most, self.here)
            time.sleep(0.05)
            with self.lock:
                self.here -= 1
            return super().process(samples, done)

    stage = Watched()
    for name, of in (("alone", Echo()), ("together", stage)):
        (tmp_path / name).mkdir()
        run_stage(tmp_path / name, of, cut(numbered(50), 8), LocalExecutor())
    assert stage.most == 4
    assert committed_files(tmp_path / "alone") == committed_files(tmp_path / "together")


def test_a_fault_in_one_shard_ends_the_others_at_their_next_sample(tmp_path: Path) -> None:
    class Fails(Waits):
        finished = 0

        def process(self, samples: list[Sample], done: Callable[[int], None]) -> ShardResult:
            if samples[0].id == "1":
                raise RuntimeError("no")
            result = super().process(samples, done)
            self.finished += 1
            return result

    stage = Fails(delay=0.05)
    with pytest.raises(RuntimeError, match="no"):
        run_stage(tmp_path, stage, cut(numbered(400), 100), LocalExecutor())
    assert stage.finished == 0


def test_backends_that_compute_take_turns_and_clients_do_not() -> None:
    class Client:
        resources = Resources(waits=True)

    turns = Turns()
    entered: list[str] = []
    with turns.at(object()):
        other = threading.Thread(target=lambda: _enter(turns, object(), entered, "model"))
        client = threading.Thread(target=lambda: _enter(turns, Client(), entered, "client"))
        other.start()
        client.start()
        client.join()
        assert entered == ["client"]
    other.join()
    assert entered == ["client", "model"]


def _enter(turns: Turns, backend: object, entered: list[str], name: str) -> None:
    with turns.at(backend):
        entered.append(name)
