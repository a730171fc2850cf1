"""Phrases, the automaton made of them, and its GBNF."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncxr.errors import SyncxrError
from syncxr.reports.grammar import (
    EMPTY,
    Chain,
    Choice,
    Grammar,
    Phrase,
    Text,
    capitalised,
    chain,
    choice,
    parse,
    with_article,
    words,
)


def texts(phrase: Phrase) -> set[str]:
    """All texts of a phrase, the slow and obvious way; pieces separated by one space."""
    if isinstance(phrase, Text):
        return {phrase.value}
    if isinstance(phrase, Choice):
        return set().union(*(texts(option) for option in phrase.options))
    joined = {""}
    for part in phrase.parts:
        joined = {f"{a} {b}".strip() for a in joined for b in texts(part)}
    return joined


WORD = st.sampled_from(["small", "old", "left", "effusion", "on the left", ""])
PHRASE = st.recursive(
    st.builds(Text, WORD),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: Chain(tuple(parts))),
        st.lists(inner, min_size=1, max_size=3).map(lambda options: choice(*options)),
    ),
    max_leaves=8,
)


def gbnf_texts(gbnf: str) -> set[str]:
    """All texts of a right-linear GBNF grammar."""
    rules = dict(line.split(" ::=", 1) for line in gbnf.splitlines())

    def expand(name: str) -> set[str]:
        out: set[str] = set()
        for option in rules[name].split(" |"):
            literal = "".join(re.findall(r'"([^"]*)"', option))
            reference = re.search(r" (s\d+)$", option)
            out |= {literal + rest for rest in (expand(reference[1]) if reference else {""})}
        return out

    return expand("root")


@given(PHRASE)
def test_automaton_and_gbnf_hold_just_the_texts_of_the_phrase(phrase: Phrase) -> None:
    expected = {f" {text}" if text else "" for text in texts(phrase)}
    grammar = Grammar(phrase)
    assert grammar.count() == len(expected)
    assert all(grammar.accepts(text) for text in expected)
    assert gbnf_texts(grammar.gbnf()) == expected


@given(PHRASE, st.integers(0, 2**32))
def test_walks_are_texts_and_cover_uses_every_edge(phrase: Phrase, seed: int) -> None:
    grammar = Grammar(phrase)
    rng = np.random.default_rng(seed)
    assert grammar.accepts(grammar.walk(rng))
    used = set()
    for text in grammar.cover(rng):
        assert grammar.accepts(text)
        state = grammar.start
        for word in words(text):
            used.add((id(state), word))
            state = state.edges[word]
    assert used == {(id(state), word) for state in grammar.states() for word in state.edges}


@given(PHRASE)
def test_article_and_capital_go_before_whatever_comes_first(phrase: Phrase) -> None:
    expected = {
        f"{'An' if text[0] in 'aeiou' else 'A'} {text}" if text else "" for text in texts(phrase)
    }
    assert texts(capitalised(with_article(phrase))) == expected


def test_notation() -> None:
    phrase = parse("(there is|one sees) [a <size>] effusion", {"size": parse("small|large")})
    assert texts(phrase) == {
        f"{head} {middle}effusion"
        for head in ("there is", "one sees")
        for middle in ("", "a small ", "a large ")
    }
    assert parse("") == EMPTY


def test_punctuation_follows_without_space() -> None:
    grammar = Grammar(chain(Text("Left-sided effusion"), Text(", layering"), Text(".")))
    assert grammar.accepts(" Left-sided effusion, layering.")


def test_minimal() -> None:
    grammar = Grammar(parse("(small|large) left effusion|(small|large) right effusion"))
    # Begun; size named; side named; ended.
    assert len(grammar.states()) == 4


@pytest.mark.parametrize("source", ["(a|b", "a)", "[a", "a]", "<unknown>", "a < b"])
def test_bad_notation_is_named(source: str) -> None:
    with pytest.raises(SyncxrError, match="phrase"):
        parse(source)


@given(st.text(alphabet="abc XYZ019.,-'\n", max_size=40))
def test_words_restore_the_text(text: str) -> None:
    assert "".join(words(text)).replace(" ", "") == text.replace(" ", "")
