"""From a text to sentences of units: phrases of the vocabulary and the words between them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from syncxr.entities.vocabulary import Role, Term, Vocabulary

_ENDS = frozenset((".", ";", "!"))
_JOINS = frozenset(("and", "or", "&", "/", "nor"))


@dataclass(frozen=True, slots=True)
class Unit:
    """A phrase of the vocabulary, or one word outside it.

    Attributes:
        text: Its words, lower case.
        role: What it does; ``None`` for a word outside the vocabulary.
        value: Canonical name of a concept, structure, place or severity; else the text.
        start: First character in the text.
        end: One past its last character.
    """

    text: str
    role: Role | None
    value: str
    start: int
    end: int

    @property
    def joins(self) -> bool:
        """Whether it joins the items of a list ("and", "or")."""
        return self.text in _JOINS


def _spaced(text: str) -> str:
    """The same text, equally long, with a run of full stops set off as one."""
    return re.sub(r"\.\.+", lambda run: " " * (len(run[0]) - 1) + ".", text)


class Reader:
    """Cuts texts into sentences of units, longest phrase first."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        # Only a reader needs spaCy, which takes a second to import (and brings torch along).
        import spacy
        from spacy.matcher import PhraseMatcher
        from spacy.util import filter_spans

        self._longest = filter_spans
        self._nlp = spacy.blank("en")
        self._matcher = PhraseMatcher(self._nlp.vocab, attr="LOWER")
        self._terms: dict[int, Term] = {}
        for number, term in enumerate(vocabulary.terms):
            key = str(number)
            self._matcher.add(key, [self._nlp.make_doc(term.surface)])
            self._terms[self._nlp.vocab.strings[key]] = term

    def read(self, texts: Iterable[str]) -> Iterator[list[list[Unit]]]:
        """Sentences of each text, in order."""
        for text in texts:
            yield list(self._sentences(self._nlp.make_doc(_spaced(text))))

    def _sentences(self, doc: Any) -> Iterator[list[Unit]]:
        spans = self._longest(self._matcher(doc, as_spans=True))
        starts = {span.start: span for span in spans}
        sentence: list[Unit] = []
        i = 0
        while i < len(doc):
            span = starts.get(i)
            if span is not None:
                term = self._terms[span.label]
                sentence.append(
                    Unit(term.surface, term.role, term.value, span.start_char, span.end_char)
                )
                i = span.end
                continue
            token = doc[i]
            i += 1
            word = token.lower_
            if word in _ENDS or "\n" in word:
                if sentence:
                    yield sentence
                sentence = []
            elif not token.is_space:
                end = token.idx + len(word)
                sentence.append(Unit(word, None, word, token.idx, end))
        if sentence:
            yield sentence
