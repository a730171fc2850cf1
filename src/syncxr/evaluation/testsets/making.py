"""The held-out simulated test set, made: other patients, other words, true masks; one source CT.

Each film shows no, one or two findings, every finding equally often. Its text comes from
sentences written by hand that the report grammar cannot make, and its patient has at least one
deformation parameter outside the range of all training patients. What a film is said to show is
what the renderer put into it, not what the text asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field

from syncxr.entities.extraction import extract
from syncxr.evaluation.testsets.simulated import ALIKE
from syncxr.factory.executors import LocalExecutor
from syncxr.factory.films import FilmStage
from syncxr.factory.options import ExecutionOptions
from syncxr.factory.run_folder import open_run
from syncxr.factory.runner import run_stage
from syncxr.factory.sources import cut
from syncxr.registry import BackendSpec
from syncxr.reports.grammar import Grammar, parse
from syncxr.sample import Sample, derive_seed, sample_id

_PLAN_SEED = 9000
"""Ids of test samples start here, so that none shares its seeds with a training sample."""

_SHARD = 50


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
            clash = any({finding, other} in (*ALIKE, {finding}) for other in chosen)
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
        executor = LocalExecutor(ExecutionOptions(workers=workers))
        run_stage(folder, stage, cut(plan(options), _SHARD), executor)
    return folder / "dataset"


def _deck(generator: np.random.Generator) -> Iterator[str]:
    """Findings without end, each once before any comes again."""
    while True:
        for index in generator.permutation(len(wording())):
            yield list(wording())[index]
