"""Runs: they learn, they resume to the same bits, and every part of the model takes part."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from filelock import FileLock

from syncxr.errors import SyncxrError
from syncxr.pretraining.checkpoint import INDEX, describe, load
from syncxr.pretraining.data.options import DataOptions
from syncxr.pretraining.data.pairs import Pair, Pairs
from syncxr.pretraining.options import PretrainingOptions
from syncxr.pretraining.training import run as running
from syncxr.pretraining.training.ending import Moment, Watch
from syncxr.pretraining.training.engine import start_engine
from syncxr.pretraining.training.run import Run, pretrain
from syncxr.pretraining.training.state import HISTORY
from syncxr.pretraining.training.step import Stepper


def digest(folder: Path) -> str:
    return describe(folder).weights_sha256


def test_learns_a_made_up_task_and_not_from_shuffled_captions(
    tmp_path: Path, patches: Pairs, tiny_options: PretrainingOptions
) -> None:
    options = tiny_options.model_copy(update={"epochs": 25})
    films = [pair.image for pair in patches]
    labels = np.array(["no " not in pair.findings for pair in patches])
    true = pretrain(patches, options, tmp_path / "true")
    dealt = pretrain(patches.shuffled(1), options, tmp_path / "shuffled")
    scores = load(tmp_path / "true").zero_shot(films, ["bright patch"])[:, 0]
    assert (scores[labels, None] > scores[None, ~labels]).mean() > 0.95
    # Not by the same score: one strong feature and chance labels give 0 or 1 as often as .5.
    assert true.train_loss < dealt.train_loss - 0.5


def test_a_run_stopped_after_any_step_goes_on_to_the_same_bits(
    tmp_path: Path,
    patches: Pairs,
    tiny_options: PretrainingOptions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    options = tiny_options.model_copy(update={"epochs": 3, "accumulation": 2, "ema": 0.9})
    whole = pretrain(patches, options, tmp_path / "whole")
    assert whole.steps == 9
    calls = iter(range(1000))
    real = Watch.moment
    monkeypatch.setattr(
        Watch, "moment", lambda watch: real(watch) if next(calls) % 4 else Moment.OUT_OF_TIME
    )
    done = []
    while not done or not done[-1].finished:
        done.append(pretrain(patches, options, tmp_path / "parts"))
        load(tmp_path / "parts")
    # Some stops lay inside an epoch, and the first steps of later epochs were among them.
    assert any(summary.steps % 3 for summary in done) and len(done) > 3
    assert done[-1].steps == whole.steps
    assert digest(tmp_path / "whole") == digest(tmp_path / "parts")
    assert done[-1].validation_loss == whole.validation_loss
    assert done[-1].train_loss == whole.train_loss


def test_the_time_limit_ends_a_run_inside_an_epoch(
    tmp_path: Path, patches: Pairs, tiny_options: PretrainingOptions
) -> None:
    options = tiny_options.model_copy(update={"minutes": 1e-9})
    summary = pretrain(patches, options, tmp_path)
    assert (summary.epochs, summary.steps, summary.finished) == (0, 1, False)
    assert np.isfinite(summary.validation_loss) and np.isfinite(summary.train_loss)
    line = json.loads((tmp_path / HISTORY).read_text())
    assert line["epoch"] == round(1 / 6, 2) and line["step"] == 1
    load(tmp_path)
    assert pretrain(patches, options, tmp_path) == summary
    longer = pretrain(patches, tiny_options, tmp_path)
    assert longer.finished
    lines = [json.loads(line) for line in (tmp_path / HISTORY).read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2]


def test_a_run_killed_while_saving_goes_on_to_the_same_bits(
    tmp_path: Path,
    patches: Pairs,
    tiny_options: PretrainingOptions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    options = tiny_options.model_copy(update={"save_every": 0})
    pretrain(patches, options, tmp_path / "whole")
    real, calls = running.save, []

    def dies(*args: object, **settings: object) -> object:
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(*args, **settings)

    monkeypatch.setattr(running, "save", dies)
    with pytest.raises(KeyboardInterrupt):
        pretrain(patches, options, tmp_path / "killed")
    monkeypatch.undo()
    assert describe(tmp_path / "killed").steps == 3
    pretrain(patches, options, tmp_path / "killed")
    assert digest(tmp_path / "whole") == digest(tmp_path / "killed")


def test_a_finished_run_is_not_run_again(
    tmp_path: Path, patches: Pairs, tiny_options: PretrainingOptions
) -> None:
    first = pretrain(patches, tiny_options, tmp_path)
    before = (tmp_path / INDEX).read_bytes()
    second = pretrain(patches, tiny_options, tmp_path)
    assert (tmp_path / INDEX).read_bytes() == before
    assert second.to_dict() == first.to_dict()


def test_damaged_weights_are_not_gone_on_from(
    tmp_path: Path, patches: Pairs, tiny_options: PretrainingOptions
) -> None:
    options = tiny_options.model_copy(update={"minutes": 1e-9})
    pretrain(patches, options, tmp_path)
    weights = tmp_path / describe(tmp_path).weights
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(SyncxrError, match="missing or damaged"):
        pretrain(patches, options, tmp_path)


def test_another_seed_gives_other_weights(
    tmp_path: Path, patches: Pairs, tiny_options: PretrainingOptions
) -> None:
    pretrain(patches, tiny_options, tmp_path / "a")
    pretrain(patches, tiny_options.model_copy(update={"seed": 1}), tmp_path / "b")
    assert digest(tmp_path / "a") != digest(tmp_path / "b")


def test_the_random_state_of_the_caller_is_left_alone(
    tmp_path: Path, patches: Pairs, tiny_options: PretrainingOptions
) -> None:
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    pretrain(patches, tiny_options, tmp_path)
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": 5}, "seed"),
        ({"data": DataOptions(caption="report", validation_fraction=0.2)}, "data.caption"),
    ],
)
def test_other_settings_never_mix_into_a_run(
    tmp_path: Path, patches: Pairs, tiny_options: PretrainingOptions, change: dict, named: str
) -> None:
    pretrain(patches, tiny_options, tmp_path)
    with pytest.raises(SyncxrError, match=f"trained with {named}"):
        pretrain(patches, tiny_options.model_copy(update=change), tmp_path)


def test_other_pairs_never_mix_into_a_run(
    tmp_path: Path, patches: Pairs, tiny_options: PretrainingOptions
) -> None:
    pretrain(patches, tiny_options, tmp_path)
    with pytest.raises(SyncxrError, match="trained with data"):
        pretrain(Pairs(patches.items[:-1]), tiny_options, tmp_path)


def test_the_second_run_in_a_folder_refuses(
    tmp_path: Path, patches: Pairs, tiny_options: PretrainingOptions
) -> None:
    with FileLock(tmp_path / ".lock"), pytest.raises(SyncxrError, match="another run"):
        pretrain(patches, tiny_options, tmp_path)


def test_too_few_pairs(tmp_path: Path, patches: Pairs, tiny_options: PretrainingOptions) -> None:
    with pytest.raises(SyncxrError, match="do not fill one batch"):
        pretrain(Pairs(patches.items[:5]), tiny_options, tmp_path)


def test_a_part_cut_off_from_the_loss_is_named(
    tmp_path: Path,
    patches: Pairs,
    tiny_options: PretrainingOptions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with start_engine("no", 1) as engine:
        run = Run(patches, tiny_options, tmp_path, engine)
        project = run.model.method.text_projection

        def without_gradient(features: torch.Tensor) -> torch.Tensor:
            with torch.no_grad():
                return torch.nn.Sequential.forward(project, features)

        monkeypatch.setattr(project, "forward", without_gradient)
        with pytest.raises(SyncxrError, match="no gradient, the first text_encoder"):
            run.go()


def test_history_and_validation(
    tmp_path: Path, patches: Pairs, tiny_options: PretrainingOptions
) -> None:
    summary = pretrain(patches, tiny_options, tmp_path)
    lines = [json.loads(line) for line in (tmp_path / HISTORY).read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2]
    assert summary.training + summary.validation == summary.pairs == 60
    assert summary.validation > 0
    assert 0 <= summary.retrieval["R@1"] <= summary.retrieval["R@5"] <= summary.retrieval["R@10"]
    assert lines[-1]["validation_loss"] == summary.validation_loss
    json.dumps(summary.to_dict())


def test_without_validation_the_history_claims_none(
    tmp_path: Path, patches: Pairs, tiny_options: PretrainingOptions
) -> None:
    options = tiny_options.model_copy(update={"data": DataOptions(validation_fraction=0)})
    summary = pretrain(patches, options, tmp_path)
    assert np.isnan(summary.validation_loss) and summary.retrieval == {}
    assert "validation_loss" not in (tmp_path / HISTORY).read_text()


def test_a_loss_that_is_no_number_stops_the_run(
    tmp_path: Path, patches: Pairs, tiny_options: PretrainingOptions
) -> None:
    with start_engine("no", 1) as engine:
        run = Run(patches, tiny_options, tmp_path, engine)
        with torch.no_grad():
            run.model.method.image_projection[0].weight.fill_(float("nan"))
        with pytest.raises(SyncxrError, match="lower learning_rate"):
            run.go()


def test_pairs_of_one_class_do_not_collapse_the_run(
    tmp_path: Path, patches: Pairs, tiny_options: PretrainingOptions
) -> None:
    same = Pairs(
        tuple(Pair(p.id, p.image, "no nodule.", "no nodule.") for p in patches), "one class"
    )
    summary = pretrain(same, tiny_options, tmp_path)
    assert summary.retrieval["R@1"] == 1.0  # every text is right
    assert np.isfinite(load(tmp_path).encode_image([p.image for p in same])).all()


def test_stops_early_when_validation_gains_nothing_and_is_then_finished(
    tiny_options: PretrainingOptions,
    patches: Pairs,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    losses = iter([3.0, 1.0, 2.0, 1.5])

    def found(*_: object) -> dict[str, float]:
        return {"validation_loss": next(losses), "R@1": 0.0, "R@5": 0.0, "R@10": 0.0}

    monkeypatch.setattr(running, "validate", found)
    options = tiny_options.model_copy(update={"patience": 2, "epochs": 9, "schedule": "plateau"})
    summary = pretrain(patches, options, tmp_path)
    assert summary.finished and summary.epochs == 4
    assert pretrain(patches, options, tmp_path).epochs == 4


@pytest.mark.parametrize("ema", [None, 0.5])
def test_keeps_the_epoch_with_the_lowest_validation_loss_also_over_a_stop(
    ema: float | None,
    tiny_options: PretrainingOptions,
    patches: Pairs,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = {6: 3.0, 12: 1.0, 14: 0.5, 18: 2.0, 24: 1.0}

    def validate(_: object, stepper: Stepper, *__: object) -> dict[str, float]:
        done = int(stepper.optimiser.state_dict()["state"][0]["step"])
        return {"validation_loss": found[done], "R@1": 0.0, "R@5": 0.0, "R@10": 0.0}

    def stopping(after: int) -> None:
        moments = iter([Moment.GO_ON] * after + [Moment.OUT_OF_TIME] + [Moment.GO_ON] * 99)
        monkeypatch.setattr(Watch, "moment", lambda watch: next(moments))

    monkeypatch.setattr(running, "validate", validate)
    options = tiny_options.model_copy(update={"epochs": 4, "ema": ema})
    best = options.model_copy(update={"keep": "best"})
    whole = pretrain(patches, best, tmp_path / "whole")
    assert whole.finished and whole.validation_loss == 1.0
    stopping(11)
    pretrain(patches, options, tmp_path / "second epoch")
    assert describe(tmp_path / "second epoch").steps == 12
    assert digest(tmp_path / "whole") == digest(tmp_path / "second epoch")
    stopping(13)
    part = pretrain(patches, best, tmp_path / "parts")
    assert (part.steps, part.validation_loss) == (14, 1.0)
    assert pretrain(patches, best, tmp_path / "parts").finished
    assert digest(tmp_path / "parts") == digest(tmp_path / "whole")


def test_patience_needs_something_to_watch(tiny_options: PretrainingOptions) -> None:
    settings = tiny_options.model_dump() | {"patience": 2, "data": {"validation_fraction": 0}}
    with pytest.raises(ValueError, match="data.validation_fraction above 0"):
        PretrainingOptions.model_validate(settings)


def test_patience_needs_a_pair_that_is_kept_out(
    tmp_path: Path, patches: Pairs, tiny_options: PretrainingOptions
) -> None:
    few = tiny_options.model_copy(
        update={"data": DataOptions(validation_fraction=1e-9), "keep": "best"}
    )
    with pytest.raises(
        SyncxrError, match=r"no pair of patches is kept out.*raise data\.validation"
    ):
        pretrain(patches, few, tmp_path)
