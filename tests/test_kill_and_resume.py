"""The real command line, killed three times while it drafts and renders."""

import importlib.util
from pathlib import Path

import pytest

path = Path(__file__).parent.parent / "benchmarks" / "kill_and_resume.py"
spec = importlib.util.spec_from_file_location("kill_and_resume", path)
assert spec is not None and spec.loader is not None
kill_and_resume = importlib.util.module_from_spec(spec)
spec.loader.exec_module(kill_and_resume)


@pytest.mark.slow
def test_nothing_is_lost_doubled_or_changed(tmp_path: Path) -> None:
    soon = {"drafts": 3.0, "films": 4.5}
    figures = kill_and_resume.measure(3, pairs=40, seed=1, work=tmp_path, longest=soon)
    assert figures["while drafting"] == 1 and figures["while rendering"] == 2
    assert figures["lost"] == figures["doubled"] == 0
    assert figures["faults"] == {}
    assert figures["differing files"] == []
    assert figures["accepted reports that verify"] == figures["accepted"]
