"""Zero-shot scores on real films, raw and by stricter rules.

The rules, and why: abnormal films of a hospital differ from its normal ones in exposure, view and
equipment, so a score over all films can be had without seeing any disease. A score counts when
films are histogram-equalised, when it is taken within the abnormal films or against normal ones of
the same view and brightness, and when the score of brightness alone stands beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from syncxr.evaluation.grounding import ground, score_chance, score_grounding
from syncxr.evaluation.predictions import Predictions
from syncxr.evaluation.prompts import PromptSet, load_prompt_set
from syncxr.evaluation.results import Result
from syncxr.evaluation.scored import About, Scored
from syncxr.evaluation.scoring import score
from syncxr.evaluation.tables import ScoreTable, overlap_table, pointing_table, score_table
from syncxr.evaluation.testsets.test_set import TestSet
from syncxr.evaluation.zero_shot import TASK, Classifier, Films, Model, predict, preprocessing_words
from syncxr.pretraining.preprocessing import equalise
from syncxr.sample import Image

LEAST_POSITIVES = 10
"""Findings with fewer get an interval and stay out of means."""

RAW = "raw: proves little"
WITHIN_ABNORMAL = "equalised, within the abnormal films"
STRATIFIED = "equalised, against normal films of the same view and brightness quartile"

PROTOCOLS = (RAW, WITHIN_ABNORMAL, STRATIFIED)
"""``Result.protocol`` of the three tables."""

BRIGHTNESS = "brightness alone"
"""``Result.model`` of the baseline: minus the mean grey of the lateral thirds of a film."""


def evaluate_strictly(
    model: Classifier,
    test_set: TestSet,
    prompt_set: PromptSet,
    *,
    name: str,
    findings: Sequence[str] | None = None,
    samples: int = 1000,
    seed: int = 0,
) -> list[Scored]:
    """Score a set raw and by the rules of this module.

    A film counts as abnormal when any of the set's findings is labelled 1, as normal when all are
    labelled 0; a film that is neither (something unlabelled) is in none of the stricter tables.

    Args:
        model: Asked twice a film, as it is and equalised.
        test_set: Films, labels and views.
        prompt_set: Texts.
        name: Of the checkpoint.
        findings: Which of the set's findings are scored; all by default.
        samples: Bootstrap samples.
        seed: Seed of the bootstrap.

    Returns:
        For each of :data:`PROTOCOLS` the model's scores, then those of brightness alone.

    Raises:
        SyncxrError: A film does not open, or a label or score is wrong; names file and row.
    """
    dark, flat_dark = np.empty(len(test_set)), np.empty(len(test_set))

    def as_it_is(place: int, film: Image) -> Image:
        dark[place] = brightness_score(film)
        return film

    def equalised(place: int, film: Image) -> Image:
        flat = equalise(film)
        flat_dark[place] = brightness_score(flat)
        return flat

    raw, flat = (
        predict(model, test_set, prompt_set, findings=findings, films=Films(test_set, prepare))
        for prepare in (as_it_is, equalised)
    )
    every = np.array([[item.labels[f] for f in test_set.findings] for item in test_set.items])
    abnormal = (every == 1).any(1)
    normal = (every == 0).all(1)
    strata = _strata([item.view for item in test_set.items], dark)
    about = About(TASK, name, prompt_set.title, preprocessing_words(model))
    found = []
    for protocol, predictions, greys in (
        (RAW, raw, dark),
        (WITHIN_ABNORMAL, _only(flat, abnormal[:, None]), flat_dark),
        (STRATIFIED, _only(flat, (flat.labels == 1) | normal[:, None]), flat_dark),
    ):
        alone = np.repeat(greys[:, None], len(raw.findings), axis=1)
        for scores, of in (
            (predictions.scores, about),
            (alone, About(TASK, BRIGHTNESS)),
        ):
            found.append(
                score(
                    replace(predictions, scores=scores),
                    of,
                    protocol=protocol,
                    strata=strata if protocol == STRATIFIED else None,
                    least_positives=LEAST_POSITIVES,
                    samples=samples,
                    seed=seed,
                )
            )
    return found


@dataclass(frozen=True)
class StrictResult:
    """What was scored on films of one's own.

    Attributes:
        tables: For each of :data:`PROTOCOLS` the model's and that of brightness alone.
        grounding: Pointing game and overlaps for the screen; none where nothing is outlined.
        results: Every number.
    """

    tables: tuple[ScoreTable, ...]
    grounding: tuple[Table, ...]
    results: tuple[Result, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {"results": [row.to_dict() for row in self.results]}

    def to_rich(self) -> list[Table]:
        """All tables, for the screen."""
        return [*(table.to_rich() for table in self.tables), *self.grounding]


def evaluate(
    model: Model,
    test_set: TestSet,
    *,
    prompt_set: str = "pair",
    name: str = "checkpoint",
    samples: int = 1000,
    seed: int = 0,
) -> StrictResult:
    """:func:`evaluate_strictly`, and grounding of what is outlined, films as they are.

    Raises:
        SyncxrError: Unknown prompt set; a film, label or mask is wrong: names file and row.
    """
    prompts = load_prompt_set(prompt_set)
    strict = evaluate_strictly(model, test_set, prompts, name=name, samples=samples, seed=seed)
    tables = tuple(
        score_table(
            f"{_title(scored)}, {scored.results[0].protocol}",
            scored.results,
            least_positives=LEAST_POSITIVES,
        )
        for scored in strict
    )
    rows = [row for scored in strict for row in scored.results]
    if not any(test_set.outlined(target) for target in test_set.targets):
        return StrictResult(tables, (), tuple(rows))
    pointed = ground(model, test_set, prompts)
    grounded = score_grounding(
        pointed,
        prompts,
        model=name,
        preprocessing=preprocessing_words(model),
        least_positives=LEAST_POSITIVES,
        samples=samples,
        seed=seed,
    )
    chance = score_chance(pointed, least_positives=LEAST_POSITIVES, samples=samples, seed=seed)
    pointing = pointing_table(grounded.results, chance.results).to_rich()
    overlap = overlap_table(grounded.results, chance.results)
    return StrictResult(tables, (pointing, overlap), (*rows, *grounded.results, *chance.results))


def _title(scored: Scored) -> str:
    alone = scored.results[0].model == BRIGHTNESS
    return "Brightness alone" if alone else "Zero-shot classification"


def brightness_score(image: Image) -> float:
    """Minus the mean grey of the two lateral thirds of a film: no model at all."""
    third = image.shape[1] // 3
    return -float(np.concatenate([image[:, :third], image[:, -third:]], axis=1).mean())


def _only(predictions: Predictions, kept: NDArray[np.bool_]) -> Predictions:
    """Labels outside ``kept``, (N, K) or (N, 1), count as unlabelled."""
    return replace(predictions, labels=np.where(kept, predictions.labels, np.nan))


def _strata(views: Sequence[str], dark: NDArray[np.float64]) -> NDArray[np.int64]:
    """Number of each film's view × brightness quartile (quartiles of all films)."""
    quartile = np.searchsorted(np.quantile(dark, (0.25, 0.5, 0.75)), dark)
    names = sorted({*views})
    return np.array(
        [4 * names.index(view) + int(q) for view, q in zip(views, quartile, strict=True)]
    )
