"""Labels of word pieces become the spans they were meant to be."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncxr.entities.iob import Span, Word, merge, words_of

LABELS = ["O", "B-A", "I-A", "B-N", "I-N"]


def read(text: str, *labels: str) -> list[tuple[str, str]]:
    words = [Word(m.start(), m.end(), x) for m, x in zip(tokens(text), labels, strict=True)]
    return [(text[start:end], category) for start, end, category in merge(text, words)]


def tokens(text: str) -> list[re.Match[str]]:
    return list(re.finditer(r"[a-z]+|[^a-z\s]", text))


@pytest.mark.parametrize(
    ("text", "labels", "found"),
    [
        ("small effusion", "B-A I-A", [("small effusion", "A")]),
        ("small effusion", "O B-A", [("effusion", "A")]),
        ("edema effusion", "B-A B-A", [("edema", "A"), ("effusion", "A")]),
        # I without a B before it begins an entity, whatever stood before.
        ("edema effusion", "O I-A", [("effusion", "A")]),
        ("edema effusion", "B-A I-N", [("edema", "A"), ("effusion", "N")]),
        ("a b c", "B-A I-N I-N", [("a", "A"), ("b c", "N")]),
        ("a b c", "B-A I-N I-A", [("a", "A"), ("b", "N"), ("c", "A")]),
        ("a b c", "B-A O I-A", [("a", "A"), ("c", "A")]),
        # Punctuation is inside a span or not at all.
        ("right-sided effusion.", "B-A I-A I-A I-A I-A", [("right-sided effusion", "A")]),
        ("(edema)", "B-A I-A I-A", [("edema", "A")]),
        ("edema. effusion", "B-A I-A B-A", [("edema", "A"), ("effusion", "A")]),
        ("edema . effusion", "O B-A O", []),
        ("edema", "O", []),
        ("", "", []),
    ],
)
def test_every_case_of_the_rules(text: str, labels: str, found: list[tuple[str, str]]) -> None:
    assert read(text, *labels.split()) == found


def slow(labels: list[str]) -> list[tuple[int, int, str]]:
    """Spans over word numbers: each maximal run that a B or a change of category does not cut."""
    spans = []
    for first in range(len(labels)):
        if labels[first] == "O":
            continue
        category = labels[first][2:]
        before = labels[first - 1] if first else "O"
        if labels[first][0] == "I" and before != "O" and before[2:] == category:
            continue  # Not a beginning: the entity before it goes on.
        last = first
        while last + 1 < len(labels) and labels[last + 1] == f"I-{category}":
            last += 1
        spans.append((first, last, category))
    return spans


@given(st.lists(st.sampled_from(LABELS), max_size=12))
def test_merging_agrees_with_a_slow_reference(labels: list[str]) -> None:
    text = " ".join("abcdefghijkl"[: len(labels)])
    words = [Word(2 * i, 2 * i + 1, label) for i, label in enumerate(labels)]
    expected = [Span(2 * a, 2 * b + 1, category) for a, b, category in slow(labels)]
    assert merge(text, words) == expected


@given(st.lists(st.tuples(st.sampled_from(["ab", "c", ".", "-", "("]), st.sampled_from(LABELS))))
def test_spans_are_in_order_apart_and_bounded_by_letters(drawn: list[tuple[str, str]]) -> None:
    text = " ".join(token for token, _ in drawn)
    words, start = [], 0
    for token, label in drawn:
        words.append(Word(start, start + len(token), label))
        start += len(token) + 1
    spans = merge(text, words)
    for span in spans:
        assert text[span.start].isalnum() and text[span.end - 1].isalnum()
    assert all(a.end <= b.start for a, b in pairwise(spans))
    labelled = {i for w in words if w.label != "O" for i in range(w.start, w.end)}
    inside = {i for span in spans for i in range(span.start, span.end)}
    letters = {i for i in labelled if text[i].isalnum()}
    assert letters <= inside, "no labelled letter is lost"


def cut(text: str, bounds: list[int]) -> list[tuple[int, int]]:
    """Pieces as SentencePiece gives them: a word's first piece may carry the space before it."""
    edges = sorted({0, len(text), *(b % (len(text) + 1) for b in bounds)})
    return list(pairwise(edges))


@given(
    st.text(alphabet="ab .-", max_size=20), st.lists(st.integers(0, 100), max_size=20), st.data()
)
def test_words_are_whole_and_have_the_label_of_their_first_piece(
    text: str, bounds: list[int], data: st.DataObject
) -> None:
    # A piece never holds two words, as with every tokenizer in use.
    starts = [m.start() for m in re.finditer(r"(?<=\S) |(?<!^)(?<! )[.-]|(?<=[.-])\w", text)]
    pieces = cut(text, bounds + starts)
    labels = [data.draw(st.sampled_from(LABELS)) for _ in pieces]
    found = list(words_of(text, pieces, labels))
    assert [text[w.start : w.end] for w in found] == re.findall(r"[ab]+|[.-]", text)
    for word in found:
        first = next(i for i, (_, end) in enumerate(pieces) if end > word.start)
        space = first > 0 and not text[slice(*pieces[first - 1])].strip()
        before = labels[first - 1] if space else "O"
        assert word.label == (labels[first] if before == "O" else before)


def test_the_space_before_a_word_is_its_first_piece() -> None:
    pieces, labels = [(0, 1), (0, 1), (1, 3), (3, 4), (4, 6)], ["B-A", "I-A", "I-A", "B-N", "I-N"]
    assert list(words_of("abc de", pieces, labels)) == [Word(0, 3, "B-A"), Word(4, 6, "B-N")]
    labels = ["O", "B-A", "I-A", "O", "B-N"]
    assert list(words_of("abc de", pieces, labels)) == [Word(0, 3, "B-A"), Word(4, 6, "B-N")]
