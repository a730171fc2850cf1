"""Processes that are stopped in the middle of an epoch end with the bits of an undisturbed run."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from PIL import Image as Pillow

from syncxr.config import load_config
from syncxr.errors import Stopped
from syncxr.pipeline import run_pretraining
from syncxr.pretraining.checkpoint import INDEX, describe
from syncxr.pretraining.data.pairs import Pairs
from syncxr.pretraining.options import PretrainingOptions
from syncxr.pretraining.training.ending import Moment, Watch
from syncxr.pretraining.training.run import pretrain

STEPS = 25
"""Of the one epoch that the runs have: wherever they are stopped, it is inside it."""


@pytest.fixture(scope="module")
def work(
    tmp_path_factory: pytest.TempPathFactory, patches: Pairs, tiny_options: PretrainingOptions
) -> Path:
    """Films, a table and a configuration."""
    folder = tmp_path_factory.mktemp("interrupted")
    lines = ["image,text"]
    for pair in patches:
        Pillow.fromarray(pair.image).save(folder / f"{pair.id}.png")
        lines.append(f"{pair.id}.png,{pair.findings}")
    (folder / "pairs.csv").write_text("\n".join(lines) + "\n")
    data = tiny_options.data.model_copy(update={"cache": folder / "cache"})
    options = tiny_options.model_copy(
        update={"data": data, "epochs": 1, "batch_size": 2, "save_every": 0, "ema": 0.9}
    )
    settings = {"pretraining": options.model_dump(mode="json")}
    (folder / "config.yaml").write_text(yaml.safe_dump(settings))
    return folder


def train_here(work: Path, folder: Path) -> None:
    config = load_config(str(work / "config.yaml"))
    assert run_pretraining(config, [work / "pairs.csv"], folder).finished


def train_elsewhere(work: Path, folder: Path) -> subprocess.Popen[str]:
    """The command, in a process of its own."""
    arguments = [str(work / "pairs.csv"), "-c", str(work / "config.yaml"), "-o", str(folder)]
    return subprocess.Popen(
        [sys.executable, "-m", "syncxr", "pretrain", *arguments],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def undisturbed(work: Path) -> Path:
    train_here(work, work / "undisturbed")
    assert describe(work / "undisturbed").steps == STEPS
    return work / "undisturbed"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_goes_on_to_the_same_bits(work: Path, undisturbed: Path, number: signal.Signals) -> None:
    folder = work / number.name
    process = train_elsewhere(work, folder)
    while not (folder / INDEX).exists():
        assert process.poll() is None
        time.sleep(0.001)
    process.send_signal(number)
    _, errors = process.communicate(timeout=300)
    steps = describe(folder).steps
    assert 0 < steps < STEPS
    if number is signal.SIGTERM:
        assert process.returncode == Stopped.status == 75
        assert errors.strip().splitlines()[-1] == (
            f"stopped after step {steps} of {STEPS}; all is saved in {folder}: "
            "run the same command again to go on"
        )
    else:
        assert process.returncode == -signal.SIGKILL
    train_here(work, folder)
    weights = describe(undisturbed).weights
    assert describe(folder).weights == weights
    assert (folder / weights).read_bytes() == (undisturbed / weights).read_bytes()


def test_ctrl_c_in_a_notebook_stops_after_the_step(
    tmp_path: Path,
    patches: Pairs,
    tiny_options: PretrainingOptions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real, calls = Watch.moment, []

    def interrupted(watch: Watch) -> Moment:
        calls.append(1)
        if len(calls) == 3:
            signal.raise_signal(signal.SIGINT)
        return real(watch)

    monkeypatch.setattr(Watch, "moment", interrupted)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(Stopped, match="stopped after step 3 of 12"):
        pretrain(patches, tiny_options, tmp_path)
    assert signal.getsignal(signal.SIGINT) is before
    assert describe(tmp_path).steps == 3
    assert pretrain(patches, tiny_options, tmp_path).finished
