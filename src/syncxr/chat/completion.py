"""The body of a server's answer: whether it is a reply that can be used."""

from __future__ import annotations

from pydantic import BaseModel, ValidationError

from syncxr.chat.messages import ChatReply, ChatRequest, Token
from syncxr.chat.structured import complaint


class Unusable(Exception):
    """An answer came, but not one that can be used."""


class _Likely(BaseModel):
    token: str
    logprob: float


class _LogProbability(_Likely):
    top_logprobs: list[_Likely] = []


class _LogProbabilities(BaseModel):
    content: list[_LogProbability] | None = None


class _Text(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    message: _Text
    finish_reason: str | None = None
    logprobs: _LogProbabilities | None = None


class _Usage(BaseModel):
    completion_tokens: int = 0
    prompt_tokens: int = 0


class _Body(BaseModel):
    """The part of a chat completion that is read here; servers differ in the rest."""

    choices: list[_Choice]
    usage: _Usage | None = None


def read_reply(request: ChatRequest, body: str) -> ChatReply:
    """The reply in the body of an answer.

    Raises:
        Unusable: There is none that can be used.
    """
    try:
        read = _Body.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise Unusable(f"the answer is no chat completion: {first['msg']}") from None
    if not read.choices:
        raise Unusable("the answer holds no choice")
    choice = read.choices[0]
    text = choice.message.content or ""
    # A single token, or a whole choice, is all that was wanted; whatever else is cut off is not.
    if choice.finish_reason == "length" and request.max_tokens > 1 and not request.choices:
        raise Unusable(f"the reply was cut off at {request.max_tokens} tokens")
    if fault := complaint(request, text):
        raise Unusable(fault)
    return ChatReply(
        text,
        choice.finish_reason or "",
        read.usage.completion_tokens if read.usage else 0,
        _tokens(choice.logprobs),
        prompt_tokens=read.usage.prompt_tokens if read.usage else 0,
    )


def _tokens(read: _LogProbabilities | None) -> tuple[Token, ...]:
    positions = (read.content if read else None) or []
    return tuple(
        Token(at.token, at.logprob, {top.token: top.logprob for top in at.top_logprobs})
        for at in positions
    )
