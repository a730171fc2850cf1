"""Scores of grounded cases: means with intervals at each threshold, and what no model reaches."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from syncxr.evaluation.metrics.bootstrap import Resamples, totals
from syncxr.evaluation.metrics.masks import OVERLAPS, overlaps
from syncxr.evaluation.prompts import PromptSet
from syncxr.evaluation.scoring.classification import FIXED
from syncxr.evaluation.scoring.predictions import unit_words
from syncxr.evaluation.scoring.results import NAN, THRESHOLD_FREE, VALIDATION
from syncxr.evaluation.scoring.sheet import About, Scored, Sheet
from syncxr.evaluation.zero_shot.cases import CUTS, MAP_MEASURES, Case, Grounded
from syncxr.evaluation.zero_shot.grounding import SIZE, TASK

Floats = NDArray[np.float64]

SWEPT = "swept on test"
"""``Result.protocol`` of the threshold with the greatest mean IoU on the test set itself:
optimistic by construction."""

CHANCE = "no model"
"""``Result.model`` of the baseline: a blind point (its hit rate is the share of the film that the
mask covers), the whole film called positive (the overlaps), a flat map (CNR)."""

_FIXED = int(np.searchsorted(CUTS, 0.5))


def score_grounding(
    grounded: Grounded,
    prompt_set: PromptSet,
    *,
    model: str,
    validation: Grounded | None = None,
    preprocessing: str = "",
    least_positives: int = 1,
    samples: int = 1000,
    seed: int = 0,
) -> Scored:
    """Mean of each measure over the cases of each finding, with intervals by patient.

    Overlaps are taken at the fixed threshold .5, at the best of :data:`CUTS` on the test set
    (:data:`SWEPT`) and, where validation cases are given, at the best on those.

    Args:
        grounded: Cases of the test set.
        prompt_set: That was asked with.
        model: Name of the checkpoint.
        validation: The same model's cases on other films.
        preprocessing: How films were prepared.
        least_positives: Findings with fewer cases stay out of means.
        samples: Bootstrap samples.
        seed: Seed of the bootstrap.
    """
    about = About(TASK, model, prompt_set.title, preprocessing)
    scorer = _Scorer(grounded, about, least_positives, samples, seed)
    for finding in grounded.findings:
        cases = grounded.of(finding)
        free = np.array([case.free for case in cases]).reshape(-1, len(MAP_MEASURES))
        measures = [
            _Measure(THRESHOLD_FREE, name, free[:, k]) for k, name in enumerate(MAP_MEASURES)
        ]
        every = _overlaps(cases)
        choices: dict[str, int | None] = {FIXED: _FIXED, SWEPT: _best(every)}
        if validation is not None:
            choices = {VALIDATION: _best(_overlaps(validation.of(finding))), **choices}
        for protocol, place in choices.items():
            measures += _overlap_measures(protocol, every, place)
        scorer.add(finding, cases, measures)
    return scorer.finish()


def score_chance(
    grounded: Grounded, *, least_positives: int = 1, samples: int = 1000, seed: int = 0
) -> Scored:
    """What no model reaches on the same cases: see :data:`CHANCE`."""
    scorer = _Scorer(grounded, About(TASK, CHANCE), least_positives, samples, seed)
    for finding in grounded.findings:
        cases = grounded.of(finding)
        share = np.array([case.share for case in cases])
        flat = np.zeros(len(share))
        whole = overlaps(share, np.ones_like(share), share)
        scorer.add(
            finding,
            cases,
            [
                _Measure(THRESHOLD_FREE, MAP_MEASURES[0], share),
                *(_Measure(THRESHOLD_FREE, name, flat) for name in MAP_MEASURES[1:]),
                *(
                    _Measure("whole film called", name, whole[:, column], 0.0)
                    for column, name in enumerate(OVERLAPS)
                ),
            ],
        )
    return scorer.finish()


@dataclass(frozen=True)
class _Measure:
    """One measure of every case of a finding; NaN where there is no threshold for it."""

    protocol: str
    metric: str
    values: Floats
    threshold: float = NAN


def _overlap_measures(protocol: str, every: Floats, place: int | None) -> list[_Measure]:
    """Overlaps (N, T, 4) at one of the thresholds, or at none."""
    if place is None:
        nothing = np.full(len(every), np.nan)
        return [_Measure(protocol, metric, nothing) for metric in OVERLAPS]
    return [
        _Measure(protocol, metric, every[:, place, column], float(CUTS[place]))
        for column, metric in enumerate(OVERLAPS)
    ]


class _Scorer:
    """Means over cases, all in the same bootstrap samples."""

    def __init__(
        self, grounded: Grounded, about: About, least_positives: int, samples: int, seed: int
    ) -> None:
        self._grounded = grounded
        self._resamples = Resamples([case.unit for case in grounded.cases], samples, seed)
        self._first = 0
        place = {"test_set": grounded.test_set, "split": grounded.split}
        self._sheet = Sheet(
            about, place, samples=samples, seed=seed, least_positives=least_positives
        )

    def add(self, finding: str, cases: Sequence[Case], measures: Sequence[_Measure]) -> None:
        """The next finding; its cases follow those of the finding before."""
        members = self._resamples.members[self._first : self._first + len(cases)]
        self._first += len(cases)
        table = np.stack([np.ones(len(cases)), *(m.values for m in measures)], 1)
        with np.errstate(invalid="ignore"):  # An infinite CNR times a count of 0.
            (sums,) = self._resamples.draw([totals(table, members, self._resamples.units)])
        drawn = np.where(sums[:, :1] > 0, sums[:, 1:] / np.maximum(sums[:, :1], 1), np.nan)
        for measure, draws in zip(measures, drawn.T, strict=True):
            value = float(measure.values.mean()) if cases else NAN
            self._sheet.add(
                finding,
                measure.protocol,
                measure.metric,
                value,
                draws,
                n=len(cases),
                positives=len(cases),
                units=unit_words(len(np.unique(members)), self._grounded.by_patient),
                note=self._note(finding, bool(cases), math.isnan(value)),
                threshold=measure.threshold,
            )

    def _note(self, finding: str, scored: bool, blind: bool) -> str:
        lost = self._grounded.vanished.get(finding, ())
        names = ", ".join(lost)
        if not scored:
            return f"every mask vanishes at {SIZE} × {SIZE}: {names}"
        if blind:
            return "no threshold: validation has no case"
        note = f"masks and maps at {SIZE} × {SIZE}, nearest; positives only"
        return (
            f"{note}; {len(lost)} masks vanish at that size, not scored: {names}" if lost else note
        )

    def finish(self) -> Scored:
        """All rows with their means."""
        cases = self._grounded.cases
        text = "\n".join(f"{c.finding}\0{c.item}\0{c.unit}\0{c.share}" for c in cases)
        return self._sheet.finish(
            hashlib.sha256(text.encode()).hexdigest(),
            n=len({case.item for case in cases}),
            units=unit_words(self._resamples.units, self._grounded.by_patient),
        )


def _overlaps(cases: Sequence[Case]) -> Floats:
    """Overlaps of all cases, (N, T, 4)."""
    return np.array([case.overlap for case in cases]).reshape(-1, len(CUTS), len(OVERLAPS))


def _best(every: Floats) -> int | None:
    """Place of the threshold with the greatest mean IoU; the highest of equally good ones."""
    if not len(every):
        return None
    means = every[:, :, 0].mean(0)
    return len(means) - 1 - int(means[::-1].argmax())
