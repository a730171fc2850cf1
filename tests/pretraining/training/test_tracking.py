"""Curves are on disk after a run, and go on after a stop; what is not installed is named."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from syncxr.errors import SyncxrError
from syncxr.pretraining.data.pairs import Pairs
from syncxr.pretraining.options import PretrainingOptions
from syncxr.pretraining.training import tracking
from syncxr.pretraining.training.ending import Moment, Watch
from syncxr.pretraining.training.run import pretrain


def curves(folder: Path) -> dict[str, list[tuple[int, float]]]:
    found = EventAccumulator(str(folder / "tensorboard"))
    found.Reload()
    return {
        tag: [(event.step, event.value) for event in found.Scalars(tag)]
        for tag in found.Tags()["scalars"]
    }


def test_tensorboard_has_every_curve_of_a_run_in_two_parts(
    tmp_path: Path,
    patches: Pairs,
    tiny_options: PretrainingOptions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    options = tiny_options.model_copy(update={"epochs": 4})
    with monkeypatch.context() as patch:
        calls = iter([Moment.GO_ON] * 8 + [Moment.OUT_OF_TIME])
        patch.setattr(Watch, "moment", lambda watch: next(calls))
        assert not pretrain(patches, options, tmp_path).finished
    summary = pretrain(patches, options, tmp_path)
    found = curves(tmp_path)
    assert [step for step, _ in found["train/loss"]] == [10, 20]
    assert [step for step, _ in found["validation/loss"]] == [6, 9, 12, 18, 24]
    assert found["validation/loss"][-1][1] == pytest.approx(summary.validation_loss)
    assert found["validation/R@5"][-1][1] == pytest.approx(summary.retrieval["R@5"])
    assert {"train/learning_rate", "train/films_per_second"} <= set(found)


def test_no_tracker_no_files(
    tmp_path: Path, patches: Pairs, tiny_options: PretrainingOptions
) -> None:
    pretrain(patches, tiny_options.model_copy(update={"trackers": ()}), tmp_path)
    assert not (tmp_path / "tensorboard").exists()


def test_weights_and_biases_gets_the_curves_and_the_settings(
    tmp_path: Path,
    patches: Pairs,
    tiny_options: PretrainingOptions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: dict[str, Any] = {"logged": [], "config": {}}

    class Run:
        def log(self, values: dict[str, float], step: int, **_: Any) -> None:
            said["logged"].append((step, values))

        def finish(self) -> None:
            said["finished"] = True

    class Settings:
        def update(self, values: dict[str, Any], **_: Any) -> None:
            said["config"] |= values

    wandb = ModuleType("wandb")
    wandb.init = lambda **asked: said.update(asked=asked) or Run()  # type: ignore[attr-defined]
    wandb.config = Settings()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "wandb", wandb)
    monkeypatch.setattr(tracking, "find_spec", lambda name: name)
    options = tiny_options.model_copy(update={"trackers": ("wandb",)})
    pretrain(patches, options, tmp_path / "mine")
    assert said["asked"]["name"] == "mine" and said["asked"]["resume"] == "allow"
    assert said["config"]["batch_size"] == 8
    assert [step for step, values in said["logged"] if "validation/loss" in values] == [6, 12]
    assert said["finished"]


def test_a_tracker_that_is_not_installed_is_told_before_training(
    tmp_path: Path,
    patches: Pairs,
    tiny_options: PretrainingOptions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tracking, "find_spec", lambda name: None)
    options = tiny_options.model_copy(update={"trackers": ("wandb",)})
    with pytest.raises(SyncxrError, match="pip install wandb"):
        pretrain(patches, options, tmp_path)
    pretrain(patches, tiny_options, tmp_path)
    assert not (tmp_path / "tensorboard").exists()
