from pathlib import Path

import pytest

from syncxr.config import load_config, presets


@pytest.mark.parametrize("name", presets())
def test_presets_are_valid(name: str) -> None:
    config = load_config(name)
    assert load_config(name, {"sampling.pairs": 7, "pretraining.minutes": None}).sampling.pairs == 7
    assert config == load_config(name)


def test_laptop_keeps_reports_small() -> None:
    sampling = load_config("laptop").sampling
    assert sampling.pairs >= 300 and sampling.k + sampling.m <= 4
    assert sampling.tau_max == "auto" and not sampling.allow_unshown


def test_ones_own_file_needs_only_what_differs(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("writer: {name: llamacpp, slots: 2}\n")
    assert load_config(str(path)).writer.options == {"slots": 2}
