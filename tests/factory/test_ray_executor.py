"""A real Ray cluster of this machine, with workers that are really killed."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import stages
from stages import Complains, Dies, DiesOnce, Echo, Signed, committed_files, numbered

from syncxr.errors import SyncxrError
from syncxr.factory.executors import LocalExecutor
from syncxr.factory.films import FilmStage
from syncxr.factory.options import ExecutionOptions
from syncxr.factory.ray_executor import RayExecutor
from syncxr.factory.runner import run_stage
from syncxr.factory.sources import cut
from syncxr.registry import BackendSpec
from syncxr.sample import Category, Entity, Polarity, Sample

ray = pytest.importorskip("ray")
pytestmark = pytest.mark.slow

SUPPORT = str(Path(stages.__file__).parent)
OPTIONS = ExecutionOptions.model_validate({"executor": "ray", "workers": 2, "ray": {"cpus": 2}})


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    """Started by the first run, ended with the last; its workers can import the stages."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", SUPPORT)
        yield
        ray.shutdown()


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("local")
    run_stage(root, Echo(), cut(numbered(50), 8), LocalExecutor())
    return root


def test_a_cluster_leaves_the_same_bytes(local: Path, tmp_path: Path) -> None:
    run_stage(tmp_path, Echo(), cut(numbered(50), 8), RayExecutor(OPTIONS))
    assert committed_files(tmp_path) == committed_files(local)


def test_a_worker_killed_from_outside_costs_nothing(local: Path, tmp_path: Path) -> None:
    """SIGKILL to a worker that has a shard in hand; the other bytes are as if nothing had been."""
    signs, root = tmp_path / "signs", tmp_path / "run"
    signs.mkdir()
    root.mkdir()
    killed: list[int] = []

    def kill_one() -> None:
        while len(list((root / "records").glob("*.json"))) < 2:
            time.sleep(0.01)
        killed.append(int(next(signs.iterdir()).name))
        os.kill(killed[0], signal.SIGKILL)

    thread = threading.Thread(target=kill_one, daemon=True)
    thread.start()
    # The last shard waits, for on a busy machine the others end before a new worker has started.
    run_stage(root, Signed(signs, 0.05, processes=3), cut(numbered(50), 8), RayExecutor(OPTIONS))
    thread.join()
    assert len(list(signs.iterdir())) == 3, "another worker took the place of the killed one"
    assert committed_files(root) == committed_files(local)


def test_a_shard_that_kills_its_worker_is_tried_on_another(local: Path, tmp_path: Path) -> None:
    stage = DiesOnce(tmp_path / "marker")
    (tmp_path / "run").mkdir()
    run_stage(tmp_path / "run", stage, cut(numbered(50), 8), RayExecutor(OPTIONS))
    assert stage.marker.exists()
    assert committed_files(tmp_path / "run") == committed_files(local)


def test_a_shard_that_kills_every_worker_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(SyncxrError, match="shard 0 has cost 3 workers"):
        run_stage(tmp_path, Dies(), cut(numbered(8), 8), RayExecutor(OPTIONS))


def test_a_fault_in_a_worker_is_told_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(SyncxrError, match="^the model is absent; fetch it$"):
        run_stage(tmp_path, Complains(), cut(numbered(8), 8), RayExecutor(OPTIONS))


def test_real_films_are_the_same_bytes(tmp_path: Path) -> None:
    """The simulation and the inspector, in this process and in actors."""
    effusion = Entity("pleural effusion", Category.ABNORMALITY, Polarity.PRESENT, "left", "severe")
    drafted = [
        Sample(f"0-{i}", (effusion,), "There is a large left pleural effusion.", "Effusion.")
        for i in range(6)
    ]
    renderer = BackendSpec.model_validate({"name": "simulation", "size": 96})
    for name, executor in (("local", LocalExecutor()), ("ray", RayExecutor(OPTIONS))):
        (tmp_path / name).mkdir()
        stage = FilmStage(renderer, BackendSpec(name="inspector"), 2, require_shown=True)
        run_stage(tmp_path / name, stage, cut(drafted, 2), executor)
    assert committed_files(tmp_path / "local") == committed_files(tmp_path / "ray")


DRIVER = """
import sys
from pathlib import Path
from stages import Echo, numbered
from syncxr.factory.options import ExecutionOptions
from syncxr.factory.ray_executor import RayExecutor
from syncxr.factory.run_folder import open_run
from syncxr.factory.runner import run_stage
from syncxr.factory.sources import cut
options = ExecutionOptions.model_validate_json(sys.argv[2])
with open_run(Path(sys.argv[1]), {}) as root:
    run_stage(root, Echo(delay=0.05), cut(numbered(50), 8), RayExecutor(options))
"""


def test_a_killed_driver_goes_on_where_it_was(local: Path, tmp_path: Path) -> None:
    options = json.dumps(OPTIONS.model_dump(mode="json"))
    command = [sys.executable, "-c", DRIVER, str(tmp_path), options]
    first = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while len(list((tmp_path / "records").glob("*.json"))) < 2:
        assert first.poll() is None, "finished before it could be killed"
        time.sleep(0.01)
    first.kill()
    first.wait()
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    assert committed_files(tmp_path) == committed_files(local)
    assert not list(tmp_path.rglob("*.partial"))
