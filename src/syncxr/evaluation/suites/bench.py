"""What the cells of a suite stand on: a model by its name, test sets opened and decoded once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from syncxr.errors import SyncxrError
from syncxr.evaluation.films.decoded import (
    Films,
    decode,
    decode_films,
    file_state,
    prepared,
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
from syncxr.evaluation.zero_shot.strict import GREYS
from syncxr.pretraining.model import DualEncoder
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
        plan: All cells that are to be done: what they want of the same films is worked out in one
            look.
    """

    def __init__(
        self,
        paths: Mapping[str, Path],
        cache: Path,
        samples: int = 1000,
        labels: Path | None = None,
        plan: Sequence[Work] = (),
    ) -> None:
        self.paths, self.cache, self.samples, self.labels = paths, cache, samples, labels
        self.plan = plan
        # One set is worked on at a time; its three parts are read once for all its cells.
        self.part = lru_cache(maxsize=4)(self._open)
        self._digest = lru_cache(maxsize=None)(self._digest_of)
        self.thresholds_from = lru_cache(maxsize=None)(self._validation)

    def main_split(self, work: Work) -> str:
        """The split on which a cell is scored."""
        if isinstance(work.task, ZeroShotTask | GroundingTask | StrictTask):
            return work.task.split or test_set_class(work.test_set).info.splits[0]
        return "test"

    def asked_splits(self, work: Work) -> tuple[str, ...]:
        """Splits whose films a cell asks texts of; none where it is no such cell."""
        if isinstance(work.task, StrictTask):
            return (self.main_split(work),)
        if not isinstance(work.task, ZeroShotTask):
            return ()
        main = self.main_split(work)
        return (main, "valid") if main == "test" else (main,)

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
            digest.update(self._outlines(work.test_set, main).encode())
        return digest.hexdigest()

    def outlined_content(self, name: str, split: str) -> str:
        """Hash of the films, labels and masks of a part."""
        return f"{self._digest(name, split)} {self._outlines(name, split)}"

    def films(self, test_set: TestSet, loaded: Loaded, *, equalised: bool = False) -> Films:
        """Decoded films of a part, as the model sees them or equalised in any case."""
        preprocessing = loaded.model.preprocessing
        flat = preprocessing.model_copy(update={"equalise": True})
        return decode_films(test_set, flat if equalised else preprocessing, self.cache)

    def greys(self, test_set: TestSet, loaded: Loaded) -> NDArray[np.float64]:
        """Brightness of each film as it comes, see :data:`GREYS`.

        The films that the strict rules ask the model about are decoded along with it: each is
        read once.
        """
        preprocessing = loaded.model.preprocessing
        flat = preprocessing.model_copy(update={"equalise": True})
        recipes = [GREYS, prepared(preprocessing), prepared(flat)]
        return decode(test_set, recipes, self.cache)[0][0]

    def _outlines(self, name: str, split: str) -> str:
        return str(tree_state(self.part(name, split).outlines_from))

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
