"""Probability of yes, out of what a language model says."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence

from syncxr.chat.messages import ChatReply, Token
from syncxr.curation.judge import QUESTIONS

_WORDS = {"yes": 1.0, "no": 0.0}

_LEAST_MASS = 0.5
"""Least probability of yes and no together: below it the model was about to say something else."""

_AROUND = " \t\r\n\"'`*.,:;!()[]{}▁Ġ"
"""What may stand around a word: spaces, as tokenizers write them too, quotes, stops, emphasis."""


def probability(likely: Mapping[str, float]) -> float | None:
    """Probability of yes against no, summed over the spellings of both, in [0, 1].

    Args:
        likely: Likeliest tokens at the place of the answer, text to natural log-probability.

    Returns:
        ``None`` if yes and no together have less than half of all probability.
    """
    mass = {"yes": 0.0, "no": 0.0}
    for text, logprob in likely.items():
        word = text.strip(_AROUND).casefold()
        if word in mass:
            mass[word] += math.exp(logprob)
    total = mass["yes"] + mass["no"]
    return mass["yes"] / total if total >= _LEAST_MASS else None


def parsed(text: str) -> float | None:
    """1 for a text that says yes, 0 for no, ``None`` for anything else.

    The first word decides; a text that also holds the other word says neither.
    """
    words = re.findall(r"[a-z]+", text.casefold())
    if not words or words[0] not in _WORDS:
        return None
    return None if len(_WORDS.keys() & set(words)) > 1 else _WORDS[words[0]]


def of_reply(reply: ChatReply) -> float | None:
    """Answer to one question: from log-probabilities where there are any, else from the word."""
    first = next((token for token in reply.logprobs if token.text.strip(_AROUND)), None)
    found = probability(_likely(first)) if first else None
    return parsed(reply.text) if found is None else found


def of_object(reply: ChatReply) -> dict[str, float]:
    """Answers to all questions out of one JSON object, from log-probabilities where there are any.

    Questions without a usable answer are left out.
    """
    try:
        said = json.loads(reply.text)
    except ValueError:
        return {}
    if not isinstance(said, dict):
        return {}
    found: dict[str, float] = {}
    for question in QUESTIONS:
        word = parsed(str(said.get(question, "")))
        if word is None:
            continue
        token = _token_of_value(question, reply.logprobs)
        likely = probability(_likely(token)) if token else None
        found[question] = word if likely is None else likely
    return found


def _likely(token: Token) -> Mapping[str, float]:
    # Not every server lists the token it chose among the likeliest.
    return {token.text: token.logprob, **token.top}


def _token_of_value(key: str, tokens: Sequence[Token]) -> Token | None:
    """The token with which the value of a key of a JSON object begins."""
    whole = "".join(token.text for token in tokens)
    value = re.search(rf'"{key}"\s*:\s*"', whole)
    if value is None:
        return None
    end = 0
    for token in tokens:
        end += len(token.text)
        if end > value.end():
            return token
    return None
