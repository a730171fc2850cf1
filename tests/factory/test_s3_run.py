"""Runs on a real S3-compatible server process: killed, cut off, read again."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import stages
from fsspec import filesystem
from s3_server import BUCKET, free_port, s3_server
from stages import Echo, committed_files, numbered

from syncxr.dataset.files import atomic, write_text
from syncxr.dataset.manifest import build_manifest, write_manifest
from syncxr.dataset.reader import read
from syncxr.dataset.shards import check_hash, commit_shard, committed, read_shard
from syncxr.dataset.storage import StoragePath, locate
from syncxr.errors import SyncxrError
from syncxr.factory.executors import LocalExecutor
from syncxr.factory.lease import _create
from syncxr.factory.run_folder import log_event, open_run, read_log
from syncxr.factory.runner import run_stage
from syncxr.factory.sources import cut
from syncxr.sample import Category, Entity, Polarity, Sample

pytest.importorskip("moto.server")
pytest.importorskip("s3fs")
pytestmark = pytest.mark.slow

SUPPORT = str(Path(stages.__file__).parent)


@pytest.fixture(scope="module")
def server() -> Iterator[dict[str, str]]:
    with s3_server() as environment, pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.setenv("PYTHONPATH", SUPPORT)
        yield environment


@pytest.fixture
def run(server: dict[str, str], request: pytest.FixtureRequest) -> StoragePath:
    return locate(f"s3://{BUCKET}/{request.node.name}")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("local")
    run_stage(root, Echo(), cut(numbered(50), 8), LocalExecutor())
    return root


def downloaded(run: StoragePath, folder: Path) -> dict[str, bytes]:
    for path in run.rglob("*"):
        if path.is_file():
            target = folder / str(path).removeprefix(str(run)).lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return committed_files(folder)


def test_a_run_leaves_the_same_bytes_as_on_a_disk(
    run: StoragePath, undisturbed: Path, tmp_path: Path
) -> None:
    with open_run(run, {"pairs": 50}):
        run_stage(run, Echo(), cut(numbered(50), 8), LocalExecutor())
        log_event(run, "first")
        log_event(run, "second")
    assert [event["event"] for event in read_log(run)][-2:] == ["first", "second"]
    assert len(list(read(run / "dataset"))) == 43
    assert downloaded(run, tmp_path) == committed_files(undisturbed)
    assert not list((run / ".lease").glob("*")), "the run was given up"


DRIVER = """
import sys
from stages import Echo, numbered
from syncxr.dataset.storage import locate
from syncxr.factory.executors import LocalExecutor
from syncxr.factory.run_folder import open_run
from syncxr.factory.runner import run_stage
from syncxr.factory.sources import cut
from syncxr.sample import Category, Entity, Polarity, Sample
with open_run(locate(sys.argv[1]), {}) as root:
    run_stage(root, Echo(delay=0.02), cut(numbered(50), 8), LocalExecutor())
"""


def start(run: StoragePath) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(run)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def await_shards(run: StoragePath, process: subprocess.Popen[bytes], shards: int) -> None:
    while len(list((run / "records").glob("*.json"))) < shards:
        assert process.poll() is None, "finished before it could be disturbed"
        time.sleep(0.01)


def test_killed_at_any_moment_it_goes_on(
    run: StoragePath, undisturbed: Path, tmp_path: Path
) -> None:
    for shards in (1, 3, 5):
        process = start(run)
        await_shards(run, process, shards)
        time.sleep(0.03 * shards % 0.1)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    assert list((run / ".lease").glob("*.json")), "a killed run leaves its lease"
    last = start(run)
    _, told = last.communicate()
    assert last.returncode == 0, told.decode()
    assert downloaded(run, tmp_path) == committed_files(undisturbed)


def test_a_second_run_is_refused_while_the_first_lives(run: StoragePath) -> None:
    with open_run(run, {}), pytest.raises(SyncxrError, match="is in use by process"):
        open_run(run, {}).__enter__()


def test_a_write_that_fails_leaves_nothing(run: StoragePath) -> None:
    write_text(run / "a.txt", "before")
    with pytest.raises(RuntimeError), atomic(run / "a.txt") as partial:
        partial.write_text("half")
        raise RuntimeError
    assert (run / "a.txt").read_text() == "before"


def test_a_changed_shard_is_not_used(run: StoragePath) -> None:
    run_stage(run, Echo(), cut(numbered(8), 8), LocalExecutor())
    (record,) = committed(run, "films").values()
    file = record.files[0]
    data = bytearray((run / file.path).read_bytes())
    data[len(data) // 2] ^= 1
    (run / file.path).write_bytes(bytes(data))
    complaint = check_hash(run, file)
    assert complaint is not None and "another sha256" in complaint
    with pytest.raises(SyncxrError, match="another sha256"):
        read_shard(run / file.path, file.sha256)


def test_a_bucket_that_is_not_there_is_told_and_not_made(server: dict[str, str]) -> None:
    for _ in range(2):
        with pytest.raises(SyncxrError, match="s3://misspelt/run cannot be written.*bucket"):
            open_run(locate("s3://misspelt/run"), {}).__enter__()


def test_an_address_where_nobody_listens_is_one_clear_line(run: StoragePath) -> None:
    code = (
        "import sys; from syncxr.dataset.storage import locate\n"
        "from syncxr.factory.run_folder import open_run\n"
        "open_run(locate(sys.argv[1]), {}).__enter__()"
    )
    nowhere = os.environ | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
    command = [sys.executable, "-c", code, str(run)]
    told = subprocess.run(command, env=nowhere, capture_output=True, text=True, check=False)
    assert told.returncode == 1
    last = told.stderr.strip().splitlines()[-1]
    assert "cannot be written" in last and "127.0.0.1:9" in last


def test_of_two_comers_one_takes_a_lease(run: StoragePath) -> None:
    path = run / ".lease" / "00000000.json"
    assert _create(path, "first")
    assert not _create(path, "second")
    assert path.read_text() == "first"


def test_a_dataset_is_verified_and_read_by_its_url(run: StoragePath) -> None:
    """The command line over S3; a byte changed there is found."""
    effusion = Entity("pleural effusion", Category.ABNORMALITY, Polarity.PRESENT, "left", "mild")
    film = np.arange(64, dtype=np.uint8).reshape(8, 8)
    texts = "There is a small left pleural effusion.", "Small left pleural effusion."
    pair = Sample("0-0", (effusion,), *texts, film, provenance={"draft": {}})
    record = commit_shard(run, "films", 0, {"dataset/data/train-0.parquet": [pair]}, {})
    write_manifest(build_manifest([record], "dataset", {}), run / "dataset")
    command = [sys.executable, "-m", "syncxr", "verify", str(run), "--json", "-"]
    good = subprocess.run(command, capture_output=True, text=True, check=False)
    assert good.returncode == 0, good.stderr
    assert json.loads(good.stdout)["pairs"] == 1
    shard = run / record.files[0].path
    shard.write_bytes(shard.read_bytes() + b"x")
    bad = subprocess.run(command, capture_output=True, text=True, check=False)
    assert bad.returncode == 1 and "another sha256" in bad.stdout


def test_no_key_stands_in_what_is_written(run: StoragePath, server: dict[str, str]) -> None:
    with open_run(run, {"output": str(run)}):
        run_stage(run, Echo(), cut(numbered(8), 8), LocalExecutor())
        files = [path.read_bytes() for path in run.rglob("*") if path.is_file()]
    assert len(files) > 4
    for secret in (server["AWS_SECRET_ACCESS_KEY"], server["AWS_ACCESS_KEY_ID"]):
        assert not any(secret.encode() in content for content in files)


def test_a_server_that_goes_and_comes_back(
    undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gone in the middle of a run: it ends, and goes on from what is stored."""
    port = free_port()
    with s3_server(port) as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        filesystem("s3").clear_instance_cache()  # of the other server
        monkeypatch.setenv("PYTHONPATH", SUPPORT)
        run = locate(f"s3://{BUCKET}/run")
        process = start(run)
        await_shards(run, process, 2)
        kept = downloaded(run, tmp_path / "kept")
    _, told = process.communicate()
    assert process.returncode != 0, "it ended while the server was away"
    assert "run the same command again when it does" in told.decode()
    with s3_server(port):
        for name, content in kept.items():
            (run / name).write_bytes(content)  # a real server has kept what it showed
        again = start(run)
        _, told = again.communicate()
        assert again.returncode == 0, told.decode()
        assert downloaded(run, tmp_path / "all") == committed_files(undisturbed)
