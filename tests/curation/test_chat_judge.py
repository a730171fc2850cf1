"""The chat judge against a real server process that sees real films."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import judge_server
import numpy as np
import pytest
import tiny_internvl
from judge_server import Running, likelihood, serving

from syncxr.curation import JUDGES
from syncxr.curation.chat_judge import ChatJudge
from syncxr.curation.judge import QUESTIONS, UNANSWERED
from syncxr.curation.local_judge import LocalJudge, LocalJudgeOptions
from syncxr.curation.questions import load_wording
from syncxr.errors import SyncxrError
from syncxr.registry import BackendSpec, build

FILMS = [tiny_internvl.film(bright, number) for number in range(3) for bright in (True, False)]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[str], Running]]:
    with ExitStack() as stack:
        yield lambda mode: stack.enter_context(serving(mode, tmp_path / "requests.jsonl"))


def judge(server: Running, **options: Any) -> ChatJudge:
    chosen = {"base_url": server.url, "model": "tiny", "retries": 0, "answers": 1, **options}
    made: ChatJudge = build("judge", JUDGES, BackendSpec(name="chat", **chosen))
    return made


def expected(film: np.ndarray) -> dict[str, float]:
    return {name: likelihood(film.mean(), number) for number, name in enumerate(QUESTIONS)}


@pytest.mark.parametrize("ask", ["each", "all"])
def test_probabilities_travel_over_http(serve: Callable[[str], Running], ask: str) -> None:
    verdicts = judge(serve("likely"), ask=ask).judge(FILMS)
    for film, verdict in zip(FILMS, verdicts, strict=True):
        assert verdict.answers == pytest.approx(expected(film))
        assert set(verdict.reasons) == {n for n, p in expected(film).items() if p < 0.5}
        assert verdict.similarity is None
    assert verdicts[0].passed and set(verdicts[1].reasons) == set(QUESTIONS)


@pytest.mark.parametrize("ask", ["each", "all"])
@pytest.mark.parametrize("mode", ["plain", "likely"])
def test_without_log_probabilities_the_word_is_the_answer(
    serve: Callable[[str], Running], mode: str, ask: str
) -> None:
    verdicts = judge(serve(mode), ask=ask, logprobs=mode == "plain").judge(FILMS)
    for film, verdict in zip(FILMS, verdicts, strict=True):
        assert verdict.answers == {n: float(p > 0.5) for n, p in expected(film).items()}


def test_each_question_is_one_call_with_the_film_first(serve: Callable[[str], Running]) -> None:
    server = serve("likely")
    judge(server, concurrency=1).judge(FILMS[:2])
    asked = server.requests()
    wording = load_wording()
    texts = [body["messages"][0]["content"][1]["text"] for body in asked]
    assert texts == [wording.each(question) for question in QUESTIONS] * 2
    assert [body["film"] for body in asked] == [
        [[64, 64], pytest.approx(float(film.mean()))] for film in FILMS[:2] for _ in QUESTIONS
    ]
    assert all(body["temperature"] == 0 and body["top_logprobs"] == 20 for body in asked)


def test_all_questions_are_one_call_a_film(serve: Callable[[str], Running]) -> None:
    server = serve("likely")
    judge(server, ask="all", concurrency=1).judge(FILMS)
    asked = server.requests()
    assert len(asked) == len(FILMS)
    schema = asked[0]["response_format"]["json_schema"]["schema"]
    assert list(schema["properties"]) == list(QUESTIONS) == schema["required"]


def test_what_is_neither_yes_nor_no_is_asked_again(serve: Callable[[str], Running]) -> None:
    server = serve("hesitant")
    verdicts = judge(server, engine="vllm").judge(FILMS[:2])
    assert verdicts[0].answers == pytest.approx(expected(FILMS[0]))
    again = [body for body in server.requests() if body["temperature"] > 0]
    assert len(again) == 12
    assert {"yes", "no"} <= set(again[0]["structured_outputs"]["choice"])


def test_a_reply_of_another_form_is_asked_for_again(serve: Callable[[str], Running]) -> None:
    server = serve("broken")
    verdicts = judge(server, ask="all", answers=3).judge(FILMS[:1])
    assert verdicts[0].answers == pytest.approx(expected(FILMS[0]))
    assert len(server.requests()) == 3


@pytest.mark.parametrize("ask", ["each", "all"])
def test_a_model_that_never_answers_ends_the_run(serve: Callable[[str], Running], ask: str) -> None:
    with pytest.raises(SyncxrError, match=r"'tiny' gives no answers \(.+\); it must see images"):
        judge(serve("wordy"), ask=ask).judge(FILMS)


def test_a_film_without_an_answer_does_not_pass(serve: Callable[[str], Running]) -> None:
    """And the others are judged all the same."""
    verdicts = judge(serve("partly"), thresholds=dict.fromkeys(QUESTIONS, 0.0)).judge(FILMS)
    for film, verdict in zip(FILMS, verdicts, strict=True):
        if film.mean() > 127:
            assert verdict.answers == {} and verdict.reasons == (UNANSWERED,)
        else:
            assert verdict.passed and verdict.answers == pytest.approx(expected(film))


def test_a_server_without_log_probabilities_says_what_to_do(
    serve: Callable[[str], Running],
) -> None:
    server = serve("refusing")
    with pytest.raises(SyncxrError, match="logprobs are not supported"):
        judge(server).judge(FILMS[:1])
    assert judge(server, logprobs=False).judge(FILMS[:1])[0].passed


def test_thresholds_and_deciding_questions_are_options(serve: Callable[[str], Running]) -> None:
    server = serve("likely")
    chances = expected(FILMS[0])
    strict = judge(server, thresholds={"human": chances["human"] + 1e-6}).judge(FILMS[:1])
    assert strict[0].reasons == ("human",)
    [lax] = judge(server, deciding=["chest"], thresholds={"human": 1.0}).judge(FILMS[:1])
    assert lax.passed and lax.answers == pytest.approx(chances)


def test_similarity_is_another_option(serve: Callable[[str], Running]) -> None:
    made = judge(serve("likely"), similarity={"features": "inspector", "threshold": -1.0})
    verdicts = made.judge(FILMS[:2])
    assert all("similar_to_bad" in verdict.reasons for verdict in verdicts)
    assert all(-1 <= verdict.scores["similarity_to_bad"] <= 1 for verdict in verdicts)


def test_it_says_where_films_go_and_what_they_were_asked(
    serve: Callable[[str], Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve("likely")
    monkeypatch.setenv("JUDGE_KEY", "secret-key")
    made = judge(server, api_key_env="JUDGE_KEY")
    assert made.sends_to == (server.url,)
    assert made.record["questions_sha256"] == load_wording().sha256
    assert "secret" not in f"{made.record} {made!r} {made.options!r}"


def test_no_server_is_a_fault_in_one_line() -> None:
    made = judge(Running("http://127.0.0.1:9/v1", Path()))
    with pytest.raises(SyncxrError, match="see that it runs"):
        made.judge(FILMS[:1])


@pytest.mark.slow
def test_a_real_model_behind_the_server_says_what_it_says_in_process(
    internvl: Path, serve: Callable[[str], Running]
) -> None:
    served = judge(serve(str(internvl))).judge(FILMS)
    local = LocalJudge(LocalJudgeOptions(model=str(internvl), device="cpu")).judge(FILMS)
    for film, one, two in zip(FILMS, served, local, strict=True):
        truth = {question: tiny_internvl.truth(question, film) for question in QUESTIONS}
        assert {name: answer > 0.9 for name, answer in one.answers.items()} == truth
        # Alone here, with five other questions there.
        assert one.answers == pytest.approx(two.answers, abs=1e-4)
        assert one.reasons == two.reasons


def test_the_server_knows_the_questions() -> None:
    assert tuple(QUESTIONS) == judge_server.QUESTIONS
