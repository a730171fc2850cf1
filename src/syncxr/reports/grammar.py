"""Finite grammars of sentences: written as phrases, held as an automaton, given as GBNF.

A phrase is written in a small notation::

    (there is|one sees) [a small|a tiny] <noun>

``(a|b)`` chooses, ``[a|b]`` chooses or leaves out, ``<name>`` is replaced by another phrase.
Every grammar is finite, so it is compiled into its minimal deterministic automaton over words.
A decoder then has one state at a time to follow, and a common beginning of two phrases is one
path: the model chooses between them where they part.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np

from syncxr.errors import SyncxrError


@dataclass(frozen=True)
class Text:
    """A fixed piece of text; it may be empty."""

    value: str


@dataclass(frozen=True)
class Chain:
    """Phrases one after another, with single spaces between those that are not empty."""

    parts: tuple[Phrase, ...]


@dataclass(frozen=True)
class Choice:
    """One of several phrases."""

    options: tuple[Phrase, ...]


Phrase = Text | Chain | Choice

EMPTY = Text("")


def chain(*parts: Phrase) -> Phrase:
    """``parts`` in order; empty ones are dropped."""
    kept = tuple(part for part in parts if part != EMPTY)
    return kept[0] if len(kept) == 1 else Chain(kept) if kept else EMPTY


def choice(*options: Phrase) -> Phrase:
    """One of ``options``; equal ones count once.

    Raises:
        ValueError: There is nothing to choose from.
    """
    unique = tuple(dict.fromkeys(options))
    if not unique:
        raise ValueError("a choice needs at least one option")
    return unique[0] if len(unique) == 1 else Choice(unique)


_TOKEN = re.compile(r"[()\[\]|]|<[a-z_]+>|[^()\[\]|<>]+")


def parse(source: str, names: Mapping[str, Phrase] | None = None) -> Phrase:
    """Read a phrase in the notation of this module.

    Raises:
        SyncxrError: A bracket does not match, or a name is unknown.
    """
    tokens = _TOKEN.findall(source)
    if "".join(tokens) != source:
        raise SyncxrError(f"phrase {source!r}: stray '<' or '>'")
    known = names or {}
    position = 0

    def fail(reason: str) -> SyncxrError:
        return SyncxrError(f"phrase {source!r}: {reason}")

    def alternatives(closing: str) -> Phrase:
        nonlocal position
        options: list[Phrase] = []
        parts: list[Phrase] = []
        while position < len(tokens):
            token = tokens[position]
            position += 1
            if token in ("(", "["):
                inner = alternatives(")" if token == "(" else "]")
                parts.append(inner if token == "(" else choice(EMPTY, inner))
            elif token in (")", "]"):
                if token != closing:
                    raise fail(f"{token!r} closes nothing")
                options.append(chain(*parts))
                return choice(*options)
            elif token == "|":
                options.append(chain(*parts))
                parts = []
            elif token.startswith("<"):
                if token[1:-1] not in known:
                    raise fail(f"{token} is unknown; known: {', '.join(sorted(known))}")
                parts.append(known[token[1:-1]])
            else:
                parts.append(Text(" ".join(token.split())))
        if closing:
            raise fail(f"{closing!r} is missing")
        options.append(chain(*parts))
        return choice(*options)

    return alternatives("")


def map_head(phrase: Phrase, change: Callable[[str], str]) -> Phrase:
    """Apply ``change`` to the first piece of text of every way through ``phrase``."""
    if isinstance(phrase, Text):
        return Text(change(phrase.value)) if phrase.value else phrase
    if isinstance(phrase, Choice):
        return choice(*(map_head(option, change) for option in phrase.options))
    options: list[Phrase] = []
    for index, part in enumerate(phrase.parts):
        filled, can_be_empty = _without_empty(part)
        if filled is not None:
            options.append(chain(map_head(filled, change), *phrase.parts[index + 1 :]))
        if not can_be_empty:
            return choice(*options)
    return choice(EMPTY, *options)


def _without_empty(phrase: Phrase) -> tuple[Phrase | None, bool]:
    """``phrase`` less the empty text (None if that is all it is), and whether it had it."""
    if isinstance(phrase, Text):
        return (phrase, False) if phrase.value else (None, True)
    if isinstance(phrase, Choice):
        pairs = [_without_empty(option) for option in phrase.options]
        filled = [option for option, _ in pairs if option is not None]
        return (choice(*filled) if filled else None), any(empty for _, empty in pairs)
    if not all(_without_empty(part)[1] for part in phrase.parts):
        return phrase, False
    options: list[Phrase] = []
    for index, part in enumerate(phrase.parts):
        filled_part, _ = _without_empty(part)
        if filled_part is not None:
            options.append(chain(filled_part, *phrase.parts[index + 1 :]))
    return (choice(*options) if options else None), True


def capitalised(phrase: Phrase) -> Phrase:
    """``phrase`` with a capital first letter."""
    return map_head(phrase, lambda text: text[0].upper() + text[1:])


def with_article(phrase: Phrase) -> Phrase:
    """``phrase`` after the indefinite article that its first letter asks for."""
    return map_head(phrase, lambda text: f"{'an' if _takes_an(text) else 'a'} {text}")


def _takes_an(text: str) -> bool:
    # Abbreviations are spelt out: "an NG tube", "an ICD", "a PICC".
    spelt = text[:2].isupper() and len(text) > 1
    return text[0] in ("AEFHILMNORSX" if spelt else "aeiouAEIOU")


_WORD = re.compile(r" ?[A-Za-z]+| ?[0-9]+| ?[^\sA-Za-z0-9]+|\s")
_NO_SPACE_BEFORE = (".", ",", ";", ":", ")", "-", "\n")


def words(text: str) -> list[str]:
    """``text`` cut where byte-pair tokenizers of the GPT-2 kind cut first.

    A word keeps its leading space, so that joining the pieces restores the text.
    """
    return _WORD.findall(text)


@dataclass(frozen=True, eq=False)
class State:
    """Where a reader of a text stands.

    Attributes:
        final: Whether the text may end here.
        edges: Next word to next state, in alphabetical order.
    """

    final: bool
    edges: Mapping[str, State]


class Grammar:
    """The texts of a phrase as a minimal deterministic automaton over words.

    States are made from the end of the text to its beginning and equal ones are made once
    (Daciuk et al., Computational Linguistics 2000), which is what keeps it minimal.

    Every text begins with a space, as it follows a colon or a full stop.
    """

    def __init__(self, phrase: Phrase) -> None:
        self._states: dict[tuple[bool, tuple[tuple[str, int], ...]], State] = {}
        self._unions: dict[tuple[int, int], State] = {}
        self.start = self._build(phrase, self._state(True, {}))
        self._states.clear()
        self._unions.clear()

    def _state(self, final: bool, edges: Mapping[str, State]) -> State:
        ordered = dict(sorted(edges.items()))
        key = (final, tuple((word, id(state)) for word, state in ordered.items()))
        return self._states.setdefault(key, State(final, ordered))

    def _build(self, phrase: Phrase, follow: State) -> State:
        """The automaton of ``phrase`` followed by ``follow``."""
        if isinstance(phrase, Choice):
            return reduce(self._union, (self._build(option, follow) for option in phrase.options))
        if isinstance(phrase, Chain):
            return reduce(lambda rest, part: self._build(part, rest), phrase.parts[::-1], follow)
        if not phrase.value:
            return follow
        text = phrase.value
        spaced = text if text.startswith(_NO_SPACE_BEFORE) else f" {text}"
        return reduce(
            lambda rest, word: self._state(False, {word: rest}), words(spaced)[::-1], follow
        )

    def _union(self, a: State, b: State) -> State:
        if a is b:
            return a
        key = (id(a), id(b))
        if key not in self._unions:
            edges = {**a.edges, **b.edges}
            for word in a.edges.keys() & b.edges.keys():
                edges[word] = self._union(a.edges[word], b.edges[word])
            self._unions[key] = self._state(a.final or b.final, edges)
        return self._unions[key]

    def states(self) -> list[State]:
        """All states, each before those that follow it."""
        order: list[State] = []
        seen: set[int] = set()

        def visit(state: State) -> None:
            seen.add(id(state))
            for following in state.edges.values():
                if id(following) not in seen:
                    visit(following)
            order.append(state)

        visit(self.start)
        return order[::-1]

    def count(self) -> int:
        """How many different texts there are."""
        totals: dict[int, int] = {}
        for state in reversed(self.states()):
            totals[id(state)] = state.final + sum(totals[id(s)] for s in state.edges.values())
        return totals[id(self.start)]

    def accepts(self, text: str) -> bool:
        """Whether ``text``, leading space included, is one of the texts."""
        state = self.start
        for word in words(text):
            following = state.edges.get(word)
            if following is None:
                return False
            state = following
        return state.final

    def walk(self, rng: np.random.Generator, state: State | None = None) -> str:
        """A text by uniform choice among the words (or the end) at each step."""
        state = state or self.start
        text = ""
        while state.edges:
            step = int(rng.integers(len(state.edges) + state.final))
            if step == len(state.edges):
                break
            word = list(state.edges)[step]
            text += word
            state = state.edges[word]
        return text

    def cover(self, rng: np.random.Generator) -> Iterator[str]:
        """Texts that between them use every word of every state, random elsewhere."""
        reached = {id(self.start): ""}
        for state in self.states():
            for word, following in state.edges.items():
                head = reached[id(state)] + word
                if id(following) not in reached or rng.random() < 0.5:
                    reached[id(following)] = head
                yield head + self.walk(rng, following)

    def gbnf(self) -> str:
        """The grammar as llama.cpp reads it; every literal is one word with its space."""
        states = self.states()
        arrivals = Counter(id(following) for state in states for following in state.edges.values())
        named = [
            s for s in states if s.edges and (len(s.edges) + s.final > 1 or arrivals[id(s)] > 1)
        ]
        if self.start not in named:
            named.insert(0, self.start)
        names = {id(state): f"s{index}" for index, state in enumerate(named)}
        names[id(self.start)] = "root"

        def tail(state: State) -> str:
            return f" {names[id(state)]}" if id(state) in names else body(state)

        def body(state: State) -> str:
            options = [
                f" {_quoted(word)}{tail(following)}" for word, following in state.edges.items()
            ]
            if state.final and state.edges:
                options.append(' ""')
            return " |".join(options)

        return "".join(
            f"{names[id(state)]} ::={body(state) or ' ' + _quoted('')}\n" for state in named
        )


def _quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
