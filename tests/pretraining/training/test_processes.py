"""Two processes with half a batch each do what one does with all of it."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import shared_batch
import torch

from syncxr.pretraining import METHODS
from syncxr.pretraining.checkpoint import describe, load


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def halves(tmp_path_factory: pytest.TempPathFactory, tiny_text: Path) -> Path:
    """What each of two processes found, for every method."""
    folder = tmp_path_factory.mktemp("halves")
    shared = {
        "WORLD_SIZE": "2",
        "LOCAL_WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(free_port()),
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, shared_batch.__file__, str(tiny_text), str(folder), *METHODS]
    processes = [
        subprocess.Popen(command, env={**os.environ, **shared, "RANK": rank, "LOCAL_RANK": rank})
        for rank in ("0", "1")
    ]
    assert [process.wait(timeout=300) for process in processes] == [0, 0]
    return folder


@pytest.mark.parametrize("method", METHODS)
def test_loss_and_gradients_are_those_of_the_whole_batch(
    method: str, halves: Path, tiny_text: Path
) -> None:
    whole = shared_batch.loss_and_gradients(method, str(tiny_text), 0, 1)
    assert any(name.startswith("text_encoder") for name in whole)
    for rank in (0, 1):
        found = torch.load(halves / f"{method}-{rank}.pt")
        assert found.keys() == whole.keys()
        for name, expected in whole.items():
            assert expected.dtype == torch.double
            assert (found[name] - expected).abs().max() <= 1e-6, (rank, name)


def test_a_run_of_two_processes_is_one_run(halves: Path) -> None:
    first, second = (json.loads((halves / f"summary-{rank}.json").read_text()) for rank in (0, 1))
    assert first["finished"] and first["steps"] == second["steps"] == 2 * (first["training"] // 8)
    assert first["validation_loss"] == second["validation_loss"]
    assert first["train_loss"] == pytest.approx(second["train_loss"], rel=1e-5)
    assert describe(halves / "run").record["environment"]["processes"] == 2
    assert np.isfinite(load(halves / "run").encode_text(["nodule"])).all()
