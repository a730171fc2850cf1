"""A real llama.cpp server in a process of its own: forms are kept, probabilities come back."""

import math
from collections.abc import Iterator

import pytest
from chat_servers import llama_server
from pydantic import BaseModel

from syncxr.chat.messages import ChatFailure, ChatReply, ChatRequest, text_message
from syncxr.chat.options import ChatOptions
from syncxr.chat.server import ChatServer
from syncxr.reports.grammar import Grammar, parse


@pytest.fixture(scope="module")
def server() -> Iterator[ChatServer]:
    with llama_server() as url:
        yield ChatServer(ChatOptions(base_url=url, model="smollm2", engine="llamacpp"))


class Answers(BaseModel):
    frontal: bool
    human: bool


def test_every_form_is_kept_and_order_with_it(server: ChatServer) -> None:
    grammar = Grammar(parse("(small|large) (left|right) [pleural] effusion."))
    ask = [text_message("Describe the radiograph.")]
    replies = list(
        server.ask(
            [
                ChatRequest(ask, grammar=grammar),
                ChatRequest(ask, schema=Answers),
                ChatRequest(ask, choices=('say "yes"', "say no")),
                ChatRequest(ask, grammar=grammar, seed=1),
            ]
        )
    )
    assert all(isinstance(reply, ChatReply) for reply in replies)
    texts = [getattr(reply, "text", "") for reply in replies]
    assert grammar.accepts(texts[0]) and grammar.accepts(texts[3])
    assert Answers.model_validate_json(texts[1])
    assert texts[2] in ('say "yes"', "say no")


def test_probabilities_of_one_token(server: ChatServer) -> None:
    ask = [text_message("Is the sky blue? Answer yes or no.")]
    (reply,) = server.ask([ChatRequest(ask, max_tokens=1, temperature=0, top_logprobs=5)])
    assert isinstance(reply, ChatReply) and reply.tokens == 1
    (token,) = reply.logprobs
    assert len(token.top) == 5
    assert token.text in token.top and token.logprob == pytest.approx(max(token.top.values()))
    assert 0 < sum(math.exp(value) for value in token.top.values()) <= 1


def test_a_reply_that_is_cut_off_is_no_reply(server: ChatServer) -> None:
    story = [text_message("Write a long story.")]
    (failure,) = server.ask([ChatRequest(story, max_tokens=4)])
    assert isinstance(failure, ChatFailure) and failure.attempts == 3
    assert failure.reason == "the reply was cut off at 4 tokens"


def test_a_reply_ends_before_its_stop(server: ChatServer) -> None:
    count = [text_message("Count: one, two, three, four, five, six.")]
    (reply,) = server.ask([ChatRequest(count, temperature=0, stop=("four",))])
    assert isinstance(reply, ChatReply) and "four" not in reply.text


def test_the_server_says_what_it_has(server: ChatServer) -> None:
    (name,) = server.models()
    assert name.endswith(".gguf")
