"""What is asked of a chat model, and what comes back."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import BaseModel

Message = Mapping[str, Any]
"""One message as the server takes it: ``role`` and ``content``."""


def text_message(text: str, role: str = "user") -> Message:
    """A message in words."""
    return {"role": role, "content": text}


def image_message(images: Sequence[bytes], text: str) -> Message:
    """Images, then what is asked about them.

    Args:
        images: PNG or JPEG files.
        text: The question.

    Raises:
        ValueError: An image is neither PNG nor JPEG.
    """
    parts = [{"type": "image_url", "image_url": {"url": data_url(image)}} for image in images]
    return {"role": "user", "content": [*parts, {"type": "text", "text": text}]}


def data_url(image: bytes) -> str:
    """A PNG or JPEG file as a data URL (RFC 2397).

    Raises:
        ValueError: It is neither.
    """
    kinds = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpeg"}
    kind = next((name for magic, name in kinds.items() if image.startswith(magic)), None)
    if kind is None:
        raise ValueError("an image for a chat message must be a PNG or JPEG file")
    return f"data:image/{kind};base64,{base64.b64encode(image).decode()}"


class GrammarLike(Protocol):
    """A grammar that can be sent and that can check what comes back."""

    def gbnf(self) -> str:
        """As llama.cpp and vLLM read it."""
        ...

    def accepts(self, text: str) -> bool:
        """Whether a text obeys it."""
        ...


@dataclass(frozen=True)
class ChatRequest:
    """One question. At most one of ``schema``, ``grammar`` and ``choices`` shapes the reply.

    Attributes:
        messages: The conversation so far.
        max_tokens: A reply that is longer counts as failed.
        temperature: Softmax temperature; 0 takes the likeliest token.
        seed: Of the sampling, as far as the server honours it. A repeated request gets another
            seed, derived from this one.
        stop: Texts before which the reply ends.
        schema: The reply is JSON that this pydantic model accepts.
        grammar: The reply obeys this grammar.
        choices: The reply is one of these.
        top_logprobs: How many likeliest tokens are reported at each position, 0 to 20.
    """

    messages: Sequence[Message]
    max_tokens: int = 256
    temperature: float = 1.0
    seed: int = 0
    stop: tuple[str, ...] = ()
    schema: type[BaseModel] | None = None
    grammar: GrammarLike | None = None
    choices: tuple[str, ...] = ()
    top_logprobs: int = 0

    def __post_init__(self) -> None:
        if sum((self.schema is not None, self.grammar is not None, bool(self.choices))) > 1:
            raise ValueError("only one of schema, grammar and choices can shape a reply")


@dataclass(frozen=True)
class Token:
    """One token of a reply.

    Attributes:
        text: Its characters.
        logprob: Natural log-probability.
        top: Likeliest tokens here, text to log-probability.
    """

    text: str
    logprob: float
    top: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ChatReply:
    """An answer that is whole and has the form that was asked for.

    Attributes:
        text: What the model wrote.
        finish_reason: Why it ended, in the server's words: ``"stop"``, as a rule.
        tokens: Its length in the model's own tokens; 0 where the server does not say.
        logprobs: Its tokens, where they were asked for and the server reports them.
        attempts: Answers it took, this one included.
        prompt_tokens: Length of what the model has read; 0 where the server does not say.
    """

    text: str
    finish_reason: str
    tokens: int
    logprobs: tuple[Token, ...] = ()
    attempts: int = 1
    prompt_tokens: int = 0


@dataclass(frozen=True)
class ChatFailure:
    """A request that stayed without a usable answer to the last attempt.

    Attributes:
        reason: Why, in one line.
        attempts: How often it was answered with something that could not be used.
    """

    reason: str
    attempts: int = 0
