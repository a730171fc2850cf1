"""Zero-shot scores on real films, raw and by stricter rules.

The rules, and why: abnormal films of a hospital differ from its normal ones in exposure, view and
equipment, so a score over all films can be had without seeing any disease. A score counts when
films are histogram-equalised, when it is taken within the abnormal films or against normal ones of
the same view and brightness, and when the score of brightness alone stands beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from syncxr.evaluation.films.decoded import Recipe
from syncxr.evaluation.prompts import PromptSet
from syncxr.evaluation.scoring.classification import score
from syncxr.evaluation.scoring.predictions import Predictions
from syncxr.evaluation.scoring.sheet import About, Scored
from syncxr.evaluation.testsets.test_set import TestSet
from syncxr.evaluation.zero_shot.classification import (
    TASK,
    Classifier,
    Films,
    predict,
    preprocessing_words,
)
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
    """Ask a model twice a film, as it is and equalised; then :func:`score_strictly`.

    Args:
        model: With its own preprocessing.
        test_set: Films, labels and views.
        prompt_set: Texts.
        name: Of the checkpoint.
        findings: Which of the set's findings are scored; all by default.
        samples: Bootstrap samples.
        seed: Seed of the bootstrap.

    Raises:
        SyncxrError: A film does not open, or a label or score is wrong; names file and row.
    """
    greys = np.empty((len(test_set), 2))

    def measured(place: int, film: Image) -> Image:
        greys[place] = grey_scores(film)
        return film

    raw, flat = (
        predict(model, test_set, prompt_set, findings=findings, films=Films(test_set, prepare))
        for prepare in (measured, lambda _, film: equalise(film))
    )
    about = About(TASK, name, prompt_set.title, preprocessing_words(model))
    return score_strictly(raw, flat, greys, test_set, about, samples=samples, seed=seed)


def score_strictly(
    raw: Predictions,
    flat: Predictions,
    greys: NDArray[np.float64],
    test_set: TestSet,
    about: About,
    *,
    samples: int = 1000,
    seed: int = 0,
) -> list[Scored]:
    """Score a set raw and by the rules of this module.

    A film counts as abnormal when any of the set's findings is labelled 1, as normal when all are
    labelled 0; a film that is neither (something unlabelled) is in none of the stricter tables.

    Args:
        raw: Of the films as they are.
        flat: Of the same films, equalised.
        greys: :func:`grey_scores` of each, (N, 2).
        test_set: Labels and views.
        about: Model and texts.
        samples: Bootstrap samples.
        seed: Seed of the bootstrap.

    Returns:
        For each of :data:`PROTOCOLS` the model's scores, then those of brightness alone.
    """
    dark, flat_dark = np.asarray(greys, np.float64).T
    every = np.array([[item.labels[f] for f in test_set.findings] for item in test_set.items])
    abnormal = (every == 1).any(1)
    normal = (every == 0).all(1)
    strata = _strata([item.view for item in test_set.items], dark)
    found = []
    for protocol, predictions, grey in (
        (RAW, raw, dark),
        (WITHIN_ABNORMAL, _only(flat, abnormal[:, None]), flat_dark),
        (STRATIFIED, _only(flat, (flat.labels == 1) | normal[:, None]), flat_dark),
    ):
        alone = np.repeat(grey[:, None], len(raw.findings), axis=1)
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


def grey_scores(film: Image) -> NDArray[np.float64]:
    """:func:`brightness_score` of a film as it is, and equalised; (2,)."""
    return np.array([brightness_score(film), brightness_score(equalise(film))])


GREYS = Recipe("greys", {"measure": BRIGHTNESS}, (2,), np.float64, grey_scores)
"""What is kept of a set's films for the baseline."""


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
