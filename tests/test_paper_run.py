"""A run of the paper's preset: its own kinds of models, tiny, each in its real layout or server."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import tiny_diffusion
import tiny_dinov2
import tiny_rate_ner
from chat_servers import FaultyServer
from judge_server import QUESTIONS, serving

from syncxr.cli import main
from syncxr.dataset.reader import read

# Category to the terms of a small world and the sentence that states one: A is an abnormality,
# D a disease, a and d their denials, T an anatomy, as in tiny_rate_ner.
TERMS = {
    "A": ("There is {}.", ["pleural effusion", "cardiomegaly", "opacity"]),
    "D": ("Findings are consistent with {}.", ["pneumonia", "emphysema"]),
    "a": ("No {} is seen.", ["pneumothorax", "consolidation"]),
    "d": ("There are no signs of {}.", ["tuberculosis"]),
    "T": ("The {} is shown.", ["heart", "aorta", "left lung"]),
}
STATED = re.compile(r"([^;]+?) \(([A-Z-]+)\)(?:; |$)")


def examples() -> list[str]:
    """What the tiny RaTE-NER learns, marked."""
    return [
        sentence.format(f"[{term}]({letter})")
        for letter, (sentence, terms) in TERMS.items()
        for term in terms
    ]


def write(prompt: str, before: int) -> str:
    """The language model: a sentence a term; after an anatomy it forgets how to go on."""
    rest, _, heading = prompt.rstrip().rpartition("\n")
    given = rest.rpartition("\n")[2]
    if heading == "IMPRESSION:":
        sentences = re.findall(r"[^ ][^.]*\.", given.removeprefix("FINDINGS: "))
        found = [s for s in sentences if s.startswith(("There is ", "Findings "))]
        return " ".join(found) or sentences[0]
    letters = {str(category): letter for letter, category in tiny_rate_ner.CATEGORIES.items()}
    terms = [(term, letters[name]) for term, name in STATED.findall(given.removeprefix("TERMS: "))]
    if terms[0][1] == "T":
        del terms[1:]
    return " ".join(TERMS[letter][0].format(term) for term, letter in terms)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    return {
        "extractor.model": tiny_rate_ner.saved(folder / "rate-ner", examples()),
        "renderer.model": tiny_diffusion.stable_diffusion(folder / "roentgen"),
        "judge.similarity.model": tiny_dinov2.save(folder / "rad-dino"),
    }


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Reports that say each term."""
    path = tmp_path / "reports.csv"
    texts = [tiny_rate_ner.plain(example)[0] for example in examples()]
    path.write_text("\n".join(["id,text", *(f"r{i},{text}" for i, text in enumerate(texts))]))
    return path


@pytest.fixture
def options(models: dict[str, Path], corpus: Path, tmp_path: Path) -> Iterator[list[str]]:
    """What fills the preset in, and makes it small."""
    small: dict[str, object] = {
        "corpus": corpus,
        "sampling.pairs": 6,
        "sampling.k": 2,
        "sampling.m": 1,
        "sampling.tau_max": "auto",
        "factory.shard_size": 4,
        "renderer.size": 32,
        "renderer.steps": 2,
        "renderer.batch_size": 2,
        "judge.thresholds": json.dumps(dict.fromkeys(QUESTIONS, 0.05)),
        "judge.similarity.threshold": 1.0,
        "judge.similarity.cache": tmp_path / "features",
        **models,
    }
    with FaultyServer(write) as writer, serving("likely", tmp_path / "judge.jsonl") as judge:
        small["writer.base_url"], small["judge.base_url"] = writer.url, judge.url
        yield [f"--set={key}={value}" for key, value in small.items()]


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> str | int | None:
    monkeypatch.setattr(sys, "argv", ["syncxr", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        main()
    return caught.value.code


@pytest.mark.slow
def test_from_a_corpus_to_a_verified_dataset(
    options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    command = ("generate", "--preset", "paper", *options, "-o", out)
    price = tmp_path / "price.json"
    assert run(monkeypatch, *command, "--dry-run", "--json", price) == 0
    assert not out.exists()
    drafts, films = json.loads(price.read_text())["stages"][-2:]
    assert drafts["servers"] and films["servers"], "whose GPUs are not seen is told"

    assert run(monkeypatch, *command) == 0
    assert run(monkeypatch, "verify", out) == 0
    samples = list(read(out / "dataset"))
    assert len(samples) >= 6
    drafts = [sample.provenance["draft"] for sample in samples]
    reasons = [draft["attempts"][0]["reasons"] for draft in drafts]
    assert any(reasons), "no draft was refused"
    assert not any(draft["attempts"][-1]["reasons"] for draft in drafts)
    for sample in samples:
        assert sample.image is not None and sample.image.shape == (32, 32)
        assert len(sample.entities) == 3 and sample.findings and sample.impression
        draft, film = sample.provenance["draft"], sample.provenance["film"]
        assert draft["writer"]["model"] == "meta-llama/Llama-3.1-70B-Instruct"
        assert (film["renderer"], film["judge"]) == ("diffusion", "chat")
        assert set(QUESTIONS) <= set(sample.quality)
        assert "similarity_to_bad" in sample.quality

    # Where servers were is nobody's business, and may be another place next time.
    for path in (out / "config.yaml", out / "dataset" / "manifest.json"):
        assert "127.0.0.1" not in path.read_text()
    moved = [option for option in options if "base_url" not in option]
    nowhere = [f"--set={part}.base_url=http://localhost:9/v1" for part in ("writer", "judge")]
    assert run(monkeypatch, "generate", "--preset", "paper", *moved, *nowhere, "-o", out) == 0
