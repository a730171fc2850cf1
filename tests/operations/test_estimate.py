"""A price for a run of the real parts, as small as they can be."""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from syncxr.cli import main
from syncxr.config import load_config
from syncxr.errors import SyncxrError
from syncxr.operations.estimate import estimate

SMALL = {
    "sampling.pairs": 40,
    "factory.shard_size": 8,
    "factory.surplus": 0.05,
    "renderer.size": 128,
    "execution.workers": 1,
}


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    path = tmp_path / "bank.csv"
    positives = ["small pleural effusion", "moderate cardiomegaly", "nodule", "large pneumothorax"]
    negatives = ["no pneumonia", "no rib fracture", "no atelectasis", "no pulmonary edema"]
    anatomy = ["heart", "mediastinum", "right upper lobe", "left lower lobe", "left", "bones"]
    path.write_text("\n".join(["entity", *positives, *negatives, *anatomy]) + "\n")
    return path


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders go."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.mark.slow
def test_price_of_a_run(
    bank: Path,
    scratch: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out, figures = tmp_path / "out", tmp_path / "price.json"
    given = [f"--set={key}={value}" for key, value in SMALL.items()]
    arguments = ["generate", str(bank), "--dry-run", *given, "-o", str(out), "--json", str(figures)]
    monkeypatch.setattr(sys, "argv", ["syncxr", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 0
    assert not out.exists() and not list(scratch.iterdir()), "nothing is left behind"

    price: dict[str, Any] = json.loads(figures.read_text())
    plan, drafts, films = price["stages"]
    assert [stage["stage"] for stage in price["stages"]] == ["plan", "drafts", "films"]
    assert price["planned"] == 42 == drafts["samples"] and price["asked"] == 40
    assert price["seconds"] == pytest.approx(sum(s["seconds"] for s in (plan, drafts, films)))
    for stage in (drafts, films):
        assert 8 <= stage["measured"] < 42
        assert stage["attempts"] >= stage["samples"] >= stage["passed"] > 0
        assert stage["cpu_hours"] > 0 and stage["gpu_hours"] == 0 and not stage["servers"]
    assert price["images"] == pytest.approx(films["attempts"])
    # A report of four statements takes at least twenty tokens, a film of 128 × 128 some kilobytes.
    assert 20 * 42 < price["completion_tokens"] < 400 * 42
    # Examples and statements: hundreds of tokens are read for each report.
    assert 100 * 42 < price["prompt_tokens"] < 1000 * 42
    assert 42 * 5e3 < price["bytes"] < 42 * 60e3 and price["bytes_free"] > 0

    printed = " ".join(capsys.readouterr().out.split())
    for words in ("price of the run", "tokens", "measured on n = ", "Nothing was left behind"):
        assert words in printed


@pytest.mark.slow
def test_a_run_that_would_make_nothing_has_no_price(bank: Path, scratch: Path) -> None:
    strict = {
        **SMALL,
        "factory.film_attempts": 1,
        "judge": {"name": "inspector", "thresholds": {"chest": 1.0, "fidelity": 1.0}},
    }
    with pytest.raises(SyncxrError, match=r"none of \d+ calibration films passed \(.*(chest|fid)"):
        estimate(load_config("laptop", strict), bank, scratch / "out")
    assert not list(scratch.iterdir())
