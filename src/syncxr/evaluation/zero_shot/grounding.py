"""Zero-shot grounding: does the model point at the finding it is asked for.

Positives only. The map of a text (bilinear to the film's size and min–max normalised by the model)
and the true mask are read at the same 224 × 224 places, nearest: the field's masks at 224 × 224,
with no second interpolation of the map.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from syncxr.errors import SyncxrError
from syncxr.evaluation.metrics.masks import (
    contrast_to_noise,
    pointing_hit,
    swept,
)
from syncxr.evaluation.prompts import PromptSet
from syncxr.evaluation.scoring.predictions import split_name
from syncxr.evaluation.testsets.test_set import Item, TestSet
from syncxr.pretraining.prompt import Prompt
from syncxr.progress import bar
from syncxr.sample import Image, Mask

Floats = NDArray[np.float64]

_Value = TypeVar("_Value", bound=np.generic)

TASK = "zero-shot grounding"

SIZE = 224
"""Side of the grid at which maps and masks are compared."""

CUTS = np.arange(1, 20) / 20
"""Thresholds of the sweep; one of them is the fixed .5."""

MAP_MEASURES = ("pointing game", "CNR", "CNR (signed)")
"""Measures of a map that need no threshold, in the order of :attr:`Case.free`."""


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
        overlap: (T, 4), :data:`~..metrics.masks.OVERLAPS` at each of :data:`CUTS`.
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


def _positives(test_set: TestSet, finding: str) -> list[Item]:
    """Films in which somebody outlined a finding and no label denies it."""
    return [item for item in test_set.outlined(finding) if item.labels.get(finding) != 0]


def _map(model: Grounder, film: Image, prompt: Prompt, item: Item) -> NDArray[np.float32]:
    """Map of the affirming texts together, in [0, 1], of the film's shape."""
    heat = np.full(film.shape, -np.inf if prompt.combine == "max" else 0.0, np.float32)
    for text in prompt.positive:  # One at a time: a map has the size of its film.
        own = model.ground(film, text)
        if own.shape != film.shape:
            raise ValueError(f"map {own.shape} of a film {film.shape}: it must have its shape")
        if prompt.combine == "max":
            heat = np.maximum(heat, own)
        else:
            heat += own / len(prompt.positive)
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
