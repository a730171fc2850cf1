"""Scores on the held-out simulated test set, which ``testsets/making.py`` makes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from syncxr.evaluation.prompts import load_prompt_set
from syncxr.evaluation.reporting.score_tables import (
    PointingTable,
    ScoreTable,
    pointing_table,
    score_table,
)
from syncxr.evaluation.testsets.simulated import NOTE, Simulated
from syncxr.evaluation.zero_shot.classification import (
    Model,
    predict,
    preprocessing_words,
    score_zero_shot,
)
from syncxr.evaluation.zero_shot.grounding import ground
from syncxr.evaluation.zero_shot.grounding_scores import score_chance, score_grounding


@dataclass(frozen=True)
class SimulatedResult:
    """Scores on the held-out simulated films.

    Attributes:
        classification: AUROC by finding.
        grounding: Pointing game by finding.
    """

    classification: ScoreTable
    grounding: PointingTable

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "classification": self.classification.to_dict(),
            "grounding": self.grounding.to_dict(),
        }


def evaluate(
    model: Model,
    dataset: Path,
    *,
    prompt_set: str = "pair",
    name: str = "checkpoint",
    samples: int = 1000,
    seed: int = 0,
) -> SimulatedResult:
    """Zero-shot classification and grounding on all films of the set.

    Raises:
        SyncxrError: Unknown prompt set, or no dataset there.
    """
    films, prompts = Simulated(dataset), load_prompt_set(prompt_set)
    prepared = preprocessing_words(model)
    classified = score_zero_shot(
        predict(model, films, prompts),
        prompts,
        model=name,
        preprocessing=prepared,
        samples=samples,
        seed=seed,
    )
    pointed = ground(model, films, prompts)
    grounded = score_grounding(
        pointed, prompts, model=name, preprocessing=prepared, samples=samples, seed=seed
    )
    chance = score_chance(pointed, samples=samples, seed=seed)
    return SimulatedResult(
        score_table("Zero-shot classification", classified.results, notes=films.info.notes),
        pointing_table(grounded.results, chance.results, notes=(NOTE,)),
    )
