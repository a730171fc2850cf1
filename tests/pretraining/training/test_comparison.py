"""Two runs of one configuration differ in their data alone, and their records prove it."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from syncxr.cli import main
from syncxr.errors import SyncxrError
from syncxr.pretraining.checkpoint import INDEX, describe
from syncxr.pretraining.data.options import DataOptions, SourceOptions
from syncxr.pretraining.data.pairs import Pairs
from syncxr.pretraining.options import PretrainingOptions
from syncxr.pretraining.training.comparison import compare
from syncxr.pretraining.training.record import configuration, fingerprint
from syncxr.pretraining.training.run import pretrain


@pytest.fixture(scope="module")
def runs(
    tmp_path_factory: pytest.TempPathFactory, patches: Pairs, tiny_options: PretrainingOptions
) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    pretrain(patches, tiny_options, folder / "real")
    pretrain(Pairs(patches.items[:40], "others"), tiny_options, folder / "synthetic")
    other = tiny_options.model_copy(update={"learning_rate": 1e-3, "seed": 1})
    pretrain(patches, other, folder / "other")
    short = tiny_options.model_copy(update={"minutes": 1e-9})
    pretrain(patches, short, folder / "short")
    return folder


def test_only_the_data_differ(runs: Path) -> None:
    found = compare(runs / "real", runs / "synthetic")
    assert found.only_data and found.differences == {}
    assert found.configuration[0] == found.configuration[1]
    assert found.data[0] != found.data[1]
    assert found.sources == (("patches",), ("others",))
    assert found.steps == (12, 8)


def test_every_other_difference_is_named(runs: Path) -> None:
    found = compare(runs / "real", runs / "other")
    assert not found.only_data
    assert set(found.differences) == {
        "configuration.learning_rate",
        "configuration.seed",
        "configuration_sha256",
        "start_sha256",
    }
    assert found.differences["configuration.seed"] == (0, 1)


def test_a_run_that_was_cut_off_is_not_the_same(runs: Path) -> None:
    found = compare(runs / "real", runs / "short")
    assert found.differences == {"finished": (True, False)}


def test_a_checkpoint_without_a_record_is_told(runs: Path, tmp_path: Path) -> None:
    bare = Path(shutil.copytree(runs / "short", tmp_path / "bare"))
    index = json.loads((bare / INDEX).read_text())
    (bare / INDEX).write_text(json.dumps({**index, "record": {}}))
    with pytest.raises(SyncxrError, match="no record of its settings"):
        compare(runs / "real", bare)


def test_where_data_lie_is_no_setting_but_how_they_are_used_is(
    tiny_options: PretrainingOptions,
) -> None:
    def hashed(**data: object) -> str:
        options = tiny_options.model_copy(update={"data": DataOptions(**data)})
        return fingerprint(configuration(options))

    mixed = (SourceOptions(path="a", weight=1), SourceOptions(path="b", weight=3))
    assert hashed() == hashed(sources=mixed) == hashed(cache=Path("elsewhere"))
    assert hashed() != hashed(caption="report")


def test_the_record_says_what_the_run_was_made_of(
    runs: Path, tiny_options: PretrainingOptions
) -> None:
    record = describe(runs / "real").record
    assert record["configuration"]["batch_size"] == tiny_options.batch_size
    assert record["sources"][0]["pairs"] == 60
    assert record["environment"]["processes"] == 1
    assert record["environment"]["threads"] == 1


def test_the_command_says_so_and_its_status_too(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def status(second: str, *more: str) -> object:
        arguments = ["compare", str(runs / "real"), str(runs / second), *more]
        monkeypatch.setattr(sys, "argv", ["syncxr", *arguments])
        with pytest.raises(SystemExit) as caught:
            main()
        return caught.value.code

    assert status("synthetic") == 0
    assert "only the data differ" in capsys.readouterr().out
    assert status("other") == 1
    assert "configuration.seed" in capsys.readouterr().out
    assert status("other", "--json", "-") == 1
    assert json.loads(capsys.readouterr().out)["only_data"] is False
