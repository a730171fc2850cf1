"""RaTE-NER: entities of five categories by token classification, the paper's own extractor.

Source: Zhao et al., "RaTEScore: A Metric for Radiology Report Generation", EMNLP 2024; the network
is a DeBERTa-v2 with IOB tags over ABNORMALITY, NON-ABNORMALITY, DISEASE, NON-DISEASE and ANATOMY
(hub id ``Angelakeke/RaTE-NER-Deberta``). Its published inference reads texts sentence by sentence,
and so does this one. How labels become spans is laid down in :mod:`syncxr.entities.iob`; the
published post-processing, which lets a span run on from one category into another, is not followed.

What a span becomes:

=============  ==========================================  ====================================
field          value                                       why
=============  ==========================================  ====================================
concept        its words, lower case, single spaces        an open vocabulary: no lexicon decides
category       the label                                   the categories are RaTE's own
polarity       ABNORMALITY, DISEASE → present;             a NON- label is a denial, and what is
               NON-… → absent; ANATOMY → absent            called ANATOMY is a name, not a finding
location       ``""``                                      a place is an ANATOMY entity of its own
severity       ``""``                                      a grade is part of the words
=============  ==========================================  ====================================

RaTE-NER has no label for a hedge, so nothing is uncertain.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from pydantic import Field, model_validator

from syncxr.entities.extraction import Mention
from syncxr.entities.iob import OUTSIDE, Span, merge, words_of
from syncxr.entities.pretrained import TextNetwork
from syncxr.errors import SyncxrError
from syncxr.models import ModelOptions
from syncxr.sample import Category, Entity, Polarity

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n\s*\n")


class RateNerOptions(ModelOptions):
    """Options of :class:`RateNer`, beside those of every model.

    .. code-block:: yaml

        extractor:
          name: rate-ner
          model: Angelakeke/RaTE-NER-Deberta   # with revision: its commit; or a folder
          revision: COMMIT
          batch_size: 64

    Attributes:
        model: RaTE-NER itself, or any token classifier with its five categories in IOB.
        window: Tokens that go through the network at once, special ones included; a longer
            sentence is read in windows.
        overlap: Tokens that neighbouring windows share; each window is trusted up to the middle.
    """

    model: str = "Angelakeke/RaTE-NER-Deberta"
    window: int = Field(default=512, ge=8)
    overlap: int = Field(default=64, ge=0)

    @model_validator(mode="after")
    def _windows_move_on(self) -> RateNerOptions:
        if self.overlap > (self.window - 2) // 2:
            raise ValueError(f"overlap {self.overlap} is more than half of window {self.window}")
        return self


class _Sequence(NamedTuple):
    """One window: its sentence, its token ids, where its tokens stand, and which of them count."""

    sentence: int
    ids: list[int]
    offsets: list[tuple[int, int]]
    kept: slice


class RateNer:
    """Extractor on a token classifier.

    Characters of mentions count in the text as given. What is found in a text depends on no other
    text and, on the same kind of processor, comes out the same every time.

    Args:
        options: See :class:`RateNerOptions`.

    Raises:
        SyncxrError: The model is not there, or has other labels than RaTE-NER.
    """

    Options = RateNerOptions
    name = "rate-ner"

    def __init__(self, options: RateNerOptions | None = None) -> None:
        self.options = options or RateNerOptions()
        self._network = TextNetwork("AutoModelForTokenClassification", self.options, self.name)
        self.batch = self.options.at_once()
        labels = self._network.model.config.id2label
        self._labels = [_canonical(labels[i]) for i in range(len(labels))]
        unknown = [labels[i] for i, label in enumerate(self._labels) if label is None]
        if unknown:
            raise SyncxrError(
                f"rate-ner: model {self.options.model!r} has the label {unknown[0]!r}; needed are "
                f"O, and B- and I- of {', '.join(Category)}"
            )

    def extract(self, texts: Sequence[str]) -> list[list[Mention]]:
        """Mentions of each text, in the order of their words."""
        sentences = [
            (number, start, text[start:end])
            for number, text in enumerate(texts)
            for start, end in sentence_bounds(text)
        ]
        found: list[list[Mention]] = [[] for _ in texts]
        labelled = self._spans([sentence for _, _, sentence in sentences])
        for (number, offset, sentence), spans in zip(sentences, labelled, strict=True):
            found[number] += [
                Mention(
                    entity(sentence[s.start : s.end], s.category), offset + s.start, offset + s.end
                )
                for s in spans
            ]
        return found

    def provenance(self) -> dict[str, Any]:
        """Which extractor this is, JSON values only."""
        return {
            "name": self.name,
            **self.options.identity(),
            "window": self.options.window,
            "overlap": self.options.overlap,
        }

    def _spans(self, sentences: list[str]) -> Iterator[list[Span]]:
        windows = list(self._windows(sentences)) if sentences else []
        pieces: list[list[tuple[int, int]]] = [[] for _ in sentences]
        tags: list[list[str]] = [[] for _ in sentences]
        best = dict(
            self._network.run([w.ids for w in windows], lambda out, _: out.logits.argmax(-1))
        )
        for number, window in enumerate(windows):
            labels = [self._labels[i] or OUTSIDE for i in best[number][: len(window.ids)].tolist()]
            pieces[window.sentence] += window.offsets[window.kept]
            tags[window.sentence] += labels[window.kept]
        for text, places, own in zip(sentences, pieces, tags, strict=True):
            yield merge(text, words_of(text, places, own))

    def _windows(self, sentences: list[str]) -> Iterator[_Sequence]:
        encoded = self._network.tokenizer(
            sentences,
            truncation=True,
            max_length=min(self.options.window, self._network.longest),
            stride=self.options.overlap,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
        )
        owners = encoded["overflow_to_sample_mapping"]
        for i, owner in enumerate(owners):
            special = encoded["special_tokens_mask"][i]
            # Special tokens stand at the ends alone; an empty piece is passed over later.
            offsets = [
                (0, 0) if hidden else tuple(place)
                for place, hidden in zip(encoded["offset_mapping"][i], special, strict=True)
            ]
            first = i == 0 or owners[i - 1] != owner
            last = i + 1 == len(owners) or owners[i + 1] != owner
            head, tail = _specials(special)
            half = self.options.overlap // 2
            start = head if first else head + self.options.overlap - half
            end = len(offsets) - tail - (0 if last else half)
            yield _Sequence(owner, encoded["input_ids"][i], offsets, slice(start, end))


def sentence_bounds(text: str) -> Iterator[tuple[int, int]]:
    """First and one past the last character of each sentence, white space between left out.

    A sentence ends at a full stop, exclamation or question mark before white space, or at an empty
    line; a single line break is a space, for reports are wrapped.
    """
    start = 0
    for gap in [*_SENTENCE_END.finditer(text), None]:
        end = gap.start() if gap else len(text)
        if text[start:end].strip():
            yield start, end
        start = gap.end() if gap else end


def entity(words: str, category: str) -> Entity:
    """A span as an entity; the module's docstring has the table."""
    kind = Category(category)
    present = kind in (Category.ABNORMALITY, Category.DISEASE)
    polarity = Polarity.PRESENT if present else Polarity.ABSENT
    return Entity(" ".join(words.lower().split()), kind, polarity)


def _canonical(label: str) -> str | None:
    """A model's label in our spelling; None if it is none of RaTE-NER's."""
    tag, _, category = label.upper().replace("_", "-").partition("-")
    if tag == OUTSIDE and not category:
        return OUTSIDE
    return f"{tag}-{category}" if tag in ("B", "I") and category in set(Category) else None


def _arg_max(output: Any, _: Any) -> Any:
    return output.logits.argmax(-1)


def _specials(mask: Sequence[int]) -> tuple[int, int]:
    """Special tokens at the beginning and at the end."""
    head = next((i for i, hidden in enumerate(mask) if not hidden), len(mask))
    tail = next((i for i, hidden in enumerate(reversed(mask)) if not hidden), len(mask))
    return head, min(tail, len(mask) - head)
