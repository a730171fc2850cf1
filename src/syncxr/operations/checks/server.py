"""A chat server: is it up, has it the model, does it keep to a form, does it tell probabilities.

Nothing of any corpus is sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from syncxr.chat.messages import ChatFailure, ChatReply, ChatRequest, text_message
from syncxr.chat.options import ChatOptions
from syncxr.operations.findings import Finding

if TYPE_CHECKING:
    from syncxr.chat.server import ChatServer

_TIMEOUT = 60.0


class Colours(BaseModel):
    """A form that no model keeps to unless it is made to."""

    model_config = ConfigDict(extra="forbid")

    first: Literal["red", "green", "blue"]
    second: Literal["red", "green", "blue"]


def server(group: str, user: str, options: ChatOptions) -> Iterator[Finding]:
    """Ask a server four small things.

    Args:
        group: Heading of the findings.
        user: Who uses it: ``"writer"``, ``"judge"``.
        options: Of the backend that uses it.

    Raises:
        SyncxrError: It cannot be reached, or refuses.
    """
    from syncxr.chat.server import ChatServer

    patience = {"retries": 0, "answers": 1, "timeout": min(options.timeout, _TIMEOUT)}
    asked = ChatServer(options.model_copy(update=patience))
    models = asked.models()
    listed = options.model in models
    yield Finding(
        group=group,
        name=f"{user}'s server",
        state="ok" if listed else "warning",
        detail=f"{options.url} lists {_some(models)}",
        # llama.cpp answers to any name, so that this alone is no fault.
        remedy="" if listed else f"see that {options.model!r} is what it calls the model",
    )
    yield _form(group, user, asked)
    if user == "judge":
        yield _log_probabilities(group, user, asked)


def _form(group: str, user: str, asked: ChatServer) -> Finding:
    question = ChatRequest(
        [text_message("Say hello in one word.")], max_tokens=64, temperature=0.0, schema=Colours
    )
    reply = _ask(asked, question)
    kept = isinstance(reply, ChatReply)
    return Finding(
        group=group,
        name=f"{user}'s forms",
        state="ok" if kept else "warning",
        detail=f"kept to a JSON schema in {reply.tokens} tokens"
        if isinstance(reply, ChatReply)
        else f"did not keep to a JSON schema: {reply.reason}",
        remedy=""
        if kept
        else "replies are checked whatever the server does, so more of them are asked for again; "
        "vLLM 0.12, llama.cpp and TGI offer it",
    )


def _log_probabilities(group: str, user: str, asked: ChatServer) -> Finding:
    question = ChatRequest(
        [text_message("Is the sky blue? Answer yes or no.")],
        max_tokens=1,
        temperature=0.0,
        top_logprobs=5,
    )
    reply = _ask(asked, question)
    told = isinstance(reply, ChatReply) and bool(reply.logprobs)
    return Finding(
        group=group,
        name=f"{user}'s probabilities",
        state="ok" if told else "info",
        detail="told: a judge's yes is a probability"
        if told
        else "not told: a judge's yes is 1 or 0, by its word",
    )


def _ask(asked: ChatServer, question: ChatRequest) -> ChatReply | ChatFailure:
    return next(iter(asked.ask([question])))


def _some(models: list[str]) -> str:
    if not models:
        return "no model"
    more = f" and {len(models) - 3} more" if len(models) > 3 else ""
    return ", ".join(models[:3]) + more
