"""Faults are repeated, reported or end the run, as they deserve; no request is lost."""

import logging
from collections.abc import Callable, Iterator

import anyio
import pytest
from chat_servers import Fault, FaultyServer
from pydantic import BaseModel

from syncxr.chat.messages import ChatFailure, ChatReply, ChatRequest, text_message
from syncxr.chat.options import ChatOptions
from syncxr.chat.server import ChatServer
from syncxr.errors import SyncxrError

KEY = "sk-very-secret-0123456789"


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the client meant to wait before each repetition; it does not wait."""
    seconds: list[float] = []

    async def note(delay: float) -> None:
        seconds.append(delay)

    monkeypatch.setattr(anyio, "sleep", note)
    return seconds


def connect(server: FaultyServer, **more: object) -> ChatServer:
    options = {"timeout": 0.5, "retries": 2, "answers": 2, **more}
    return ChatServer(ChatOptions.model_validate({"base_url": server.url, "model": "m", **options}))


def questions(*words: str) -> list[ChatRequest]:
    return [ChatRequest([text_message(each)], max_tokens=9) for each in words]


def once(fault: Fault) -> Callable[[str, int], Fault]:
    """Sample "b" meets the fault the first time; all else is answered well."""
    return lambda words, before: fault if words == "b" and before == 0 else f"reply to {words}"


def always(fault: Fault) -> Callable[[str, int], Fault]:
    return lambda words, before: fault if words == "b" else f"reply to {words}"


SERVER_FAULTS = (
    "429",
    "429, Retry-After",
    "500",
    "503",
    "hang",
    "dropped connection",
    "truncated body",
)
ANSWER_FAULTS = (
    "no choice",
    "empty choice",
    "null content",
    "not JSON",
    "not a completion",
    "cut off",
)


@pytest.mark.parametrize("fault", [*SERVER_FAULTS, *ANSWER_FAULTS])
def test_a_fault_that_passes_costs_one_repetition(fault: Fault, pauses: list[float]) -> None:
    with FaultyServer(once(fault)) as server:
        replies = list(connect(server).ask(questions("a", "b", "c")))
        assert [server.came(words) for words in "abc"] == [1, 2, 1]
    assert all(isinstance(reply, ChatReply) for reply in replies)
    assert [getattr(reply, "text", "") for reply in replies] == [f"reply to {w}" for w in "abc"]
    assert len(pauses) == (fault in SERVER_FAULTS)


@pytest.mark.parametrize(
    ("fault", "reason", "times"),
    [
        ("429", "Error code: 429", 3),
        ("429, Retry-After", "Error code: 429", 3),
        ("500", "Error code: 500", 3),
        ("hang", "timed out", 3),
        ("dropped connection", "Connection error", 3),
        ("truncated body", "Connection error", 3),
        ("no choice", "holds no choice", 2),
        ("empty choice", "reply is empty", 2),
        ("null content", "reply is empty", 2),
        ("not JSON", "no chat completion", 2),
        ("not a completion", "no chat completion", 2),
        ("cut off", "cut off at 9 tokens", 2),
        ("400", "Error code: 400", 1),
    ],
)
def test_a_fault_that_stays_is_reported_in_its_place(
    fault: Fault, reason: str, times: int, pauses: list[float]
) -> None:
    with FaultyServer(always(fault)) as server:
        client = connect(server)
        # One answer first: a server that has never answered is taken for none.
        assert len(list(client.ask(questions("first")))) == 1
        replies = list(client.ask(questions("a", "b", "c")))
        assert [server.came(words) for words in "abc"] == [1, times, 1]
    good, bad, fine = replies
    assert isinstance(good, ChatReply) and isinstance(fine, ChatReply)
    assert isinstance(bad, ChatFailure) and reason in bad.reason


def test_retry_after_is_honoured(pauses: list[float]) -> None:
    with FaultyServer(once("429, Retry-After")) as server:
        list(connect(server).ask(questions("b")))
    assert pauses == [7.0]


def test_pauses_grow_and_are_never_the_same(pauses: list[float]) -> None:
    with FaultyServer(always("500")) as server, pytest.raises(SyncxrError):
        list(connect(server, retries=6).ask(questions("b")))
    assert len(pauses) == 6
    for number, pause in enumerate(pauses):
        longest = min(0.5 * 2**number, 8.0)
        assert 0.75 * longest <= pause <= longest
    assert len(set(pauses)) == 6


def test_another_answer_is_asked_for_with_another_seed() -> None:
    with FaultyServer(once("cut off")) as server:
        (reply,) = connect(server).ask(questions("b"))
        first, second = (request["seed"] for request in server.requests)
    assert first != second and 0 <= first < 2**31 and 0 <= second < 2**31
    assert isinstance(reply, ChatReply) and reply.attempts == 2


@pytest.mark.parametrize(
    ("fault", "remedy"),
    [("401", "api_key_env"), ("404", "and model"), ("redirect", "that base_url is right")],
)
def test_a_fault_of_the_configuration_ends_the_run_at_once(
    fault: Fault, remedy: str, pauses: list[float]
) -> None:
    with FaultyServer(always(fault)) as server, pytest.raises(SyncxrError, match=remedy):
        list(connect(server).ask(questions("b")))
    assert server.came("b") == 1 and pauses == []


@pytest.mark.parametrize("fault", ["500", "hang", "dropped connection"])
def test_a_server_that_never_answered_is_none(fault: Fault, pauses: list[float]) -> None:
    with (
        FaultyServer(lambda *_: fault) as server,
        pytest.raises(SyncxrError, match="start the same command again"),
    ):
        list(connect(server).ask(questions("a", "b")))


def test_a_server_that_stops_answering_ends_the_run(pauses: list[float]) -> None:
    fails = set()

    def script(words: str, before: int) -> Fault:
        return "503" if words in fails else "fine"

    with FaultyServer(script) as server:
        client = connect(server, retries=0, concurrency=1)
        assert len(list(client.ask(questions("a")))) == 1
        fails |= {str(number) for number in range(30)}
        with pytest.raises(SyncxrError, match="503"):
            list(client.ask(questions(*sorted(fails))))
        # What was under way when the last straw came may have been sent as well.
        assert 20 <= sum(server.came(words) for words in fails) <= 22


def test_nobody_at_the_address(pauses: list[float]) -> None:
    with FaultyServer(lambda *_: "fine") as server:
        url = server.url
    client = ChatServer(ChatOptions(base_url=url, model="m", retries=1))
    with pytest.raises(SyncxrError, match=r"Connection error.*ConnectError.*see that it runs"):
        list(client.ask(questions("a")))


def test_order_is_kept_and_the_limit_of_requests_under_way() -> None:
    words = [str(number) for number in range(60)]
    with FaultyServer(lambda words, _: f"<{words}>") as server:
        client = connect(server, concurrency=3)
        replies = list(client.ask(iter(questions(*words))))
        assert server.most_under_way <= 3
    assert [getattr(reply, "text", "") for reply in replies] == [f"<{w}>" for w in words]


def test_requests_are_taken_as_there_is_room() -> None:
    taken = 0

    def stream() -> Iterator[ChatRequest]:
        nonlocal taken
        for request in questions(*map(str, range(1000))):
            taken += 1
            yield request

    with FaultyServer(lambda *_: "fine") as server:
        replies = connect(server, concurrency=2).ask(stream())
        next(replies)
        assert taken <= 8
        replies.close()  # type: ignore[attr-defined]
        assert len(server.requests) < 20


class Verdict(BaseModel):
    frontal: bool
    quality: float


def test_a_form_is_asked_for_and_checked() -> None:
    good = '{"frontal": true, "quality": 0.5}'
    words = {"plain": "certainly!", "json": good, "wrong": '{"frontal": 3}'}
    with FaultyServer(lambda prompt, _: words[prompt]) as server:
        asked = [ChatRequest([text_message(prompt)], schema=Verdict) for prompt in words]
        plain, fine, wrong = connect(server).ask(asked)
        sent = server.requests[0]["response_format"]
    assert sent["json_schema"]["schema"]["required"] == ["frontal", "quality"]
    assert isinstance(fine, ChatReply) and Verdict.model_validate_json(fine.text).frontal
    assert isinstance(plain, ChatFailure) and "not the JSON asked for" in plain.reason
    assert isinstance(wrong, ChatFailure) and "frontal" in wrong.reason


def test_the_key_is_in_the_header_and_nowhere_else(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, pauses: list[float]
) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-another-service")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-another-service")
    caplog.set_level(logging.DEBUG)
    shown = []
    with FaultyServer(lambda words, _: {"b": "400", "d": "401"}.get(words, "fine")) as server:
        client = connect(server, api_key_env="MY_KEY")
        replies = list(client.ask(questions("a", "b")))
        with pytest.raises(SyncxrError) as caught:
            list(client.ask(questions("d")))
        assert {headers["authorization"] for headers in server.headers} == {f"Bearer {KEY}"}
        assert "another-service" not in str(server.headers)
        assert "openai-organization" not in server.headers[0]
        shown += [repr(client), repr(client.options), client.options.model_dump_json()]
    shown += [repr(replies), str(caught.value), repr(caught.value.__context__), caplog.text]
    # The server said it back in both errors.
    assert "[key]" in repr(replies) and "[key]" in str(caught.value)
    assert [text for text in shown if KEY in text] == []


def test_no_key_is_asked_of_the_environment_unless_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-another-service")
    with FaultyServer(lambda *_: "fine") as server:
        list(connect(server).ask(questions("a")))
    assert "another-service" not in str(server.headers)


def test_a_missing_key_is_told_before_any_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MY_KEY", raising=False)
    with pytest.raises(SyncxrError, match="MY_KEY"):
        ChatServer(ChatOptions(base_url="http://localhost:1/v1", model="m", api_key_env="MY_KEY"))
