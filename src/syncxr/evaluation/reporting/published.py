"""Numbers that others have published, to be placed beside one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from syncxr.evaluation.scoring.results import MEAN, NAN, Result
from syncxr.evaluation.testsets import TEST_SETS
from syncxr.evaluation.testsets.test_set import test_set_class
from syncxr.settings import checked, read_yaml

_FIXED = ConfigDict(extra="forbid", frozen=True)


class PublishedNumber(BaseModel):
    """One number.

    Attributes:
        model: Of whom.
        task: As in results.
        test_set: Its name (``rsna``), or its title as tables print it.
        metric: As in results: ``AUROC``, ``F1``, ``Dice``, …
        value: In [0, 1] where the metric is.
        finding: Left out for a mean over findings.
        fraction: Share of the training labels, left out for zero-shot tasks.
    """

    model_config = _FIXED

    model: str
    task: Literal[
        "zero-shot classification",
        "zero-shot grounding",
        "fine-tuned classification",
        "fine-tuned segmentation",
    ]
    test_set: str
    metric: str
    value: float
    finding: str = MEAN
    fraction: float | None = Field(default=None, gt=0, le=1)


class _File(BaseModel):
    model_config = _FIXED

    source: str = Field(min_length=1)
    numbers: tuple[PublishedNumber, ...]


def read_published(path: Path) -> list[Result]:
    """Rows of a YAML file with ``source`` (paper and table) and ``numbers``.

    Raises:
        SyncxrError: The file is missing or wrong; names key and remedy.
    """
    file = checked(_File, read_yaml(path), path)
    return [_row(number, file.source) for number in file.numbers]


def _row(number: PublishedNumber, source: str) -> Result:
    name = number.test_set
    return Result(
        task=number.task,
        model=f"{number.model} (published)",
        test_set=test_set_class(name).info.title if name in TEST_SETS else name,
        split="",
        finding=number.finding,
        protocol="as published",
        fraction=NAN if number.fraction is None else number.fraction,
        metric=number.metric,
        value=number.value,
        n=0,
        positives=0,
        units="",
        note=f"as published in {source}, not measured here",
    )
