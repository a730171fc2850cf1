"""Whole runs on the real parts, as small as they can be."""

import json
import sys
from pathlib import Path

import pytest
import yaml

from syncxr.cli import main
from syncxr.config import load_config
from syncxr.dataset.reader import read
from syncxr.pipeline import _maker
from syncxr.registry import BackendSpec


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> str | int | None:
    monkeypatch.setattr(sys, "argv", ["syncxr", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        main()
    return caught.value.code


def small_config(folder: Path) -> Path:
    """The laptop preset with small shards, small films and a short training."""
    raw = load_config("laptop").model_dump(mode="json")
    raw["factory"]["shard_size"] = 8
    raw["renderer"]["size"] = 128
    raw["pretraining"]["epochs"] = 1
    raw["pretraining"]["data"]["cache"] = str(folder / "decoded")
    raw["pretraining"]["batch_size"] = 8
    raw["test_set"]["films"] = 12
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump(raw))
    return path


def content(run_folder: Path) -> dict[str, tuple[str, bytes]]:
    """Id to text and pixels of each pair."""
    return {
        sample.id: (sample.findings, sample.image.tobytes())
        for sample in read(run_folder / "dataset")
        if sample.image is not None
    }


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bank") / "bank.csv"
    positives = ["small pleural effusion", "moderate cardiomegaly", "nodule", "large pneumothorax"]
    negatives = ["no pneumonia", "no rib fracture", "no atelectasis", "no pulmonary edema"]
    anatomy = ["heart", "mediastinum", "right upper lobe", "left lower lobe", "left", "bones"]
    path.write_text("\n".join(["entity", *positives, *negatives, *anatomy]) + "\n")
    return path


@pytest.mark.slow
def test_generate_then_extend(bank: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An own bank; six pairs, then ten; the first six stay as they are."""
    out, config = tmp_path / "run", small_config(tmp_path)
    command = ("generate", bank, "-o", out, "-c", config, "--workers", "1")
    assert run(monkeypatch, *command, "--pairs", "6") == 0
    before = {
        sample.id: (sample.findings, sample.image.tobytes()) for sample in read(out / "dataset")
    }

    refused = run(monkeypatch, *command, "--pairs", "10")
    assert isinstance(refused, str) and "sampling.pairs: 6 there, 10 here" in refused

    assert run(monkeypatch, *command, "--pairs", "10", "--extend") == 0
    after = {
        sample.id: (sample.findings, sample.image.tobytes()) for sample in read(out / "dataset")
    }
    assert before.items() <= after.items() and len(after) >= 10
    assert run(monkeypatch, "verify", out) == 0

    card = (out / "dataset" / "README.md").read_text()
    assert "bank bank.csv" in card and "license: cc-by-3.0" in card

    bank_two = tmp_path / "other.csv"
    bank_two.write_text(bank.read_text() + "mass\n")
    refused = run(monkeypatch, "generate", bank_two, *command[2:], "--pairs", "10")
    assert isinstance(refused, str) and "bank_sha256" in refused


@pytest.mark.slow
def test_demo_from_reports_to_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    """Everything the README promises of a demo, on 40 pairs; then again, with nothing to do."""
    out = tmp_path / "run"
    command = ("demo", "-o", out, "-c", small_config(tmp_path), "--pairs", "40")
    assert run(monkeypatch, *command, "--json", tmp_path / "figures.json") == 0
    summary = json.loads((out / "summary.json").read_text())
    assert summary == json.loads((tmp_path / "figures.json").read_text())
    assert summary["generation"]["accepted"] >= 40
    assert summary["faithfulness"]["positives"]["share"] >= 0.9
    assert summary["evaluation"]["classification"]["films"] == 12
    for name in ("dataset/manifest.json", "dataset/README.md", "rejected", "checkpoint"):
        assert (out / name).exists()
    assert "<html" in (out / "report.html").read_text()
    screen = capsys.readouterr().out
    for words in ("pairs", "stated findings visible", "zero-shot", "try next", "one source CT"):
        assert words in screen

    log = (out / "run.jsonl").read_text()
    assert run(monkeypatch, *command) == 0
    news = (out / "run.jsonl").read_text().removeprefix(log)
    assert '"stage started"' not in news, "a finished run started a stage again"


def test_the_card_names_models_but_not_where_they_lie(tmp_path: Path) -> None:
    (tmp_path / "RoentGen").mkdir()
    here = BackendSpec.model_validate({"name": "diffusion", "model": str(tmp_path / "RoentGen")})
    hub = BackendSpec.model_validate({"name": "chat", "model": "OpenGVLab/InternVL3-38B"})
    assert _maker(here) == "diffusion (RoentGen)"
    assert _maker(hub) == "chat (OpenGVLab/InternVL3-38B)"
    assert _maker(BackendSpec(name="simulation")) == "simulation"
