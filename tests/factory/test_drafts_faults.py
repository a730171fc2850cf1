"""The drafting stage over a chat server that fails: every sample is drafted or told about."""

import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio
import pytest
from chat_servers import Fault, FaultyServer

from syncxr.dataset.reader import read
from syncxr.entities.lexicon import load_lexicon
from syncxr.errors import SyncxrError
from syncxr.factory.drafts import DraftStage
from syncxr.factory.executors import LocalExecutor
from syncxr.factory.runner import run_stage
from syncxr.factory.sources import cut
from syncxr.registry import BackendSpec
from syncxr.reports.drafting import DraftingOptions
from syncxr.sample import Polarity, Sample

SIZES = {"mild": "small", "moderate": "moderate", "severe": "large"}
EFFUSION = load_lexicon().concepts["pleural effusion"]
SAMPLES = [
    Sample(f"0-{number}", (EFFUSION.entity(Polarity.PRESENT, side, severity),))
    for number, (severity, side) in enumerate(itertools.product(SIZES, ("left", "right")))
]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    async def sleep(_: float) -> None: ...

    monkeypatch.setattr(anyio, "sleep", sleep)


def good(prompt: str) -> str:
    """What a radiologist would answer."""
    if prompt.endswith("\nFINDINGS:"):
        severity, side = re.findall(r"STATEMENTS: (\w+) (\w+) pleural effusion\n", prompt)[-1]
        return f"There is a {SIZES[severity]} {side} pleural effusion."
    size, side = re.findall(r"There is a (\w+) (\w+) pleural effusion\.\n", prompt)[-1]
    return f"{size.capitalize()} {side} pleural effusion."


def draft(server: FaultyServer, folder: Path, shard: int = 6, attempts: int = 3) -> None:
    writer = BackendSpec.model_validate(
        {
            "name": "chat",
            "base_url": server.url,
            "model": "m",
            "timeout": 0.5,
            "retries": 1,
            "answers": 1,
            "concurrency": 4,
        }
    )
    stage = DraftStage(writer, DraftingOptions(strategy="two-step"), attempts)
    run_stage(folder, stage, cut(SAMPLES, shard), LocalExecutor())


def accepted(folder: Path) -> dict[str, Sample]:
    return {sample.id: sample for sample in read(folder / "drafts")}


FAULTS = (
    "429",
    "429, Retry-After",
    "500",
    "hang",
    "dropped connection",
    "truncated body",
    "no choice",
    "empty choice",
    "not JSON",
    "cut off",
    "No pneumothorax.",
)


def first_time(fault: Fault, at: str) -> Callable[[str, int], Fault]:
    """Prompts that end with ``at`` and are about the left side meet the fault once."""
    met: set[str] = set()

    def script(prompt: str, _: int) -> Fault:
        asked = prompt.rsplit("\n\n", 1)[1]
        if prompt.endswith(at) and "left" in asked and asked not in met:
            met.add(asked)
            return fault
        return good(prompt)

    return script


@pytest.mark.parametrize("section", ["\nFINDINGS:", "\nIMPRESSION:"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_passes_costs_no_sample(fault: Fault, section: str, tmp_path: Path) -> None:
    with FaultyServer(first_time(fault, section)) as server:
        draft(server, tmp_path)
    made = accepted(tmp_path)
    assert sorted(made) == [sample.id for sample in SAMPLES]
    for sample in made.values():
        (entity,) = sample.entities
        assert entity.location in sample.findings and entity.location in sample.impression


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("500", "no text: Error code: 500"),
        ("hang", "no text: Request timed out"),
        ("cut off", "no text: the reply was cut off"),
        ("empty choice", "no text: the reply is empty"),
        ("No pneumothorax.", "findings adds: no pneumothorax"),
    ],
)
def test_a_fault_that_stays_rejects_its_sample_with_the_reason(
    fault: Fault, reason: str, tmp_path: Path
) -> None:
    def script(prompt: str, _: int) -> Fault:
        return fault if "mild right pleural effusion\nFINDINGS:" in prompt else good(prompt)

    with FaultyServer(script) as server:
        draft(server, tmp_path)
    (lost,) = read(tmp_path / "rejected")
    assert lost.id == "0-1" and len(accepted(tmp_path)) == 5
    attempts = lost.provenance["draft"]["attempts"]
    assert len(attempts) == 3
    for attempt in attempts:
        assert any(told.startswith(reason) for told in attempt["reasons"])


def test_findings_that_verified_are_kept_while_impression_is_written_again(tmp_path: Path) -> None:
    with FaultyServer(first_time("No pneumothorax.", "\nIMPRESSION:")) as server:
        draft(server, tmp_path)
        asked = [str(request["messages"][-1]["content"]) for request in server.requests]
    assert sum(prompt.endswith("\nFINDINGS:") for prompt in asked) == 6
    assert sum(prompt.endswith("\nIMPRESSION:") for prompt in asked) == 9


def test_a_server_that_goes_away_ends_the_run_which_then_goes_on(tmp_path: Path) -> None:
    gone: Iterator[bool] = itertools.chain([False] * 6, itertools.repeat(True))
    with (
        FaultyServer(lambda prompt, _: "401" if next(gone) else good(prompt)) as server,
        pytest.raises(SyncxrError, match="start the same command again"),
    ):
        draft(server, tmp_path, shard=2)
    with FaultyServer(lambda prompt, _: good(prompt)) as server:
        draft(server, tmp_path, shard=2)
    assert sorted(accepted(tmp_path)) == [sample.id for sample in SAMPLES]
    assert not (tmp_path / "rejected").exists()
