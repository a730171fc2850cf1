"""Both strategies through a real llama.cpp server; faults and secrets through a made one."""

import json
from collections.abc import Iterator

import anyio
import pytest
from chat_servers import FaultyServer, llama_server

from syncxr.entities.lexicon import load_lexicon
from syncxr.errors import SyncxrError
from syncxr.registry import BackendSpec, build
from syncxr.reports import WRITERS
from syncxr.reports.drafting import DraftingOptions, DraftRequest, draft, provenance
from syncxr.reports.verification import verify_findings, verify_impression
from syncxr.reports.writer import Completion, Prompt
from syncxr.reports.writers.chat import ChatWriter
from syncxr.sample import Category, Entity, Polarity

LEXICON = load_lexicon()
ENTITIES = (
    LEXICON.concepts["pleural effusion"].entity(Polarity.PRESENT, "left", "mild"),
    LEXICON.concepts["pneumothorax"].entity(Polarity.ABSENT),
    Entity("heart", Category.ANATOMY, Polarity.ABSENT),
)


def load(url: str, **options: object) -> ChatWriter:
    spec = {"name": "chat", "base_url": url, "model": "smollm2", **options}
    writer: ChatWriter = build("writer", WRITERS, BackendSpec.model_validate(spec))
    return writer


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with llama_server() as url:
        yield url


def test_reports_held_to_a_grammar_verify(server: str) -> None:
    requests = [DraftRequest(f"chat-{i}", ENTITIES[i:], i) for i in range(3)]
    drafts = list(draft(requests, load(server, engine="llamacpp")))
    for request, written in zip(requests, drafts, strict=True):
        assert written.id == request.id and written.failure == "" and written.tokens > 5
        assert verify_findings(written.findings, request.entities) == ()
        assert verify_impression(written.impression, request.entities) == ()


def test_two_free_steps_give_text_for_both_sections(server: str) -> None:
    requests = [DraftRequest("free", ENTITIES[1:2], 3)]
    options = DraftingOptions(strategy="two-step", temperature=0.3)
    # Whatever the small model says is taken here, so that both steps are gone.
    (written,) = draft(requests, load(server), options, lambda *_: ())
    assert written.findings and written.impression and written.failure == ""
    assert "\n" not in written.findings + written.impression


def test_a_server_without_grammars_is_told_apart_before_any_request() -> None:
    with (
        FaultyServer(lambda *_: "fine") as server,
        pytest.raises(SyncxrError, match="takes no grammar"),
    ):
        list(draft([DraftRequest("x", ENTITIES, 1)], load(server.url)))
    assert server.requests == []


def test_a_grammar_that_the_server_ignored_is_noticed() -> None:
    with FaultyServer(lambda *_: "The heart is fine, I think.") as server:
        writer = load(server.url, engine="vllm", answers=2)
        (written,) = draft([DraftRequest("x", ENTITIES, 1)], writer)
        assert len(server.requests) == 2
        assert "grammar" in server.requests[0]["structured_outputs"]
    assert written.failure == "the reply does not obey the grammar"


def test_failures_come_in_their_place(monkeypatch: pytest.MonkeyPatch) -> None:
    async def sleep(_: float) -> None: ...

    monkeypatch.setattr(anyio, "sleep", sleep)
    with FaultyServer(lambda words, _: "400" if words == "b" else f"{words}!") as server:
        first, second, third = load(server.url).write([Prompt("a"), Prompt("b"), Prompt("c")])
    assert (first, third) == (
        Completion("a!", 1, prompt_tokens=7),
        Completion("c!", 1, prompt_tokens=7),
    )
    assert second.text == "" and "400" in second.failure


def test_what_is_sent() -> None:
    with FaultyServer(lambda *_: "fine") as server:
        list(load(server.url).write([Prompt("words", None, 33, 5, 0.7, ("\n\n",))]))
        (sent,) = server.requests
    assert sent["messages"] == [{"role": "user", "content": "words"}]
    assert (sent["max_tokens"], sent["temperature"], sent["stop"]) == (33, 0.7, ["\n\n"])


def test_provenance_has_neither_key_nor_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_KEY", "sk-very-secret")
    writer = load("http://node7.example:8000/v1", api_key_env="LLM_KEY", engine="vllm")
    record = json.dumps(provenance(writer, DraftingOptions(strategy="two-step")))
    assert json.loads(record)["writer"]["model"] == "smollm2"
    assert "secret" not in record and "node7" not in record
    assert writer.sends_to == ("http://node7.example:8000/v1",)
