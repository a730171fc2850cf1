"""A real Llama, two layers deep: batches, templates, seeds, ends."""

import json
from pathlib import Path

import pytest
import torch
from tiny_llama import save_tiny_llama
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from syncxr.errors import SyncxrError
from syncxr.registry import BackendSpec, build
from syncxr.reports import WRITERS
from syncxr.reports.grammar import Grammar, Text
from syncxr.reports.writer import Prompt
from syncxr.reports.writers.transformers import Draws, TransformersWriter

PROMPTS = [
    Prompt("The heart is", max_tokens=12, seed=0),
    Prompt("Write FINDINGS: one two three four five six, the lungs are", max_tokens=12, seed=1),
    Prompt("No", max_tokens=12, seed=2),
    Prompt("There is a small left", max_tokens=12, seed=3, temperature=0),
    Prompt("The lungs are clear; there is", max_tokens=12, seed=4, temperature=0.5),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_llama(tmp_path_factory.mktemp("llama"))


def load(folder: Path, **options: object) -> TransformersWriter:
    spec = BackendSpec.model_validate(
        {"name": "transformers", "model": str(folder), "device": "cpu", **options}
    )
    writer: TransformersWriter = build("writer", WRITERS, spec)
    return writer


def test_texts_do_not_depend_on_the_batch(folder: Path) -> None:
    alone = list(load(folder, batch_size=1).write(PROMPTS))
    together = list(load(folder, batch_size=len(PROMPTS)).write(PROMPTS))
    mixed = list(load(folder, batch_size=2).write(PROMPTS[::-1]))[::-1]
    assert alone == together == mixed
    assert len({completion.text for completion in alone}) == len(PROMPTS)


def test_the_likeliest_text_is_the_librarys_own(folder: Path) -> None:
    """Against a slow reference: one prompt, no padding, the model's own greedy search."""
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    model = LlamaForCausalLM.from_pretrained(folder).eval()
    prompts = [Prompt(prompt.text, max_tokens=8, temperature=0) for prompt in PROMPTS]
    for prompt, completion in zip(prompts, load(folder, batch_size=5).write(prompts), strict=True):
        tokens = tokenizer(prompt.text, return_tensors="pt").input_ids
        for _ in range(8):
            best = model(tokens).logits[0, -1].argmax()
            if int(best) == tokenizer.eos_token_id:
                break
            tokens = torch.cat([tokens, best.view(1, 1)], dim=1)
        length = len(tokenizer(prompt.text).input_ids)
        assert completion.text == tokenizer.decode(tokens[0, length:], skip_special_tokens=True)


@pytest.mark.parametrize("temperature", [0.5, 1.0])
def test_tokens_are_drawn_as_likely_as_they_are(temperature: float) -> None:
    logits = torch.tensor([1.0, -2.0, 0.5, -torch.inf, 2.0])
    prompts = [Prompt("x", seed=seed, temperature=temperature) for seed in range(4000)]
    chosen = Draws(prompts)(torch.empty(0), logits.expand(len(prompts), -1)).argmax(1)
    shares = torch.bincount(chosen, minlength=5) / len(prompts)
    assert torch.allclose(shares, (logits / temperature).softmax(0), atol=0.03)
    assert shares[3] == 0


def test_another_seed_gives_another_text(folder: Path) -> None:
    prompts = [Prompt("The heart is", max_tokens=8, seed=seed) for seed in range(5)]
    assert len({completion.text for completion in load(folder).write(prompts)}) == 5


def test_a_text_ends_before_its_stop_or_is_called_cut_off(folder: Path) -> None:
    writer = load(folder, batch_size=3)
    (free,) = writer.write([PROMPTS[1]])
    assert free.failure == "cut off at 12 tokens" and free.tokens == 12
    stop = free.text[5:7]
    stopped, whole = writer.write(
        [Prompt(PROMPTS[1].text, max_tokens=12, seed=1, stop=(stop,)), PROMPTS[1]]
    )
    assert stopped.text == free.text[: free.text.index(stop)] and stopped.failure == ""
    assert whole.text.startswith(stopped.text)


def test_each_prompt_has_its_own_length(folder: Path) -> None:
    short, long = load(folder, batch_size=2).write(
        [Prompt("The heart is", max_tokens=3, seed=1), Prompt("No", max_tokens=9, seed=2)]
    )
    assert (short.tokens, long.tokens) == (3, 9)
    # What is padded is not read.
    assert 0 < long.prompt_tokens < short.prompt_tokens


def test_the_chat_template_is_used_where_there_is_one(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    call = PreTrainedTokenizerFast.__call__

    def note(self: PreTrainedTokenizerFast, texts: list[str], **more: object) -> object:
        seen.extend(texts)
        return call(self, texts, **more)

    monkeypatch.setattr(PreTrainedTokenizerFast, "__call__", note)
    list(load(save_tiny_llama(tmp_path, chat=True)).write(PROMPTS[:1]))
    list(load(folder).write(PROMPTS[:1]))
    assert seen == ["<user>The heart is</s><reply>", "The heart is"]


def test_a_grammar_is_refused(folder: Path) -> None:
    prompt = Prompt("x", grammar=Grammar(Text("No effusion.")))
    with pytest.raises(SyncxrError, match="two-step"):
        list(load(folder).write([prompt]))


def test_provenance_names_the_weights(folder: Path) -> None:
    record = json.loads(json.dumps(load(folder, batch_size=4).provenance()))
    assert record["model"] == folder.name and len(record["sha256"]) == 64
    assert record["dtype"] == "float32" and record["batch_size"] == 4


def test_a_missing_model_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SyncxrError, match=r"holds no config\.json"):
        load(tmp_path)
