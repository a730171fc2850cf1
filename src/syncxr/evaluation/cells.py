"""One cell of a suite: a task on a test set at one setting, by one model."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from syncxr.errors import SyncxrError
from syncxr.evaluation.decoded import (
    Films,
    Masks,
    decode_films,
    decode_masks,
    file_state,
    tree_state,
)
from syncxr.evaluation.features import pooled_features
from syncxr.evaluation.finetuning.full import fit_full
from syncxr.evaluation.finetuning.linear import fit_linear
from syncxr.evaluation.finetuning.mask_scores import TASK as SEGMENTATION
from syncxr.evaluation.finetuning.mask_scores import score_masks
from syncxr.evaluation.finetuning.options import FullOptions, LinearOptions
from syncxr.evaluation.finetuning.segmentation import Segmented, fit_segmentation
from syncxr.evaluation.finetuning.training import without_positive
from syncxr.evaluation.grounding import ground, score_chance, score_grounding
from syncxr.evaluation.predictions import Predictions, labels_of, split_name
from syncxr.evaluation.prompts import load_prompt_set
from syncxr.evaluation.results import VALIDATION
from syncxr.evaluation.scored import About, Scored
from syncxr.evaluation.scoring import choose_cuts, score
from syncxr.evaluation.splits.dividing import fraction
from syncxr.evaluation.strict import evaluate_strictly
from syncxr.evaluation.suite import (
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
from syncxr.evaluation.zero_shot import (
    assert_apart,
    predict,
    preprocessing_words,
    score_zero_shot,
)
from syncxr.pretraining.model import DualEncoder
from syncxr.pretraining.preprocessing import Preprocessing
from syncxr.progress import console

CLASSIFICATION = "fine-tuned classification"

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
        known = test_set_class(work.test_set).info.splits
        if isinstance(work.task, ZeroShotTask | GroundingTask | StrictTask):
            return work.task.split or known[0]
        if not {"train", "valid", "test"} <= set(known):
            raise SyncxrError(
                f"test set {work.test_set!r} has no training films, so nothing can be fine-tuned "
                f"on it; take it out of the task {work.task.task!r}"
            )
        return "test"

    def applies(self, work: Work) -> bool:
        """Whether the cell is to be done at all."""
        if not isinstance(work.task, GroundingTask) or not work.task.where_outlined:
            return True
        part = self.part(work.test_set, self.main_split(work))
        return any(map(part.outlined, part.targets))

    def run(self, loaded: Loaded, work: Work) -> Outcome:
        """Do one cell.

        Raises:
            SyncxrError: A film, label or mask is wrong, or the model cannot do the task; one line
                names what and the remedy.
        """
        return _TASKS[type(work.task)](self, loaded, work)

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
            digest.update(str(tree_state(self.paths[work.test_set])).encode())
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


def _zero_shot(bench: Bench, loaded: Loaded, work: Work) -> Outcome:
    split = bench.main_split(work)
    test = bench.part(work.test_set, split)
    prompts = load_prompt_set(work.prompt_set)

    def asked(part: TestSet, findings: Sequence[str] | None = None) -> Predictions:
        films = bench.films(part, loaded).pixels
        return predict(loaded.prepared, part, prompts, findings=findings, films=films)

    on_test, on_validation = asked(test), None
    if (validation := bench.thresholds_from(work.test_set, split)) is not None:
        assert_apart(test, validation)
        if set(on_test.findings) <= set(validation.findings):
            on_validation = asked(validation, on_test.findings)
    return Outcome(
        (
            score_zero_shot(
                on_test,
                prompts,
                model=loaded.name,
                validation=on_validation,
                preprocessing=preprocessing_words(loaded.model),
                samples=bench.samples,
            ),
        )
    )


def _grounding(bench: Bench, loaded: Loaded, work: Work) -> Outcome:
    split = bench.main_split(work)
    prompts = load_prompt_set(work.prompt_set)
    pointed = ground(loaded.model, bench.part(work.test_set, split), prompts)
    validation = bench.thresholds_from(work.test_set, split)
    if validation is not None and not any(map(validation.outlined, validation.targets)):
        validation = None
    scored = score_grounding(
        pointed,
        prompts,
        model=loaded.name,
        validation=ground(loaded.model, validation, prompts) if validation is not None else None,
        preprocessing=preprocessing_words(loaded.model),
        samples=bench.samples,
    )
    return Outcome((scored, score_chance(pointed, samples=bench.samples)))


def _strict(bench: Bench, loaded: Loaded, work: Work) -> Outcome:
    test = bench.part(work.test_set, bench.main_split(work))
    prompts = load_prompt_set(work.prompt_set)
    scored = evaluate_strictly(loaded.model, test, prompts, name=loaded.name, samples=bench.samples)
    return Outcome(tuple(scored))


def _linear(bench: Bench, loaded: Loaded, work: Work) -> Outcome:
    assert isinstance(work.task, LinearTask)
    options = work.task.options

    def features(part: TestSet) -> NDArray[np.float32]:
        return pooled_features(loaded.model, loaded.weights, bench.films(part, loaded), bench.cache)

    train, valid, test = bench.apart(work)
    findings = test.findings
    whole = bench.part(work.test_set, "train")
    seen = features(whole)[_rows(whole, train)]
    held_out = features(valid), labels_of(valid, findings)
    probe = fit_linear((seen, labels_of(train, findings)), held_out, options, work.seed)
    return _classified(
        bench, loaded, work, (train, valid, test), probe.predict(held_out[0]),
        probe.predict(features(test)), {"epoch": probe.epoch, "history": list(probe.history)},
    )  # fmt: skip


def _full(bench: Bench, loaded: Loaded, work: Work) -> Outcome:
    assert isinstance(work.task, FullTask)
    train, valid, test = bench.apart(work)
    findings = test.findings
    whole = bench.part(work.test_set, "train")
    pixels, rows = bench.films(whole, loaded).pixels, _rows(whole, train)
    # All of them stay on disk; a part of them is small enough to be copied into memory.
    seen = pixels if len(rows) == len(pixels) else pixels[rows]
    held_out = bench.films(valid, loaded).pixels, labels_of(valid, findings)
    tuned = fit_full(
        loaded.model.image_encoder,
        (seen, labels_of(train, findings)),
        held_out,
        work.task.options,
        work.seed,
    )
    return _classified(
        bench, loaded, work, (train, valid, test), tuned.predict(held_out[0]),
        tuned.predict(bench.films(test, loaded).pixels),
        {"epoch": tuned.epoch, "history": list(tuned.history)},
    )  # fmt: skip


def _classified(
    bench: Bench,
    loaded: Loaded,
    work: Work,
    parts: tuple[TestSet, TestSet, TestSet],
    on_validation: NDArray[np.float64],
    on_test: NDArray[np.float64],
    training: dict[str, Any],
) -> Outcome:
    """Score predictions of either protocol: the only look at the labels of the test part."""
    train, valid, test = parts
    findings, protocol = test.findings, protocol_name(work)
    cuts = choose_cuts(Predictions.of(valid, findings, on_validation))
    scored = score(
        Predictions.of(test, findings, on_test),
        _about(CLASSIFICATION, loaded, work),
        cuts={f"{protocol}; thresholds: {VALIDATION}": cuts},
        protocol=protocol,
        samples=bench.samples,
    )
    lacking = without_positive(labels_of(train, findings), findings)
    note = f"no positive among the training films: {', '.join(lacking)}" if lacking else ""
    return Outcome((_noted(scored, note),), {**_trained_on(train, valid), **training})


def _segmentation(bench: Bench, loaded: Loaded, work: Work) -> Outcome:
    assert isinstance(work.task, SegmentationTask)
    options = work.task.options
    train, valid, test = bench.apart(work)
    whole = bench.part(work.test_set, "train")
    targets = whole.targets
    if not targets:
        raise SyncxrError(f"{whole.name}: nothing is outlined, so nothing can be segmented")
    seen, seen_drawn = _segmented(bench, loaded, whole, train, targets)
    held_out, held_out_drawn = _segmented(bench, loaded, valid, valid, targets)
    net = fit_segmentation(loaded.model.image_encoder, seen, held_out, options, work.seed)
    unseen, unseen_drawn = _segmented(bench, loaded, test, test, targets)
    if not len(unseen):
        raise SyncxrError(f"{test.name}, split {test.split}: no film has a mask to score against")
    scored = score_masks(
        net.measure(unseen),
        unseen_drawn,
        targets[0] if len(targets) == 1 else "all outlined",
        _about(SEGMENTATION, loaded, work),
        protocol=protocol_name(work),
        threshold=options.threshold,
        samples=bench.samples,
    )
    left_out = len(test) - len(unseen_drawn)
    note = f"{left_out} films that nobody drew on are not scored" if left_out else ""
    return Outcome(
        (_noted(scored, note),),
        {
            **_trained_on(seen_drawn, held_out_drawn),
            "epoch": net.epoch,
            "history": list(net.history),
            "encoder": str(net.network.report),
        },
    )


def _segmented(
    bench: Bench, loaded: Loaded, whole: TestSet, part: TestSet, targets: Sequence[str]
) -> tuple[Segmented, TestSet]:
    """The drawn films of a part of a decoded set, as pixels and as items."""
    films = bench.films(whole, loaded).pixels
    size = loaded.model.preprocessing.size
    masks: Masks = decode_masks(whole, targets, size, bench.cache)
    rows = _rows(whole, part)
    rows = rows[masks.drawn[rows]]
    drawn = part.subset([whole.items[row] for row in rows], part.split)
    return Segmented(films, masks, rows), drawn


def _rows(whole: TestSet, part: TestSet) -> NDArray[np.int64]:
    """Places of a part's items in the set that was decoded."""
    place = {item.id: row for row, item in enumerate(whole.items)}
    return np.array([place[item.id] for item in part.items], np.int64)


def _trained_on(train: TestSet, valid: TestSet) -> dict[str, Any]:
    return {
        "training": split_name(train),
        "training_films": len(train),
        "training_ids_sha256": train.digest,
        "validation": split_name(valid),
        "validation_films": len(valid),
    }


def _about(task: str, loaded: Loaded, work: Work) -> About:
    prepared = preprocessing_words(loaded.model)
    return About(task, loaded.name, "", prepared, work.fraction, work.seed)


def _noted(scored: Scored, note: str) -> Scored:
    """The same rows, each with one more note."""
    rows = tuple(
        replace(row, note="; ".join(filter(None, (row.note, note)))) for row in scored.results
    )
    return replace(scored, results=rows)


def protocol_name(work: Work) -> str:
    """Name of a fine-tuning protocol, with every setting that is not its own default."""
    task = work.task
    if isinstance(task, LinearTask | FullTask):
        default: BaseModel = LinearOptions() if isinstance(task, LinearTask) else FullOptions()
        return " ".join(filter(None, (task.task, _changed(task.options, default))))
    assert isinstance(task, SegmentationTask)
    options = task.options
    own = type(options)(encoder=options.encoder, loss=options.loss)
    changed = _changed(options, own)
    return f"U-Net, {options.encoder} encoder, {options.loss}" + (f" {changed}" if changed else "")


def _changed(options: BaseModel, default: BaseModel) -> str:
    """Settings that differ from a protocol's own, in brackets."""
    mine, theirs = options.model_dump(), default.model_dump()
    pairs = [f"{key} {value}" for key, value in mine.items() if value != theirs[key]]
    return f"({', '.join(pairs)})" if pairs else ""


_TASKS: dict[type, Callable[[Bench, Loaded, Work], Outcome]] = {
    ZeroShotTask: _zero_shot,
    GroundingTask: _grounding,
    StrictTask: _strict,
    LinearTask: _linear,
    FullTask: _full,
    SegmentationTask: _segmentation,
}
