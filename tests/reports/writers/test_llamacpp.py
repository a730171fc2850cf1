"""The real engine with the real model: grammars are obeyed, order is kept, faults are one line."""

import math

import pytest
from pydantic import ValidationError

from syncxr.errors import SyncxrError
from syncxr.registry import BackendSpec, build
from syncxr.reports import WRITERS
from syncxr.reports.grammar import Grammar, Text, parse
from syncxr.reports.writer import Prompt
from syncxr.reports.writers.llamacpp import LlamaCppOptions, LlamaCppWriter


@pytest.fixture(scope="module")
def writer() -> LlamaCppWriter:
    built: LlamaCppWriter = build("writer", WRITERS, BackendSpec(name="llamacpp"))
    return built


def test_completions_obey_their_own_grammars_in_order(writer: LlamaCppWriter) -> None:
    sides = ["left", "right", "left", "right", "left"]
    grammars = [Grammar(parse(f"(small|large) {side} [pleural] effusion.")) for side in sides]
    prompts = [
        Prompt(f"{i % 2} Chest film:", grammar, seed=i) for i, grammar in enumerate(grammars)
    ]
    completions = list(writer.write(prompts))
    for grammar, completion in zip(grammars, completions, strict=True):
        assert grammar.accepts(completion.text)
        assert 5 <= completion.tokens <= 12


def test_without_a_grammar_the_length_is_bounded(writer: LlamaCppWriter) -> None:
    (completion,) = writer.write([Prompt("Once upon a time", max_tokens=5)])
    assert 1 <= completion.tokens <= 5
    assert 4 <= completion.prompt_tokens <= 6
    assert completion.failure == "cut off at 5 tokens"


def test_a_completion_ends_before_its_stop(writer: LlamaCppWriter) -> None:
    prompt = Prompt("1, 2, 3, 4, 5, 6,", max_tokens=60, temperature=0, stop=("10",))
    (completion,) = writer.write([prompt])
    assert "9" in completion.text and "10" not in completion.text
    assert completion.failure == ""


def test_nothing_to_write(writer: LlamaCppWriter) -> None:
    assert list(writer.write([])) == []


def test_log_probabilities_prefer_sense(writer: LlamaCppWriter) -> None:
    prompt = "The capital of France is"
    good, bad = (
        writer.log_probabilities(prompt, Grammar(Text(word))) for word in ("Paris", "blood")
    )
    assert all(math.isfinite(value) and value <= 0 for value in (*good, *bad))
    assert good[0] > bad[0] + 3


def test_missing_model_is_one_line(tmp_path) -> None:  # type: ignore[no-untyped-def]
    writer = LlamaCppWriter(LlamaCppOptions(model=tmp_path / "none.gguf"))
    with pytest.raises(SyncxrError, match=r"none\.gguf does not exist; give a GGUF file"):
        list(writer.write([Prompt("x")]))


def test_a_file_that_is_no_model_is_one_line(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "bad.gguf"
    path.write_bytes(b"not a model")
    with pytest.raises(SyncxrError, match="cannot load"):
        LlamaCppWriter(LlamaCppOptions(model=path)).write([Prompt("x")])


def test_unknown_options_are_refused() -> None:
    with pytest.raises(ValidationError):
        LlamaCppOptions(speed=3)  # type: ignore[call-arg]
