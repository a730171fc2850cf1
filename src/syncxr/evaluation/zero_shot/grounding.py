"""Zero-shot grounding: does the model point at the finding it is asked for.

Positives only. The map of a text (bilinear to the film's size and min–max normalised by the model)
and the true mask are read at the same 224 × 224 places, nearest: the field's masks at 224 × 224,
with no second interpolation of the map.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from syncxr.evaluation.zero_shot.cases import CUTS, Case, Grounded
from syncxr.pretraining.prompt import Prompt
from syncxr.progress import bar
from syncxr.sample import Image, Mask

_Value = TypeVar("_Value", bound=np.generic)

TASK = "zero-shot grounding"

SIZE = 224
"""Side of the grid at which maps and masks are compared."""

Pointer = Callable[[Image], Callable[[str], NDArray[np.float32]]]


class Grounder(Protocol):
    """A model that points."""

    def pointer(self, phrases: Sequence[str]) -> Pointer:
        """Read phrases; then look at a film; then give maps in [0, 1] of its shape."""
        ...


def ground(
    model: Grounder,
    test_set: TestSet,
    prompt_set: PromptSet,
    *,
    findings: Sequence[str] | None = None,
) -> Grounded:
    """Ask for every outlined finding of every film; see :func:`ground_each`."""
    return ground_each(model, test_set, [prompt_set], findings=findings)[0]


def ground_each(
    model: Grounder,
    test_set: TestSet,
    prompt_sets: Sequence[PromptSet],
    *,
    findings: Sequence[str] | None = None,
) -> list[Grounded]:
    """Ask for every outlined finding of every film by several prompt sets, in one look at it.

    Args:
        model: Asked with the affirming texts of a prompt set; maps of several texts are
            averaged, or their maximum is taken, as the set combines its texts.
        test_set: Films and masks.
        prompt_sets: Texts.
        findings: Which of ``test_set.targets``; all by default.

    Returns:
        The cases of each prompt set.

    Raises:
        SyncxrError: The model has no maps; nothing is outlined; a film or mask does not open or
            is of another size; names file and row.
    """
    if not hasattr(model, "pointer"):
        raise SyncxrError(
            f"{type(model).__name__} has no similarity maps; grounding needs a checkpoint of a "
            "method that locates (convirt)"
        )
    asked = tuple(findings or test_set.targets)
    outlined = {finding: {item.id for item in _positives(test_set, finding)} for finding in asked}
    films = [item for item in test_set.items if any(item.id in ids for ids in outlined.values())]
    if not films:
        names = ", ".join(asked) or "anything"
        raise SyncxrError(f"{test_set.name}: no film outlines {names}; nothing to ground")
    prompts = [prompt_set.prompts(asked) for prompt_set in prompt_sets]
    every = (text for own in prompts for prompt in own.values() for text in prompt.positive)
    pointer = model.pointer(list(dict.fromkeys(every)))
    unit = dict(zip((item.id for item in test_set.items), test_set.units, strict=True))
    cases: list[list[Case]] = [[] for _ in prompts]
    vanished: dict[str, list[str]] = {finding: [] for finding in asked}
    with bar("grounding", len(films)) as progress:
        for item in films:
            masks = _masks(test_set, item, [f for f in asked if item.id in outlined[f]])
            for finding in (finding for finding, mask in masks.items() if not mask.any()):
                vanished[finding].append(item.id)
            if left := {finding: mask for finding, mask in masks.items() if mask.any()}:
                film = test_set.film(item)
                point = pointer(film)
                for found, own in zip(cases, prompts, strict=True):
                    for finding, mask in left.items():
                        heat = _at_grid(_map(point, film, own[finding], item))
                        found.append(_case(finding, item.id, unit[item.id], heat, mask))
            progress.advance()
    scored = {case.finding for case in cases[0]}
    return [
        Grounded(
            test_set=test_set.name,
            split=split_name(test_set),
            by_patient=test_set.by_patient,
            findings=tuple(f for f in asked if f in scored or vanished[f]),
            cases=tuple(sorted(own, key=lambda case: asked.index(case.finding))),
            vanished={finding: tuple(ids) for finding, ids in vanished.items() if ids},
        )
        for own in cases
    ]


def _positives(test_set: TestSet, finding: str) -> list[Item]:
    """Films in which somebody outlined a finding and no label denies it."""
    return [item for item in test_set.outlined(finding) if item.labels.get(finding) != 0]


def _map(
    point: Callable[[str], NDArray[np.float32]], film: Image, prompt: Prompt, item: Item
) -> NDArray[np.float32]:
    """Map of the affirming texts together, in [0, 1], of the film's shape."""
    heat = np.full(film.shape, -np.inf if prompt.combine == "max" else 0.0, np.float32)
    for text in prompt.positive:  # One at a time: a map has the size of its film.
        own = point(text)
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


def _masks(test_set: TestSet, item: Item, findings: Sequence[str]) -> dict[str, Mask]:
    """What is drawn in a film of findings that somebody outlined in it, at the grid."""
    drawn = {finding: test_set.mask(item, finding) for finding in findings}
    return {
        finding: _at_grid(mask)
        for finding, mask in drawn.items()
        if mask is not None and mask.any()
    }


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
