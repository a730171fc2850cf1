"""The held-out simulated test set: other patients, other words, true masks; one source CT.

Each film shows no, one or two findings, every finding equally often. Its text comes from
sentences written by hand that the report grammar cannot make, and its patient has at least one
deformation parameter outside the range of all training patients. What a film is said to show is
what the renderer put into it, not what the text asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field
from rich.table import Table

from syncxr.dataset.reader import read
from syncxr.entities.extraction import extract
from syncxr.evaluation.grounding import Case, PointingTable, pointing_game
from syncxr.evaluation.prompts import load_prompts
from syncxr.evaluation.tables import Column, ScoreTable, score_table
from syncxr.evaluation.zero_shot import Model, zero_shot_scores
from syncxr.factory.executors import LocalExecutor
from syncxr.factory.films import FilmStage
from syncxr.factory.run_folder import open_run
from syncxr.factory.runner import cut, run_stage
from syncxr.registry import BackendSpec
from syncxr.reports.grammar import Grammar, parse
from syncxr.sample import Polarity, Sample, derive_seed, sample_id

NOTE = "Simulated films, all from one source CT: says nothing of real patients."

_PLAN_SEED = 9000
"""Ids of test samples start here, so that none shares its seeds with a training sample."""

_SHARD = 50

_ALIKE = (frozenset({"consolidation", "opacity"}),)
"""Findings that radiologists use for the same shadow: a film with one of them says nothing about
the other, so it is left out of the other's negatives, and no film has both."""


class SimulatedOptions(BaseModel):
    """Size and kind of the test set.

    Attributes:
        films: Number of films; a quarter shows nothing, a half one finding, a quarter two.
        seed: Decides findings, words, patients and noise.
        renderer: Image model; the simulation's ``held_out`` population.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    films: int = Field(default=300, ge=8)
    seed: int = Field(default=0, ge=0, le=999)
    renderer: BackendSpec = BackendSpec.model_validate(
        {"name": "simulation", "population": "held_out"}
    )


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


@cache
def wording() -> dict[str, tuple[str, ...]]:
    """Finding to the patterns of its sentences."""
    raw = yaml.safe_load((Path(__file__).parent / "held_out_wording.yaml").read_text("utf-8"))
    return {finding: tuple(patterns) for finding, patterns in raw.items()}


def plan(options: SimulatedOptions) -> list[Sample]:
    """Texts of all films, with the statements that they make; deterministic."""
    generator = np.random.default_rng(derive_seed(str(options.seed), "simulated test set", 0))
    deck: Iterator[str] = _deck(generator)
    samples = []
    for index in range(options.films):
        count = (0, 1, 1, 2)[index % 4]
        chosen: list[str] = []
        passed_over: list[str] = []
        while len(chosen) < count:
            finding = next(deck)
            clash = any({finding, other} in (*_ALIKE, {finding}) for other in chosen)
            (passed_over if clash else chosen).append(finding)
        deck = chain(passed_over, deck)
        patterns = [wording()[finding] for finding in chosen]
        drawn = [choices[generator.integers(len(choices))] for choices in patterns]
        text = " ".join(Grammar(parse(pattern)).walk(generator) for pattern in drawn)
        entities = tuple(dict.fromkeys(mention.entity for mention in extract(text)))
        name = sample_id(_PLAN_SEED + options.seed, index)
        samples.append(Sample(name, entities, findings=text))
    return samples


def make(options: SimulatedOptions, folder: Path, workers: int = 1) -> Path:
    """Render the test set into ``folder``, going on where an earlier call stopped.

    Returns:
        The dataset folder, to be given to :func:`evaluate`.

    Raises:
        SyncxrError: The folder holds another test set or cannot be written.
    """
    stage = FilmStage(options.renderer, judge=None, max_attempts=1, require_shown=False)
    with open_run(folder, {"simulated test set": options.model_dump(mode="json")}):
        run_stage(folder, stage, cut(plan(options), _SHARD), LocalExecutor(workers))
    return folder / "dataset"


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
        alike = {other for pair in _ALIKE if finding in pair for other in pair} - {finding}
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


def _deck(generator: np.random.Generator) -> Iterator[str]:
    """Findings without end, each once before any comes again."""
    while True:
        for index in generator.permutation(len(wording())):
            yield list(wording())[index]


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
