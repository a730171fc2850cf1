"""What is passed to vLLM, by a double of the classes of vLLM 0.33 with their field names.

``pip install vllm`` and a GPU would test more: no model runs here.
"""

import json
import sys
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from tiny_llama import CHAT, save_tiny_llama

from syncxr.errors import SyncxrError
from syncxr.registry import BackendSpec, build
from syncxr.reports import WRITERS
from syncxr.reports.grammar import Grammar, Text
from syncxr.reports.writer import Completion, Prompt


@dataclass
class StructuredOutputsParams:
    grammar: str | None = None


@dataclass
class SamplingParams:
    temperature: float = 1.0
    seed: int | None = None
    max_tokens: int | None = 16
    stop: list[str] = field(default_factory=list)
    structured_outputs: StructuredOutputsParams | None = None


class LLM:
    chat_template: str | None = None
    calls: list[tuple[str, Any]] = []  # noqa: RUF012
    replies: dict[str, tuple[str, str]] = {}  # noqa: RUF012

    def __init__(
        self,
        model: str,
        *,
        dtype: str,
        tensor_parallel_size: int,
        max_model_len: int,
        gpu_memory_utilization: float,
        enable_prefix_caching: bool,
        trust_remote_code: bool,
        revision: str | None = None,
    ) -> None:
        self.calls.append(("LLM", (model, tensor_parallel_size, max_model_len)))

    def get_tokenizer(self) -> SimpleNamespace:
        return SimpleNamespace(chat_template=self.chat_template)

    def generate(self, texts: list[str], settings: list[SamplingParams], *, use_tqdm: bool) -> Any:
        self.calls.append(("generate", settings))
        return [self._reply(text) for text in texts]

    def chat(self, messages: list[Any], settings: list[SamplingParams], use_tqdm: bool) -> Any:
        self.calls.append(("chat", settings))
        assert all(message["role"] == "user" for (message,) in messages)
        return [self._reply(message["content"]) for (message,) in messages]

    def _reply(self, text: str) -> SimpleNamespace:
        words, reason = self.replies.get(text, (f"reply to {text}", "stop"))
        output = SimpleNamespace(text=words, token_ids=words.split(), finish_reason=reason)
        return SimpleNamespace(outputs=[output])


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> type[LLM]:
    vllm, sampling = ModuleType("vllm"), ModuleType("vllm.sampling_params")
    vllm.__version__ = "0.33.0"  # type: ignore[attr-defined]
    vllm.LLM, vllm.SamplingParams = LLM, SamplingParams  # type: ignore[attr-defined]
    sampling.StructuredOutputsParams = StructuredOutputsParams  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "vllm", vllm)
    monkeypatch.setitem(sys.modules, "vllm.sampling_params", sampling)
    monkeypatch.delitem(sys.modules, "syncxr.reports.writers.vllm", raising=False)
    monkeypatch.setattr(LLM, "calls", [])
    monkeypatch.setattr(LLM, "replies", {})
    import_module("syncxr.reports.writers.vllm")
    return LLM


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_llama(tmp_path_factory.mktemp("llama"))


def load(folder: Path, **options: object) -> Any:
    spec = BackendSpec.model_validate({"name": "vllm", "model": str(folder), **options})
    return build("writer", WRITERS, spec)


@pytest.mark.parametrize(("template", "call"), [(None, "generate"), (CHAT, "chat")])
def test_a_shard_is_one_call(
    engine: type[LLM],
    folder: Path,
    template: str | None,
    call: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine, "chat_template", template)
    prompts = [
        Prompt("a", max_tokens=20, seed=2**63 - 1, temperature=0.7, stop=("\n\n",)),
        Prompt("b"),
    ]
    writer = load(folder, tensor_parallel_size=4)
    assert list(writer.write(prompts)) == [
        Completion("reply to a", 3),
        Completion("reply to b", 3),
    ]
    (_, loaded), (name, settings) = engine.calls
    assert loaded == (str(folder), 4, 4096) and name == call
    assert settings == [
        SamplingParams(0.7, 2**63 - 1, 20, ["\n\n"]),
        SamplingParams(1.0, 0, 256, []),
    ]
    list(writer.write(prompts))
    assert [name for name, _ in engine.calls].count("LLM") == 1


def test_grammars_are_passed_and_checked(engine: type[LLM], folder: Path) -> None:
    grammar = Grammar(Text("No effusion."))
    engine.replies |= {"good": (" No effusion.", "stop"), "bad": ("Effusion!", "stop")}
    good, bad = load(folder).write([Prompt("good", grammar), Prompt("bad", grammar)])
    settings = engine.calls[-1][1]
    assert settings[0].structured_outputs == StructuredOutputsParams(grammar.gbnf())
    assert good.failure == "" and bad.failure == "the text does not obey the grammar"


def test_a_text_that_is_cut_off_is_told(engine: type[LLM], folder: Path) -> None:
    engine.replies |= {"a": ("The heart", "length")}
    (cut,) = load(folder).write([Prompt("a", max_tokens=2)])
    assert cut == Completion("The heart", 2, "cut off at 2 tokens")


def test_nothing_to_write_loads_nothing(engine: type[LLM], folder: Path) -> None:
    assert list(load(folder).write([])) == [] and engine.calls == []


def test_provenance(engine: type[LLM], folder: Path) -> None:
    record = json.loads(json.dumps(load(folder).provenance()))
    assert record["engine"] == "vllm 0.33.0" and record["model"] == folder.name


def test_without_vllm_one_line_says_what_to_install(folder: Path) -> None:
    sys.modules.pop("syncxr.reports.writers.vllm", None)
    with pytest.raises(SyncxrError, match="pip install '?vllm'?"):
        load(folder)
