"""What every image judge offers: the paper's six questions, answered per film."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator

from syncxr.errors import SyncxrError
from syncxr.sample import Image

QUESTIONS: dict[str, str] = {
    "chest": "Is this a chest X-ray?",
    "human": "Is it an X-ray of a human?",
    "frontal": "Is it a frontal view?",
    "quality": "Is the quality acceptable (resolution, contrast, blur)?",
    "artefact_free": "Is it free of artefacts and over-processing?",
    "fidelity": "Is it of high fidelity (detail, anatomy)?",
}
"""The six yes/no checks of the paper (section 4.1 there); yes is good."""

HALF = dict.fromkeys(QUESTIONS, 0.5)
"""Thresholds of a judge that says yes and no: the likelier one."""

SIMILAR = "similar_to_bad"
"""The seventh reason, beside the names of the questions."""

UNANSWERED = "unanswered"
"""The reason of a film about which a judge gave no usable answer: it does not pass."""


@dataclass(frozen=True)
class Verdict:
    """What a judge says of one film.

    Attributes:
        answers: Question (key of :data:`QUESTIONS`) to probability of yes, in [0, 1]; a question
            without a usable answer is left out.
        similarity: Greatest cosine similarity to a known-bad film, in [-1, 1]; ``None`` where
            films are not compared.
        reasons: Names of the questions failed, :data:`SIMILAR`, :data:`UNANSWERED`; empty =
            passed.
    """

    answers: dict[str, float]
    similarity: float | None = None
    reasons: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether no question was failed."""
        return not self.reasons

    @property
    def scores(self) -> dict[str, float]:
        """Every number, by name: thresholds can be moved later without judging again."""
        if self.similarity is None:
            return dict(self.answers)
        return {**self.answers, "similarity_to_bad": self.similarity}


class Judge(Protocol):
    """Looks at films of any size; answers depend on the film alone (see design: padded batches).

    A judge may also have an attribute ``record``: JSON values that its answers depend on, kept
    with every film.
    """

    name: str

    def judge(self, images: Sequence[Image]) -> list[Verdict]:
        """One verdict a film, in order."""
        ...


class VerdictOptions(BaseModel):
    """How answers become a verdict; options of every judge.

    Attributes:
        thresholds: Question to the least probability of yes that passes, in [0, 1], instead of
            the judge's own.
        deciding: What may refuse a film: names of questions, and ``"similar_to_bad"``. The rest
            is answered and kept, but refuses nothing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    thresholds: dict[str, float] = Field(default_factory=dict)
    deciding: tuple[str, ...] = (*QUESTIONS, SIMILAR)

    @field_validator("thresholds")
    @classmethod
    def _known_questions(cls, value: dict[str, float]) -> dict[str, float]:
        for question, threshold in value.items():
            if question not in QUESTIONS:
                raise ValueError(f"{question!r} is no question; known: {', '.join(QUESTIONS)}")
            if not 0 <= threshold <= 1:
                raise ValueError(f"{question!r}: {threshold} is not in [0, 1]")
        return value

    @field_validator("deciding")
    @classmethod
    def _known_reasons(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        known = (*QUESTIONS, SIMILAR)
        if not value:
            raise ValueError("name at least one question, or every film passes")
        for reason in value:
            if reason not in known:
                raise ValueError(f"{reason!r} decides nothing; known: {', '.join(known)}")
        return value

    def verdict(
        self,
        answers: Mapping[str, float],
        thresholds: Mapping[str, float],
        similarity: float | None,
        max_similarity: float,
    ) -> Verdict:
        """Hold answers against thresholds.

        Args:
            answers: Question to probability of yes; those without a usable answer left out.
            thresholds: The judge's own, for the questions that ``self.thresholds`` does not name.
            similarity: Greatest cosine to a known-bad film, ``None`` = not compared.
            max_similarity: Greatest that passes.
        """
        limits = {**thresholds, **self.thresholds}
        asked = [question for question in QUESTIONS if question in self.deciding]
        reasons = [q for q in asked if q in answers and answers[q] < limits[q]]
        if any(question not in answers for question in asked):
            reasons.append(UNANSWERED)
        if SIMILAR in self.deciding and similarity is not None and similarity > max_similarity:
            reasons.append(SIMILAR)
        ordered = {question: answers[question] for question in QUESTIONS if question in answers}
        return Verdict(ordered, similarity, tuple(reasons))


def record_of(judge: Judge) -> dict[str, Any]:
    """What a judge's answers depend on, JSON values; empty where it does not say."""
    return dict(getattr(judge, "record", {}))


def checked(image: Image, index: int) -> Image:
    """The image, if it is a film that can be looked at; ``index`` names it in the message."""
    shape = getattr(image, "shape", ())
    if len(shape) != 2 or image.dtype != np.uint8 or min(shape) < 16:
        raise SyncxrError(
            f"image {index}: expected greyscale uint8 of at least 16 × 16 pixels, got "
            f"{getattr(image, 'dtype', type(image).__name__)} {shape}; convert it first"
        )
    return image
