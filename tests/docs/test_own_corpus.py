"""The page "pre-train on your own corpus" works as written: its CSV, its commands, its settings."""

import re
import shlex
from pathlib import Path

import made_pairs
import pytest
import tiny_mimic
from PIL import Image as Pillow
from typer.testing import CliRunner

from syncxr.cli.main import app
from syncxr.config import load_config
from syncxr.corpora import openi
from syncxr.pretraining.data.opening import Data, open_data
from syncxr.pretraining.options import PretrainingOptions
from syncxr.pretraining.training import run

PAGE = (Path(__file__).parents[2] / "docs" / "own-corpus.md").read_text("utf-8")
COMMANDS = re.findall(r"^    syncxr (pretrain .*)$", PAGE, re.MULTILINE)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which everything lies that the page names."""
    monkeypatch.chdir(tmp_path)
    (csv,) = re.findall(r"^```csv\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    for folder in (Path(), Path("hospital-a"), Path("hospital-b")):
        (folder / "films").mkdir(parents=True)
        (folder / "pairs.csv").write_text(csv)
        for name in ("0001", "0002"):
            Pillow.fromarray(made_pairs.noise(int(name))).save(folder / "films" / f"{name}.png")
    made_pairs.dataset(Path("runs/generate"), 40)
    corpus = Path("corpus")
    corpus.mkdir()
    for number in range(4):
        Pillow.fromarray(made_pairs.noise(number)).save(corpus / f"{number}.png")
        (corpus / f"{number}.txt").write_text(made_pairs.report(number)[0])
    tiny_mimic.build(Path("mimic-cxr-jpg"), zipped=True)
    Path("mimic-cxr-jpg/mimic-cxr-reports.zip").rename("mimic-cxr-reports.zip")
    Path("NLMCXR_png").mkdir()
    for name, _ in zip(openi.views(), range(6), strict=False):
        Pillow.fromarray(made_pairs.noise(3)).save(Path("NLMCXR_png") / f"{name}.png")
    return tmp_path


def opened(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> Data:
    """The data that a command would train on."""
    found: list[Data] = []

    def pretrain(_: None, options: PretrainingOptions, folder: Path) -> None:
        data = options.data.model_copy(update={"cache": Path("cache"), "validation_fraction": 0.0})
        found.append(open_data(data, options.preprocessing))
        raise SystemExit(0)

    monkeypatch.setattr(run, "pretrain", pretrain)
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0 and found, result.output
    return found[0]


@pytest.mark.parametrize("command", COMMANDS)
def test_command(command: str, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = opened(shlex.split(command), monkeypatch)
    assert all(source.pairs for source in data.sources)
    assert not any(source.skipped for source in data.sources)
    if "--weights 1:3" in command:
        assert [source.per_epoch for source in data.sources] == [11, 31]


def test_configuration(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (text,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    Path("mixed.yaml").write_text(text)
    assert len(load_config("mixed.yaml").pretraining.data.sources) == 3
    data = opened(["pretrain", "--config", "mixed.yaml"], monkeypatch)
    assert [source.per_epoch for source in data.sources] == [11, 22, 11]
