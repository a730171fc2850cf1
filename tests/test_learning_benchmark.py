"""What the benchmark of learning says of its figures, and how it ends when it is stopped."""

import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from syncxr.errors import Stopped, SyncxrError

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
spec = importlib.util.spec_from_file_location("learning", BENCHMARKS / "learning.py")
assert spec is not None and spec.loader is not None
learning = importlib.util.module_from_spec(spec)
spec.loader.exec_module(learning)


def figures(mean: float, lowest: float, pointing: float) -> dict[str, Any]:
    rows = [
        {"finding": "edema", "auroc": None},
        {"finding": "effusion", "auroc": 0.95},
        {"finding": "nodule", "auroc": lowest},
    ]
    scores = {
        "classification": {
            "mean": mean,
            "low": mean - 0.02,
            "high": mean + 0.02,
            "rows": rows,
            "left_out": {"edema": "no positive"},
        },
        "grounding": {"mean": pointing, "mean_chance": 0.08},
    }
    return {
        "options": {"preprocessing": {"size": 128}, "threads": 2},
        "pretraining": {"pairs": 5150, "seconds": 3540.0, "epochs": 6},
        "scores": dict.fromkeys((*learning.PROMPTS.values(), learning.PHRASES), scores),
    }


def test_figures_stand_beside_their_bars() -> None:
    found = {"convirt": figures(0.81, 0.69, 0.3), "gloria": figures(0.79, 0.7, 0.2)}
    lines = learning.verdict(found, ["convirt", "gloria"])
    assert lines[0] == "convirt: 5150 pairs, 128 px, 59 minutes on 2 threads, 6 epochs"
    # Only the prompts of a method's own paper are held to the bars.
    barred = [line.split(":")[0].strip() for line in lines if "(bar" in line]
    assert barred == ["single", "severity-location"]
    words = re.findall(r"\(bar \S+ (\w+)\)", "\n".join(lines))
    assert words == ["reached", "MISSED", "MISSED", "reached"]
    assert any("lowest nodule 0.690 (bar 0.70 MISSED)" in line for line in lines)
    assert lines.count("    left out: edema (no positive)") == 6
    assert "GLoRIA points better than ConVIRT: NO" in lines


@pytest.mark.parametrize(("fault", "status"), [(Stopped, 75), (SyncxrError, "error: a word")])
def test_a_stop_and_a_fault_are_one_line(
    fault: type[SyncxrError],
    status: int | str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def ends(*_: object) -> None:
        raise fault("a word")

    monkeypatch.setattr(learning, "run_pretraining", ends)
    monkeypatch.setattr(sys, "argv", ["learning.py", "dataset", "--test", "test"])
    with pytest.raises(SystemExit) as ended:
        learning.main()
    assert ended.value.code == status
    assert capsys.readouterr().err == ("a word\n" if fault is Stopped else "")
