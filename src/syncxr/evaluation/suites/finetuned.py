"""Cells of fine-tuning: train on one part, choose on another, predict the test part once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from syncxr.errors import SyncxrError
from syncxr.evaluation.films.decoded import Masks, decode_masks
from syncxr.evaluation.finetuning.full import fit_full
from syncxr.evaluation.finetuning.linear import fit_linear
from syncxr.evaluation.finetuning.mask_scores import TASK as SEGMENTATION
from syncxr.evaluation.finetuning.mask_scores import score_masks
from syncxr.evaluation.finetuning.options import FullOptions, LinearOptions
from syncxr.evaluation.finetuning.segmentation import Segmented, fit_segmentation
from syncxr.evaluation.finetuning.training import without_positive
from syncxr.evaluation.scoring.classification import choose_cuts, score
from syncxr.evaluation.scoring.predictions import Predictions, labels_of, split_name
from syncxr.evaluation.scoring.results import VALIDATION
from syncxr.evaluation.scoring.sheet import About
from syncxr.evaluation.suites.answers import features
from syncxr.evaluation.suites.bench import Bench, Loaded, Outcome
from syncxr.evaluation.suites.suite import (
    FullTask,
    LinearTask,
    SegmentationTask,
    Work,
)
from syncxr.evaluation.testsets.test_set import TestSet
from syncxr.evaluation.zero_shot.classification import preprocessing_words

CLASSIFICATION = "fine-tuned classification"


def linear(bench: Bench, loaded: Loaded, work: Work) -> Outcome:
    """A linear layer on cached features."""
    assert isinstance(work.task, LinearTask)
    options = work.task.options

    train, valid, test = bench.apart(work)
    findings = test.findings
    whole = bench.part(work.test_set, "train")
    seen = features(bench, loaded, whole)[_rows(whole, train)]
    held_out = features(bench, loaded, valid), labels_of(valid, findings)
    probe = fit_linear((seen, labels_of(train, findings)), held_out, options, work.seed)
    return _classified(
        bench, loaded, work, (train, valid, test), probe.predict(held_out[0]),
        probe.predict(features(bench, loaded, test)),
        {"epoch": probe.epoch, "history": list(probe.history)},
    )  # fmt: skip


def full(bench: Bench, loaded: Loaded, work: Work) -> Outcome:
    """The tower trains with its linear layer."""
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
    return Outcome((scored.noted(note),), {**_trained_on(train, valid), **training})


def segmentation(bench: Bench, loaded: Loaded, work: Work) -> Outcome:
    """A U-Net on the tower."""
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
    overlap = net.measure(unseen)
    scored = score_masks(
        overlap,
        unseen_drawn,
        targets[0] if len(targets) == 1 else "all outlined",
        _about(SEGMENTATION, loaded, work),
        protocol=protocol_name(work),
        threshold=options.threshold,
        samples=bench.samples,
    )
    left_out = len(test) - len(unseen_drawn)
    notes = [f"{left_out} films that nobody drew on are not scored"] if left_out else []
    vanished = [
        item.id
        for item, area in zip(unseen_drawn.items, overlap.true, strict=True)
        if not area and any(item.labels.get(target) == 1 for target in targets)
    ]
    if vanished:
        size = loaded.model.preprocessing.size
        notes.append(
            f"{len(vanished)} masks vanish at {size} px and count as empty: {', '.join(vanished)}"
        )
    return Outcome(
        (scored.noted(*notes),),
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
