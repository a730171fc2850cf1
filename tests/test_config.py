from pathlib import Path

import pytest

from syncxr.config import load_config, parse_overrides, presets
from syncxr.errors import SyncxrError


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


def test_one_key_from_the_command_line() -> None:
    given = parse_overrides(
        ["sampling.k=4", "writer.base_url=http://host:8000/v1", "judge={name: x}"]
    )
    assert given == {
        "sampling.k": 4,
        "writer.base_url": "http://host:8000/v1",
        "judge": {"name": "x"},
    }
    assert load_config("laptop", given).judge.name == "x"


@pytest.mark.parametrize("pair", ["sampling.k", "=4", "sampling.k=[1"])
def test_what_is_no_override(pair: str) -> None:
    with pytest.raises(SyncxrError, match="--set") as caught:
        parse_overrides([pair])
    assert "\n" not in str(caught.value)


def test_what_is_unfilled_is_named_where_it_is_needed() -> None:
    config = load_config("laptop", {"renderer.model": "???", "judge.bank.folder": "???"})
    config.require("writer", "corpus")
    with pytest.raises(
        SyncxrError,
        match=r"not filled in: judge.bank.folder, renderer.model; say --set judge.bank.folder=",
    ):
        config.require("judge", "renderer")


def test_a_wrong_key_of_the_command_line_is_not_blamed_on_the_preset() -> None:
    with pytest.raises(SyncxrError, match=r"^the command line: .*'sampling.K'.*sampling.k\?$"):
        load_config("laptop", {"sampling.K": 4})
    with pytest.raises(SyncxrError, match=r"^the command line, key 'sampling.k': .*valid integer"):
        load_config("laptop", {"sampling.k": "abc"})
