"""What the cells of a suite stand on: a model by its name, test sets opened and decoded once."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from syncxr.errors import SyncxrError
from syncxr.evaluation.films.decoded import (
    Films,
    decode_films,
    file_state,
    tree_state,
)
from syncxr.evaluation.scoring.sheet import Scored
from syncxr.evaluation.splits.dividing import fraction
from syncxr.evaluation.suites.suite import (
    FullTask,
    GroundingTask,
    LinearTask,
    SegmentationTask,
    StrictTask,
    Work,
    ZeroShotTask,
)
from syncxr.evaluation.testsets.folder import Folder
from syncxr.evaluation.testsets.test_set import TestSet, open_test_set, test_set_class
from syncxr.evaluation.zero_shot.classification import assert_apart
from syncxr.pretraining.model import DualEncoder
from syncxr.pretraining.preprocessing import Preprocessing
from syncxr.progress import console

_FRACTION_SEED = 0
"""Label fractions are one draw, the same for every model and seed of training."""


@dataclass(frozen=True)
class Loaded:
    """A model under its name.

    Attributes:
        name: In tables.
        weights: Sha256 of its tensors.
        model: The model.
    """

    name: str
    weights: str
    model: DualEncoder

    @cached_property
    def prepared(self) -> DualEncoder:
        """The same model for films that come prepared out of the decoded cache."""
        plain = copy.copy(self.model)
        plain.preprocessing = Preprocessing(size=self.model.preprocessing.size)
        return plain


@dataclass(frozen=True)
class Outcome:
    """What a cell found.

    Attributes:
        scored: The model's scores, then those of baselines.
        training: What it was trained on and how that went; empty for zero-shot tasks.
    """

    scored: tuple[Scored, ...]
    training: dict[str, Any] = field(default_factory=dict)


class Bench:
    """Test sets by name, opened and decoded once.

    Args:
        paths: Name of a test set to where it lies.
        cache: Folder of decoded films and features.
        samples: Bootstrap samples.
        labels: Table of the set ``folder``, if it is not ``labels.csv`` among its films.
    """

    def __init__(
        self,
        paths: Mapping[str, Path],
        cache: Path,
        samples: int = 1000,
        labels: Path | None = None,
    ) -> None:
        self.paths, self.cache, self.samples, self.labels = paths, cache, samples, labels
        # One set is worked on at a time; its three parts are read once for all its cells.
        self.part = lru_cache(maxsize=4)(self._open)
        self._digest = lru_cache(maxsize=None)(self._digest_of)
        self.thresholds_from = lru_cache(maxsize=None)(self._validation)

    def main_split(self, work: Work) -> str:
        """The split on which a cell is scored."""
        if isinstance(work.task, ZeroShotTask | GroundingTask | StrictTask):
            return work.task.split or test_set_class(work.test_set).info.splits[0]
        return "test"

    def applies(self, work: Work) -> bool:
        """Whether the cell is to be done at all."""
        if not isinstance(work.task, GroundingTask) or not work.task.where_outlined:
            return True
        part = self.part(work.test_set, self.main_split(work))
        return any(map(part.outlined, part.targets))

    def content(self, work: Work) -> str:
        """Hash of the films, labels and masks that a cell reads: when they change it is redone."""
        main = self.main_split(work)
        if isinstance(work.task, LinearTask | FullTask | SegmentationTask):
            parts = ["train", "valid", main]
        else:
            # Whoever scores zero-shot need not have the training films.
            from_valid = self.thresholds_from(work.test_set, main) is not None
            parts = ["valid", main] if from_valid else [main]
        digest = hashlib.sha256()
        for part in parts:
            digest.update(self._digest(work.test_set, part).encode())
        if isinstance(work.task, GroundingTask | SegmentationTask):
            outlines = self.part(work.test_set, main).outlines_from
            digest.update(str(tree_state(outlines)).encode())
        return digest.hexdigest()

    def films(self, test_set: TestSet, loaded: Loaded) -> Films:
        """Decoded films of a part."""
        return decode_films(test_set, loaded.model.preprocessing, self.cache)

    def apart(self, work: Work) -> tuple[TestSet, TestSet, TestSet]:
        """Training part at the cell's fraction, validation part and test part, without overlap."""
        train, valid, test = (self.part(work.test_set, name) for name in ("train", "valid", "test"))
        for first, second in ((train, valid), (train, test), (valid, test)):
            assert_apart(first, second)
        return fraction(train, work.fraction, _FRACTION_SEED), valid, test

    def _validation(self, name: str, split: str) -> TestSet | None:
        """Films that thresholds of zero-shot tasks may come from; None is told by the protocol."""
        if split != "test" or "valid" not in test_set_class(name).info.splits:
            return None
        try:
            return self.part(name, "valid")
        except SyncxrError as error:
            told = f"{name}: no thresholds from validation films: {error}"
            console.print(told, style="yellow", markup=False)
            return None

    def _digest_of(self, name: str, split: str) -> str:
        digest = hashlib.sha256(f"{name} {split}".encode())
        part = self.part(name, split)
        for item in part.items:
            labels = sorted((finding, repr(value)) for finding, value in item.labels.items())
            state = file_state(part.root / item.path)
            digest.update(repr((item.id, item.path, item.patient, labels, state)).encode())
        return digest.hexdigest()

    def _open(self, name: str, split: str) -> TestSet:
        if name == "folder" and self.labels is not None:
            return Folder(self.paths[name], split, table=self.labels)
        return open_test_set(name, self.paths[name], split)
