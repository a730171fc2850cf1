import json
from pathlib import Path

import pytest

from syncxr.factory.steps import once, seconds, timed


def test_a_step_is_made_once(tmp_path: Path) -> None:
    calls = []

    def make() -> dict[str, object]:
        calls.append(1)
        return {"rate": float("nan"), "rows": ({"n": 2},)}

    first = once(tmp_path, "score", make)
    assert first == once(tmp_path, "score", make) == {"rate": None, "rows": [{"n": 2}]}
    assert len(calls) == 1
    assert json.loads((tmp_path / "results" / "score.json").read_text()) == first


def test_a_failed_step_leaves_no_result(tmp_path: Path) -> None:
    def fail() -> dict[str, object]:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        once(tmp_path, "score", fail)
    assert once(tmp_path, "score", lambda: {"n": 1}) == {"n": 1}


def test_parts_of_an_interrupted_step_add_up(tmp_path: Path) -> None:
    for _ in range(2):
        with timed(tmp_path, "draft"):
            pass
    lines = [json.loads(line) for line in (tmp_path / "run.jsonl").read_text().splitlines()]
    assert len(lines) == 2
    assert seconds(tmp_path) == {"draft": sum(line["seconds"] for line in lines)}
