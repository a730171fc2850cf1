"""A report as the prompt of a text-to-image model: as much as its text encoder reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Window:
    """How much text one tokenizer lets through.

    Attributes:
        count: Text to its number of tokens, special ones included.
        limit: Greatest number that is read; what follows is cut off.
    """

    count: Callable[[str], int]
    limit: int

    def holds(self, text: str) -> bool:
        """Whether all of a text is read."""
        return self.count(text) <= self.limit


@dataclass(frozen=True)
class Prompt:
    """What a model is told.

    Attributes:
        text: The words.
        tokens: Tokenizer to tokens of ``text``.
        limits: Tokenizer to the tokens that are read.
        words_cut: Section to the words of it that did not fit.
    """

    text: str
    tokens: dict[str, int]
    limits: dict[str, int]
    words_cut: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, for the record of a film."""
        return {
            "prompt": self.text,
            "prompt_tokens": self.tokens,
            "prompt_limits": self.limits,
            "prompt_words_cut": self.words_cut,
        }


def fit(sections: Mapping[str, str], windows: Mapping[str, Window], prefix: str = "") -> Prompt:
    """Take sections in order, sentence by sentence, for as long as the text is read.

    A model with several tokenizers gets what the widest one reads; how much each of them reads
    is told by ``tokens`` and ``limits``. Only a first sentence that is itself too long is broken.

    Args:
        sections: Name to text, the most important first.
        windows: Name of each tokenizer to its window.
        prefix: Words that stand before the report and are never cut.
    """

    def fits(text: str) -> bool:
        return any(window.holds(text) for window in windows.values())

    text, full = prefix, False
    words_cut = dict.fromkeys(sections, 0)
    for name, section in sections.items():
        for sentence in _sentences(section):
            if not full and fits(longer := _join(text, sentence)):
                text = longer
                continue
            words = sentence.split()
            kept = 0
            if not full and text == prefix:
                shorter = (n for n in range(len(words), 0, -1) if fits(_join(prefix, *words[:n])))
                kept = next(shorter, 0)
                text = _join(prefix, *words[:kept])
            words_cut[name] += len(words) - kept
            full = True
    return Prompt(
        text,
        {name: window.count(text) for name, window in windows.items()},
        {name: window.limit for name, window in windows.items()},
        words_cut,
    )


def windows_of(pipeline: Any, arguments: Mapping[str, Any]) -> dict[str, Window]:
    """The windows of a diffusers pipeline, measured with its own tokenizers.

    CLIP reads ``model_max_length`` (77) tokens; T5 and Gemma read the pipeline's
    ``max_sequence_length``.

    Args:
        pipeline: It has ``tokenizer``, and perhaps ``tokenizer_2`` and ``tokenizer_3``.
        arguments: What it is called with, its defaults included.
    """
    # PixArt and Sana change the words (lower case) before they count them.
    clean = getattr(pipeline, "_text_preprocessing", None)
    # Sana puts an instruction of its own before the prompt, without counting it.
    instruction = "\n".join(arguments.get("complex_human_instruction") or ())
    found: dict[str, Window] = {}
    for name in ("tokenizer", "tokenizer_2", "tokenizer_3"):
        tokenizer = getattr(pipeline, name, None)
        if tokenizer is None:
            continue
        limit = int(tokenizer.model_max_length)
        if "CLIP" not in type(tokenizer).__name__:
            limit = min(limit, arguments.get("max_sequence_length") or limit)
        found[name] = Window(_counter(tokenizer, clean, instruction), limit)
    return found


def _counter(tokenizer: Any, clean: Any, instruction: str) -> Callable[[str], int]:
    def size(text: str) -> int:
        return len(tokenizer(text, truncation=False, verbose=False).input_ids)

    # In SanaPipeline two of the tokens read go to the instruction.
    offset = size(instruction) - 2 if instruction else 0

    def count(text: str) -> int:
        [cleaned] = clean([text]) if clean else [text]
        return size(instruction + cleaned) - offset

    return count


def _sentences(text: str) -> Sequence[str]:
    return [part for part in re.split(r"(?<=[.!?])\s+", text.strip()) if part]


def _join(*parts: str) -> str:
    return " ".join(part for part in parts if part)
