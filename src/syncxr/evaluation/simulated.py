"""Scores on the held-out simulated test set, which ``testsets/making.py`` makes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from syncxr.dataset.reader import read
from syncxr.evaluation.grounding import Case, PointingTable, pointing_game
from syncxr.evaluation.prompts import load_prompts
from syncxr.evaluation.tables import Column, ScoreTable, score_table
from syncxr.evaluation.testsets.making import SimulatedOptions, make, plan, wording
from syncxr.evaluation.testsets.simulated import ALIKE, NOTE
from syncxr.evaluation.zero_shot import Model, zero_shot_scores
from syncxr.sample import Polarity, Sample

__all__ = ["SimulatedOptions", "SimulatedResult", "evaluate", "make", "plan", "wording"]


@dataclass(frozen=True)
class SimulatedResult:
    """Scores on the held-out simulated films."""

    classification: ScoreTable
    grounding: PointingTable

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "classification": self.classification.to_dict(),
            "grounding": self.grounding.to_dict(),
        }

    def to_rich(self) -> list[Table]:
        """Both tables, for the screen."""
        return [self.classification.to_rich(), self.grounding.to_rich()]


def evaluate(
    model: Model,
    dataset: Path,
    *,
    prompt_set: str = "pair",
    samples: int = 1000,
    seed: int = 0,
) -> SimulatedResult:
    """Zero-shot classification and pointing game on a test set made by :func:`make`.

    Raises:
        SyncxrError: Unknown prompt set, or no dataset there.
    """
    films = list(read(dataset))
    findings = list(wording())
    prompts = load_prompts().prompts(prompt_set, findings)
    images = [film.image for film in films if film.image is not None]
    scores = zero_shot_scores(model, images, prompts)
    names = [film.id for film in films]
    shown = [_shown(film) for film in films]
    columns = []
    for index, finding in enumerate(findings):
        labels = np.array([finding in found for found in shown])
        alike = {other for pair in ALIKE if finding in pair for other in pair} - {finding}
        fair = labels | np.array([not found & alike for found in shown])
        units = [name for name, kept in zip(names, fair, strict=True) if kept]
        columns.append(Column(finding, labels[fair], scores[fair, index], units))
    test_set = f"held-out simulated set ({len(films)} films)"
    return SimulatedResult(
        score_table(
            "Zero-shot classification",
            columns,
            test_set=test_set,
            prompt_set=prompt_set,
            units="films resampled",
            samples=samples,
            seed=seed,
            notes=(NOTE, "A film with consolidation is no negative for opacity, nor the reverse."),
        ),
        pointing_game(
            model, _cases(films), test_set=test_set, samples=samples, seed=seed, notes=(NOTE,)
        ),
    )


def _shown(film: Sample) -> set[str]:
    """Concepts that the renderer put into a film."""
    shown = set(film.provenance["film"]["shown"])
    return {entity.concept for entity in film.entities if str(entity) in shown}


def _cases(films: Sequence[Sample]) -> Iterator[Case]:
    """Every finding with a mask, asked for by its statement."""
    for film in films:
        for entity in film.entities:
            mask = film.masks.get(str(entity))
            if film.image is None or mask is None or not mask.any():
                continue
            if entity.polarity is Polarity.PRESENT:
                yield Case(entity.concept, str(entity), film.image, mask)
