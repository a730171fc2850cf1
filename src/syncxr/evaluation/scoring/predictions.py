"""What a model said of every item of a test set, beside what the labels say."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from syncxr.errors import SyncxrError
from syncxr.evaluation.testsets.test_set import TestSet

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Predictions:
    """Labels and scores of N items for K findings.

    Attributes:
        test_set: Its title.
        split: Its split and the hash of its ids.
        findings: K names.
        ids: N names of items.
        units: N, what is resampled: patients, or the items themselves.
        by_patient: Whether ``units`` names patients.
        labels: (N, K) of 1, 0 or NaN (unlabelled).
        scores: (N, K), finite, higher = more likely positive.
    """

    test_set: str
    split: str
    findings: tuple[str, ...]
    ids: tuple[str, ...]
    units: tuple[str, ...]
    by_patient: bool
    labels: Floats
    scores: Floats

    @classmethod
    def of(cls, test_set: TestSet, findings: Sequence[str], scores: ArrayLike) -> Self:
        """Scores (N, K) of the items of a set, in its order.

        Raises:
            SyncxrError: The set is empty or lacks a finding; a label is not 0, 1 or NaN, or a
                score is not finite: the item's table and row are named.
            ValueError: ``scores`` has another shape.
        """
        if not test_set.items:
            raise SyncxrError(f"{test_set.root} has no films in split {test_set.split!r}")
        labels = labels_of(test_set, findings)
        given = np.asarray(scores, np.float64)
        if given.shape != labels.shape:
            raise ValueError(f"scores {given.shape} do not fit the labels {labels.shape}")
        wrong = np.argwhere(~np.isfinite(given))
        if len(wrong):
            row, column = wrong[0]
            item = test_set.items[row]
            raise SyncxrError(
                f"{item.where or item.path}: the model's score of {findings[column]!r} is "
                f"{given[row, column]}; its weights are damaged or its training diverged"
            )
        return cls(
            test_set=test_set.name,
            split=split_name(test_set),
            findings=tuple(findings),
            ids=tuple(item.id for item in test_set.items),
            units=tuple(test_set.units),
            by_patient=test_set.by_patient,
            labels=labels,
            scores=given,
        )

    @cached_property
    def measured_on(self) -> str:
        """Hash of items, units and labels: two models compare only where it is the same."""
        text = "\n".join((*self.findings, *self.ids, *self.units))
        return hashlib.sha256(text.encode() + self.labels.tobytes()).hexdigest()


def labels_of(test_set: TestSet, findings: Sequence[str]) -> Floats:
    """Labels (N, K) of 1, 0 or NaN.

    Raises:
        SyncxrError: A finding has no labels in the set, or a label is something else.
    """
    labels = np.full((len(test_set.items), len(findings)), np.nan)
    for column, finding in enumerate(findings):
        try:
            labels[:, column] = test_set.labels(finding)
        except KeyError as error:
            known = ", ".join(test_set.findings)
            raise SyncxrError(
                f"{test_set.name} has no labels of {finding!r}; it has: {known}"
            ) from error
    wrong = np.argwhere(~(np.isnan(labels) | (labels == 0) | (labels == 1)))
    if len(wrong):
        row, column = wrong[0]
        item = test_set.items[row]
        raise SyncxrError(
            f"{item.where or item.path}: label {labels[row, column]:g} of {findings[column]!r} is "
            "not 0, 1 or empty; mend it"
        )
    return labels


def split_name(test_set: TestSet) -> str:
    """Split with the hash of its ids, as it is printed beside each number."""
    return f"{test_set.split} {test_set.digest[:8]}"


def unit_words(count: int, by_patient: bool) -> str:
    """Number and kind of what is resampled."""
    return f"{count} {'patients' if by_patient else 'images'}"
