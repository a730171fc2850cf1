"""The commands that look at corpora, as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tiny_mimic
from PIL import Image as Pillow
from typer.testing import CliRunner

from syncxr.cli.main import app
from syncxr.entities.bank import Bank
from syncxr.errors import SyncxrError


def run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_audit_of_mimic_then_a_bank_to_hand_on(tmp_path: Path) -> None:
    corpus = tiny_mimic.build(tmp_path / "mimic", zipped=True)
    out = tmp_path / "out"
    printed = run("audit", corpus, "--no-judge", "-o", out)
    assert "it stays home" in printed and "without impression" in printed
    summary = json.loads(run("audit", corpus, "--no-judge", "-o", out, "--json", "-"))
    assert summary["pairing"]["films"] == 8 and summary["films"] is None
    target = tmp_path / "b.parquet"
    printed = run("export-bank", out / "bank.parquet", target, "--min-count", "2", "--json", "-")
    exported = json.loads(printed)
    assert exported["dropped"] > 0 and exported["stays_home"]
    assert all(entry.count >= 2 for entry in Bank.read(target))


def test_films_that_are_all_absent_are_told(tmp_path: Path) -> None:
    table = tmp_path / "reports.csv"
    rows = "a,Small left effusion.,1.png\nb,Clear lungs.,2.png\n"
    table.write_text(f"id,findings,image\n{rows}")
    printed = " ".join(run("audit", table, "-o", tmp_path / "out").split())
    assert "none of the 2 films that the corpus lists is there, so none was inspected" in printed
    Pillow.new("L", (64, 64), 9).save(tmp_path / "2.png")
    printed = run("audit", table, "-o", tmp_path / "other", "--no-judge")
    assert "none of the" not in printed


def test_reports_apart_and_wrong_paths(tmp_path: Path) -> None:
    corpus = tiny_mimic.build(tmp_path / "films", apart=tmp_path / "texts")
    out = tmp_path / "out"
    run("audit", corpus, "--reports", tmp_path / "texts", "--no-judge", "-o", out)
    assert json.loads((out / "summary.json").read_text())["pairing"]["reports"] == 5
    with pytest.raises(SyncxrError, match="does not exist; give openi, a CSV"):
        run("audit", tmp_path / "absent", "-o", tmp_path / "other")
