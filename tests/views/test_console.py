import json
from pathlib import Path

import pytest
from pydantic import BaseModel

from syncxr.views.console import plain, show_run, show_stage, show_verification, write_json


class Figures(BaseModel):
    rate: float
    rows: tuple[float, ...]


def test_json_has_no_nan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = Figures(rate=float("nan"), rows=(1.0, float("inf")))
    write_json(result, tmp_path / "figures.json")
    assert json.loads((tmp_path / "figures.json").read_text()) == {
        "rate": None,
        "rows": [1.0, None],
    }
    write_json(result, Path("-"))
    assert json.loads(capsys.readouterr().out) == plain(result)


def test_a_run_without_positives_has_a_screen(capsys: pytest.CaptureFixture[str]) -> None:
    """All-normal runs have no rate of visible findings."""
    none = {"n": 0, "hits": 0, "share": None, "low": None, "high": None}
    holds = {"n": 9, "hits": 9, "share": 1.0, "low": 0.7, "high": 1.0}
    show_run(
        {
            "asked": 5,
            "generation": {
                "planned": 5,
                "drafted": 6,
                "verified": 5,
                "first_round_acceptance": 0.8,
                "rendered": 7,
                "accepted": 5,
                "rejected": {"drafts": 0, "films": 0},
                "draft_reasons": {"findings lacks": 1},
                "film_reasons": {},
            },
            "balance": {},
            "faithfulness": {
                "films": 5,
                "positives": none,
                "negatives": holds,
                "negatives_measured": holds,
            },
            "evaluation": {},
            "seconds": {"generation": 12.0},
            "paths": {"dataset": "runs/x/dataset"},
        }
    )
    screen = capsys.readouterr().out
    assert "none stated" in screen and "findings lacks 1" in screen
    assert "syncxr verify runs/x" in screen


def test_stage_and_verification(capsys: pytest.CaptureFixture[str]) -> None:
    show_stage(
        {
            "stage": "films",
            "samples": 3,
            "accepted": 2,
            "rejected": 1,
            "counts": {"film: quality": 4},
            "folder": "out",
            "unreadable": ["a/long/way/to/" + "b" * 200 + ".png does not open"],
        }
    )
    faults = {"plan": [f"[{i}] is lost" for i in range(25)], "files": ["[a] is damaged"]}
    show_verification({"files": 1, "pairs": 2, "masks": 3, "verified_texts": 2, "faults": faults})
    screen = capsys.readouterr().out
    assert "film: quality  4" in screen
    assert "b.png does not open\n" in screen, "a name is not folded"
    assert "plan: 25" in screen and "[2] is lost" in screen and "22 more" in screen
    assert "[3] is lost" not in screen
    assert "files: 1\n  [a] is damaged\n" in screen and "faults          26" in screen
