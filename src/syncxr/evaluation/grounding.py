"""Zero-shot grounding: does the model point at the finding it is asked for.

Positives only. The map of a text (bilinear to the film's size and min–max normalised by the model)
and the true mask are read at the same 224 × 224 places, nearest: the field's masks at 224 × 224,
with no second interpolation of the map.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from syncxr.errors import SyncxrError
from syncxr.evaluation.bootstrap import Resamples, totals
from syncxr.evaluation.mask_metrics import (
    OVERLAPS,
    contrast_to_noise,
    overlaps,
    pointing_hit,
    swept,
)
from syncxr.evaluation.predictions import split_name, unit_words
from syncxr.evaluation.prompts import PromptSet
from syncxr.evaluation.results import NAN, THRESHOLD_FREE, VALIDATION
from syncxr.evaluation.scored import About, Scored, Sheet
from syncxr.evaluation.scoring import FIXED
from syncxr.evaluation.testsets.test_set import Item, TestSet
from syncxr.pretraining.prompt import Prompt
from syncxr.progress import bar
from syncxr.sample import Image, Mask

Floats = NDArray[np.float64]

_Value = TypeVar("_Value", bound=np.generic)

TASK = "zero-shot grounding"

SIZE = 224
"""Side of the grid at which maps and masks are compared."""

SWEPT = "swept on test"
"""``Result.protocol`` of the threshold with the greatest mean IoU on the test set itself:
optimistic by construction."""

CHANCE = "no model"
"""``Result.model`` of the baseline: a blind point (its hit rate is the share of the film that the
mask covers), the whole film called positive (the overlaps), a flat map (CNR)."""

CUTS = np.arange(1, 20) / 20
"""Thresholds of the sweep; one of them is the fixed .5."""

_FIXED = int(np.searchsorted(CUTS, 0.5))

_FREE = ("pointing game", "CNR", "CNR (signed)")


class Grounder(Protocol):
    """A model that points."""

    def ground(self, image: Image, phrase: str) -> NDArray[np.float32]:
        """Map in [0, 1] of the image's shape."""
        ...


@dataclass(frozen=True)
class Case:
    """One finding asked for in one film.

    Attributes:
        finding: Name.
        item: Id of the film.
        unit: Its patient, or the film.
        share: Part of the film that the mask covers.
        free: Pointing game, CNR and signed CNR.
        overlap: (T, 4), :data:`~.mask_metrics.OVERLAPS` at each of :data:`CUTS`.
    """

    finding: str
    item: str
    unit: str
    share: float
    free: tuple[float, float, float]
    overlap: Floats


@dataclass(frozen=True)
class Grounded:
    """Every case of a test set.

    Attributes:
        test_set: Its name.
        split: Its split and the hash of its ids.
        by_patient: Whether units are patients.
        findings: What was asked for, in order.
        cases: In order of findings.
        vanished: Finding to the films whose mask is too thin for the grid: they are not scored.
    """

    test_set: str
    split: str
    by_patient: bool
    findings: tuple[str, ...]
    cases: tuple[Case, ...]
    vanished: dict[str, tuple[str, ...]]

    def of(self, finding: str) -> list[Case]:
        """Cases of one finding."""
        return [case for case in self.cases if case.finding == finding]


def ground(
    model: Grounder,
    test_set: TestSet,
    prompt_set: PromptSet,
    *,
    findings: Sequence[str] | None = None,
) -> Grounded:
    """Ask for every outlined finding of every film.

    Args:
        model: Asked with the affirming texts of the prompt set; maps of several texts are
            averaged, or their maximum is taken, as the set combines its texts.
        test_set: Films and masks.
        prompt_set: Texts.
        findings: Which of ``test_set.targets``; all by default.

    Raises:
        SyncxrError: The model has no maps; nothing is outlined; a film or mask does not open or
            is of another size; names file and row.
    """
    if not hasattr(model, "ground"):
        raise SyncxrError(
            f"{type(model).__name__} has no similarity maps; grounding needs a checkpoint of a "
            "method that locates (convirt)"
        )
    asked = tuple(findings or test_set.targets)
    wanted = [(finding, item) for finding in asked for item in _positives(test_set, finding)]
    if not wanted:
        names = ", ".join(asked) or "anything"
        raise SyncxrError(f"{test_set.name}: no film outlines {names}; nothing to ground")
    unit = dict(zip((item.id for item in test_set.items), test_set.units, strict=True))
    cases: list[Case] = []
    vanished: dict[str, tuple[str, ...]] = {}
    with bar("grounding", len(wanted)) as progress:
        for finding, item in wanted:
            mask = test_set.mask(item, finding)
            if mask is not None and mask.any():
                small = _at_grid(mask)
                if small.any():
                    heat = _map(model, test_set.film(item), prompt_set.prompt(finding), item)
                    cases.append(_case(finding, item.id, unit[item.id], _at_grid(heat), small))
                else:
                    vanished[finding] = (*vanished.get(finding, ()), item.id)
            progress.advance()
    return Grounded(
        test_set=test_set.name,
        split=split_name(test_set),
        by_patient=test_set.by_patient,
        findings=tuple(f for f in asked if f in vanished or any(c.finding == f for c in cases)),
        cases=tuple(cases),
        vanished=vanished,
    )


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
        free = np.array([case.free for case in cases]).reshape(-1, len(_FREE))
        measures = [_Measure(THRESHOLD_FREE, name, free[:, k]) for k, name in enumerate(_FREE)]
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
                _Measure(THRESHOLD_FREE, _FREE[0], share),
                *(_Measure(THRESHOLD_FREE, name, flat) for name in _FREE[1:]),
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


def _positives(test_set: TestSet, finding: str) -> list[Item]:
    """Films in which somebody outlined a finding and no label denies it."""
    return [item for item in test_set.outlined(finding) if item.labels.get(finding) != 0]


def _map(model: Grounder, film: Image, prompt: Prompt, item: Item) -> NDArray[np.float32]:
    """Map of the affirming texts together, in [0, 1], of the film's shape."""
    maps = np.stack([model.ground(film, text) for text in prompt.positive])
    if maps.shape[1:] != film.shape:
        raise ValueError(f"map {maps.shape[1:]} of a film {film.shape}: it must have its shape")
    heat = maps.max(0) if prompt.combine == "max" else maps.mean(0)
    if not np.isfinite(heat).all():
        raise SyncxrError(
            f"{item.where or item.path}: the model's map is not finite; its weights are damaged "
            "or its training diverged"
        )
    low, high = heat.min(), heat.max()
    return np.asarray((heat - low) / (high - low) if high > low else heat * 0, np.float32)


def _at_grid(values: NDArray[_Value]) -> NDArray[_Value]:
    """Values (H, W) at the centres of a :data:`SIZE` × :data:`SIZE` grid, nearest."""
    rows, columns = (
        np.minimum(((np.arange(SIZE) + 0.5) * side / SIZE).astype(np.intp), side - 1)
        for side in values.shape
    )
    return np.asarray(values[rows[:, None], columns])


def _case(finding: str, item: str, unit: str, heat: NDArray[np.float32], mask: Mask) -> Case:
    signed = contrast_to_noise(heat, mask)
    return Case(
        finding=finding,
        item=item,
        unit=unit,
        share=float(mask.mean()),
        free=(pointing_hit(heat, mask), abs(signed), signed),
        overlap=swept(heat, mask, CUTS),
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
