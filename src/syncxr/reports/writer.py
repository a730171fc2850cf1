"""What every language model offers: texts for prompts, within a grammar where it can."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from syncxr.reports.grammar import Grammar


@dataclass(frozen=True)
class Prompt:
    """One text to write.

    Attributes:
        text: What the model reads. Prompts that share a long beginning should follow one
            another, so that a writer can evaluate it once.
        grammar: What the completion obeys; None leaves it free. A writer that takes no grammars
            refuses the prompt.
        max_tokens: The completion is cut off here.
        seed: Decides the sampling, together with what the engine promises.
        temperature: Softmax temperature; 0 takes the likeliest token.
        stop: Texts before which the completion ends.
    """

    text: str
    grammar: Grammar | None = None
    max_tokens: int = 256
    seed: int = 0
    temperature: float = 1.0
    stop: tuple[str, ...] = ()


@dataclass(frozen=True)
class Completion:
    """What a model wrote.

    Attributes:
        text: The completion, without the prompt.
        tokens: Its length in the model's own tokens.
        failure: Why it cannot be used: cut off, or none after the last retry; ``""`` = it can.
        prompt_tokens: Length of what the model has read, 0 where the engine does not say.
    """

    text: str
    tokens: int
    failure: str = ""
    prompt_tokens: int = 0


class Writer(Protocol):
    """A language model.

    One behind a network says in ``sends_to``, a tuple of URLs, where prompts go.
    """

    name: str

    def write(self, prompts: Sequence[Prompt]) -> Iterable[Completion]:
        """One completion a prompt, in order, as they come."""
        ...

    def provenance(self) -> dict[str, Any]:
        """What made the text: model, engine and settings, JSON values only."""
        ...
