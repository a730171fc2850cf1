"""What a run prints where nobody watches: a line an epoch."""

from pathlib import Path

import pytest
from rich.console import Console

from syncxr.pretraining.data.pairs import Pairs
from syncxr.pretraining.options import PretrainingOptions
from syncxr.pretraining.training import console as shown
from syncxr.pretraining.training.run import pretrain
from syncxr.views import training as views
from syncxr.views.console import plain


def test_a_line_an_epoch_in_a_pipe(
    tmp_path: Path,
    patches: Pairs,
    tiny_options: PretrainingOptions,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(shown, "console", Console(stderr=True, width=40, force_terminal=False))
    summary = pretrain(patches, tiny_options, tmp_path)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[1].startswith(f"epoch 2/2  loss {summary.train_loss:.3f}  validation")
    for part in ("R@1/5/10", "films/s", "min"):
        assert part in lines[1]


def test_the_last_screen_reads_well(
    tmp_path: Path,
    patches: Pairs,
    tiny_options: PretrainingOptions,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(views, "out", Console(width=120))
    data = tiny_options.data.model_copy(update={"validation_fraction": 0.0})
    options = tiny_options.model_copy(update={"data": data, "minutes": 1e-9})
    views.show_training(plain(pretrain(patches, options, tmp_path)))
    text = capsys.readouterr().out
    assert "ended by the time limit" in text
    assert "0 epochs, 1 step in" in text
    assert "60 trained on, 0 kept out" in text
    for python in ("{", "}", "nan", "None", "True", "False"):
        assert python not in text
