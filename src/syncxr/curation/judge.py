"""What every image judge offers: the paper's six questions, answered per film."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

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


@dataclass(frozen=True)
class Verdict:
    """What a judge says of one film.

    Attributes:
        answers: Question (key of :data:`QUESTIONS`) to probability of yes, in [0, 1].
        similarity: Greatest cosine similarity to a known-bad film, in [-1, 1].
        reasons: Names of the questions failed, plus ``"similar_to_bad"``; empty = passed.
    """

    answers: dict[str, float]
    similarity: float
    reasons: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether no question was failed."""
        return not self.reasons


class Judge(Protocol):
    """Looks at films of any size; answers depend on the film alone (see design: padded batches)."""

    name: str

    def judge(self, images: Sequence[Image]) -> list[Verdict]:
        """One verdict a film, in order."""
        ...
