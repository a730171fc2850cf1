"""From labels of word pieces to entity spans: IOB tags merged as they were meant.

IOB2 marks the first word of an entity B-X, each further one I-X, all else O (Tjong Kim Sang and
Veenstra, EACL 1999). A network's tags break these rules now and then, so each case is laid down:

- A word has the label of its first piece. Models are trained on the first piece alone or on all of
  them; under either convention the first is the one to trust.
- B-X begins an entity, also right after another of the same category.
- I-X goes on with an entity of category X that reaches up to it; after O, or after an entity of
  another category, it begins one. Nothing that was found is dropped, and no span mixes categories.
- Punctuation at either end of a span is no part of it, and a span of punctuation alone is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

OUTSIDE = "O"


class Word(NamedTuple):
    """One word or one punctuation mark with its label.

    Attributes:
        start: First character in the text.
        end: One past the last.
        label: ``"O"``, ``"B-X"`` or ``"I-X"``.
    """

    start: int
    end: int
    label: str


class Span(NamedTuple):
    """One entity in a text.

    Attributes:
        start: First character in the text.
        end: One past the last.
        category: The X of its labels.
    """

    start: int
    end: int
    category: str


def merge(text: str, words: Iterable[Word]) -> list[Span]:
    """Entities of a labelled text, in order."""
    found: list[Span] = []
    last: Span | None = None
    for start, end, label in words:
        tag, _, category = label.partition("-")
        if tag == "I" and last is not None and last.category == category:
            last = last._replace(end=end)
        else:
            found += [last] if last else []
            last = None if label == OUTSIDE else Span(start, end, category)
    found += [last] if last else []
    return [span for whole in found if (span := _trimmed(text, whole))]


def words_of(text: str, pieces: Sequence[tuple[int, int]], labels: Sequence[str]) -> Iterator[Word]:
    """Words out of the pieces of a tokenizer, each labelled by its first piece.

    A word ends where the text has white space or punctuation. SentencePiece puts a space before a
    word; where that space is a piece of its own it belongs to the word that follows, and its label
    counts unless it is O. At the very beginning, where the text has no space, its place is given
    as that of the first letter.

    Args:
        text: What was tokenized.
        pieces: Start and end of each piece in ``text``, in order, apart from special tokens.
        labels: One a piece.
    """
    word: Word | None = None
    space = OUTSIDE
    for (start, end), label in zip(pieces, labels, strict=True):
        while start < end and text[start].isspace():
            start += 1
        if start == end:
            space = label
            continue
        label, space = label if space == OUTSIDE else space, OUTSIDE
        if word is not None and start < word.end:
            first = label if word.label == OUTSIDE else word.label
            word = Word(word.start, max(end, word.end), first)
        elif word is not None and word.end == start and _together(text[start - 1], text[start]):
            word = word._replace(end=end)
        else:
            if word is not None:
                yield word
            word = Word(start, end, label)
    if word is not None:
        yield word


def _together(left: str, right: str) -> bool:
    return left.isalnum() and right.isalnum()


def _trimmed(text: str, span: Span) -> Span | None:
    start, end, category = span
    while start < end and not text[start].isalnum():
        start += 1
    while start < end and not text[end - 1].isalnum():
        end -= 1
    return Span(start, end, category) if start < end else None
