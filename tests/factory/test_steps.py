import json
from pathlib import Path

import pytest

from syncxr.factory.steps import once, recorded, seconds, timed


def test_a_step_is_made_once(tmp_path: Path) -> None:
    calls = []

    def make() -> dict[str, object]:
        calls.append(1)
        return {"rate": float("nan"), "rows": ({"n": 2},)}

    first = once(tmp_path, "score", "a", make)
    assert first == once(tmp_path, "score", "a", make) == {"rate": None, "rows": [{"n": 2}]}
    assert len(calls) == 1
    held = json.loads((tmp_path / "results" / "score.json").read_text())
    assert held == {"of": "a", "result": first}


def test_another_input_makes_it_anew(tmp_path: Path) -> None:
    once(tmp_path, "score", "a", lambda: {"n": 1})
    assert recorded(tmp_path, "score", "b") is None
    assert once(tmp_path, "score", "b", lambda: {"n": 2}) == {"n": 2}


def test_a_failed_step_leaves_no_result(tmp_path: Path) -> None:
    def fail() -> dict[str, object]:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        once(tmp_path, "score", "a", fail)
    assert once(tmp_path, "score", "a", lambda: {"n": 1}) == {"n": 1}


def test_parts_of_an_interrupted_step_add_up(tmp_path: Path) -> None:
    for _ in range(2):
        with timed(tmp_path, "draft"):
            pass
    with (tmp_path / "run.jsonl").open("a") as stream:
        stream.write('{"event": "st')  # a full disk
    lines = [json.loads(line) for line in (tmp_path / "run.jsonl").read_text().splitlines()[:2]]
    assert len(lines) == 2
    assert seconds(tmp_path) == {"draft": sum(line["seconds"] for line in lines)}
