"""Rows survive being written; a damaged file is named with its row."""

import dataclasses
import json
import math
from pathlib import Path

import pytest

from syncxr.errors import SyncxrError
from syncxr.evaluation.scoring.results import Result, read_results, write_results

ROW = Result(
    task="zero-shot classification",
    model="own",
    test_set="made up",
    split="test",
    finding="nodule",
    protocol="validation",
    prompt_set="pair 01234567",
    metric="F1",
    value=0.5,
    n=10,
    positives=4,
    units="5 patients",
)


def test_written_and_read(tmp_path: Path) -> None:
    rows = [ROW, dataclasses.replace(ROW, value=math.nan, fraction=0.01, seed=2, low=1)]
    write_results(rows, tmp_path / "results.json")
    back = read_results(tmp_path / "results.json")
    assert [row.to_dict() for row in back] == [row.to_dict() for row in rows]
    assert math.isnan(back[1].value) and math.isnan(back[0].low) and back[1].fraction == 0.01
    assert "NaN" not in (tmp_path / "results.json").read_text()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"value": "high"}, "row 2: value is 'high', not float"),
        ({"n": 1.5}, "row 2: n is 1.5, not int"),
        ({"colour": 1}, "row 2: .*colour"),
        ({"note": None}, "row 2: note is None, not str"),
    ],
)
def test_a_damaged_row_is_named(tmp_path: Path, change: dict, message: str) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.dumps([ROW.to_dict(), ROW.to_dict() | change]))
    with pytest.raises(SyncxrError, match=message):
        read_results(path)


@pytest.mark.parametrize("text", ["", "{}", "[1]"])
def test_no_results(tmp_path: Path, text: str) -> None:
    path = tmp_path / "results.json"
    path.write_text(text)
    with pytest.raises(SyncxrError, match="score again"):
        read_results(path)
    with pytest.raises(SyncxrError, match="cannot be read"):
        read_results(tmp_path / "none.json")
