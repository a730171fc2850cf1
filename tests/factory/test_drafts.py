from collections.abc import Sequence
from pathlib import Path

import pytest
import tiny_rate_ner

from syncxr.dataset.reader import read
from syncxr.entities.lexicon import load_lexicon
from syncxr.entities.matching import MatchingOptions
from syncxr.factory import drafts
from syncxr.factory.drafts import DraftStage
from syncxr.factory.executors import LocalExecutor
from syncxr.factory.runner import run_stage
from syncxr.factory.sources import cut
from syncxr.registry import BackendSpec
from syncxr.reports.drafting import DraftingOptions
from syncxr.reports.writer import Completion, Prompt
from syncxr.sample import Category, Entity, Polarity, Sample

EFFUSION = load_lexicon().concepts["pleural effusion"].entity(Polarity.PRESENT, "left", "mild")
GOOD = "There is a small left pleural effusion.\nIMPRESSION: Small left pleural effusion."
FLIPPED = "There is no pleural effusion.\nIMPRESSION: No pleural effusion."


class Scripted:
    """Writes given texts, round by round."""

    name = "scripted"

    def __init__(self, *rounds: str) -> None:
        self.rounds = list(rounds)
        self.seeds: list[int] = []

    def write(self, prompts: Sequence[Prompt]) -> list[Completion]:
        if not prompts:
            return []
        text = self.rounds.pop(0)
        self.seeds += [prompt.seed for prompt in prompts]
        return [Completion(text, 20) for _ in prompts]

    def provenance(self) -> dict[str, str]:
        return {"model": "scripted"}


def run(
    writer: Scripted, folder: Path, monkeypatch: pytest.MonkeyPatch, attempts: int = 3
) -> dict[str, int]:
    monkeypatch.setattr(drafts, "build", lambda *_: writer)
    stage = DraftStage(BackendSpec(name="llamacpp"), DraftingOptions(), attempts)
    (record,) = run_stage(folder, stage, cut([Sample("0-0", (EFFUSION,))], 5), LocalExecutor())
    return record.statistics


def test_a_flipped_report_is_drafted_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = Scripted(FLIPPED, GOOD)
    statistics = run(writer, tmp_path, monkeypatch)
    (sample,) = read(tmp_path / "drafts")
    assert sample.findings == "There is a small left pleural effusion."
    assert sample.impression == "Small left pleural effusion."
    first, second = sample.provenance["draft"]["attempts"]
    assert "findings lacks: mild left pleural effusion" in first["reasons"]
    assert second["reasons"] == [] and second["seed"] != first["seed"]
    assert writer.seeds == [first["seed"], second["seed"]]
    assert statistics["first drafts accepted"] == 0 and statistics["draft attempts"] == 2


def test_what_never_verifies_is_rejected_with_its_reasons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    statistics = run(Scripted(FLIPPED, FLIPPED), tmp_path, monkeypatch, attempts=2)
    (sample,) = read(tmp_path / "rejected")
    assert not (tmp_path / "drafts").exists()
    assert sample.findings == "There is no pleural effusion."
    assert statistics["accepted"] == 0 and statistics["rejected"] == 1
    assert statistics["draft: findings lacks"] == 2


def test_a_network_verifies_and_leaves_on_record_what_matched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bank, plan and text in an open vocabulary: words, categories, and the lexicon's synonyms."""
    network = tiny_rate_ner.saved(tmp_path / "model")
    effusion = Entity("effusions", Category.ABNORMALITY, Polarity.PRESENT)
    lobe = Entity("left lower lobe", Category.ANATOMY, Polarity.ABSENT)
    writer = Scripted(
        "Cardiomegaly and pulmonary edema, no pneumonia.",
        "There is a small pleural effusion in the left lower lobe.",
        "Small left pleural effusion.",
    )
    monkeypatch.setattr(drafts, "build", lambda *_: writer)
    extractor = BackendSpec.model_validate({"name": "rate-ner", "model": str(network)})
    matching = MatchingOptions(rule="synonyms")
    options = DraftingOptions(strategy="two-step", vocabulary="open")
    stage = DraftStage(BackendSpec(name="llamacpp"), options, 2, extractor, matching)
    assert stage.describe()["matching"]["rule"] == "synonyms"
    run_stage(tmp_path, stage, cut([Sample("0-0", (effusion, lobe))], 5), LocalExecutor())
    (sample,) = read(tmp_path / "drafts")
    first, second = sample.provenance["draft"]["attempts"]
    assert "findings lacks: effusions" in first["reasons"]
    assert "findings adds: cardiomegaly" in first["reasons"]
    assert second["reasons"] == []
    matched = [("effusions", "pleural effusion", "synonyms")]
    record = sample.provenance["verification"]
    assert record["extractor"] == "rate-ner"
    assert [(m["planned"], m["found"], m["rule"]) for m in record["impression"]] == matched
    assert [(m["planned"], m["found"], m["rule"]) for m in record["findings"]] == [
        ("left lower lobe", "left lower lobe", "surface"),
        *matched,
    ]
