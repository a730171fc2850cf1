"""One cell of a suite: a task on a test set at one setting, by one model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from syncxr.evaluation.prompts import load_prompt_set
from syncxr.evaluation.scoring.sheet import About
from syncxr.evaluation.suites import finetuned
from syncxr.evaluation.suites.answers import grounded, predictions
from syncxr.evaluation.suites.bench import Bench, Loaded, Outcome
from syncxr.evaluation.suites.suite import (
    FullTask,
    GroundingTask,
    LinearTask,
    SegmentationTask,
    StrictTask,
    Work,
    ZeroShotTask,
)
from syncxr.evaluation.testsets.test_set import TestSet
from syncxr.evaluation.zero_shot.classification import TASK as CLASSIFICATION
from syncxr.evaluation.zero_shot.classification import (
    assert_apart,
    preprocessing_words,
    score_zero_shot,
)
from syncxr.evaluation.zero_shot.grounding_scores import score_chance, score_grounding
from syncxr.evaluation.zero_shot.strict import score_strictly


def run(bench: Bench, loaded: Loaded, work: Work) -> Outcome:
    """Do one cell.

    Raises:
        SyncxrError: A film, label or mask is wrong, or the model cannot do the task; one line
            names what and the remedy.
    """
    outcome = _TASKS[type(work.task)](bench, loaded, work)
    said = _remarks(bench.part(work.test_set, bench.main_split(work)))
    return replace(outcome, scored=tuple(scored.noted(*said) for scored in outcome.scored))


def _remarks(test_set: TestSet) -> list[str]:
    """How the split came about, and which films are not in it."""
    # Notes are told apart by semicolons.
    found = [test_set.split_note.replace("; ", ", ")]
    if test_set.left_out:
        (first, reason), number = next(iter(test_set.left_out.items())), len(test_set.left_out)
        found.append(f"{number} films left out by name, the first {first} ({reason})")
    return found


def _zero_shot(bench: Bench, loaded: Loaded, work: Work) -> Outcome:
    split = bench.main_split(work)
    test = bench.part(work.test_set, split)
    on_test, on_validation = predictions(bench, loaded, work, test), None
    if (validation := bench.thresholds_from(work.test_set, split)) is not None:
        assert_apart(test, validation)
        if set(on_test.findings) <= set(validation.findings):
            on_validation = predictions(bench, loaded, work, validation, on_test.findings)
    return Outcome(
        (
            score_zero_shot(
                on_test,
                load_prompt_set(work.prompt_set),
                model=loaded.name,
                validation=on_validation,
                preprocessing=preprocessing_words(loaded.model),
                samples=bench.samples,
            ),
        )
    )


def _grounding(bench: Bench, loaded: Loaded, work: Work) -> Outcome:
    split = bench.main_split(work)
    pointed = grounded(bench, loaded, work, bench.part(work.test_set, split))
    validation = bench.thresholds_from(work.test_set, split)
    if validation is not None and not any(map(validation.outlined, validation.targets)):
        validation = None
    scored = score_grounding(
        pointed,
        load_prompt_set(work.prompt_set),
        model=loaded.name,
        validation=None if validation is None else grounded(bench, loaded, work, validation),
        preprocessing=preprocessing_words(loaded.model),
        samples=bench.samples,
    )
    return Outcome((scored, score_chance(pointed, samples=bench.samples)))


def _strict(bench: Bench, loaded: Loaded, work: Work) -> Outcome:
    test = bench.part(work.test_set, bench.main_split(work))
    greys = bench.greys(test, loaded)
    raw, flat = (predictions(bench, loaded, work, test, equalised=e) for e in (False, True))
    prompts = load_prompt_set(work.prompt_set)
    about = About(CLASSIFICATION, loaded.name, prompts.title, preprocessing_words(loaded.model))
    return Outcome(tuple(score_strictly(raw, flat, greys, test, about, samples=bench.samples)))


_TASKS: dict[type, Callable[[Bench, Loaded, Work], Outcome]] = {
    ZeroShotTask: _zero_shot,
    GroundingTask: _grounding,
    StrictTask: _strict,
    LinearTask: finetuned.linear,
    FullTask: finetuned.full,
    SegmentationTask: finetuned.segmentation,
}
