"""What every language model offers: texts for prompts, within a grammar."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Prompt:
    """One text to write.

    Attributes:
        text: What the model reads. Prompts that share a long beginning should follow one
            another, so that a writer can evaluate it once.
        grammar: GBNF grammar (llama.cpp) that the completion obeys; None leaves it free.
        max_tokens: The completion is cut off here.
        seed: Decides the sampling, together with what the engine promises.
        temperature: Softmax temperature; 0 takes the likeliest token.
    """

    text: str
    grammar: str | None = None
    max_tokens: int = 256
    seed: int = 0
    temperature: float = 1.0


@dataclass(frozen=True)
class Completion:
    """What a model wrote.

    Attributes:
        text: The completion, without the prompt.
        tokens: Its length in the model's own tokens.
    """

    text: str
    tokens: int


class Writer(Protocol):
    """A language model that can be held to a grammar."""

    name: str

    def write(self, prompts: Sequence[Prompt]) -> Iterable[Completion]:
        """One completion a prompt, in order, as they come."""
        ...

    def provenance(self) -> dict[str, Any]:
        """What made the text: model, engine and settings, JSON values only."""
        ...
