"""What a suite is: tasks, each on some test sets, as a YAML file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from syncxr.errors import SyncxrError
from syncxr.evaluation.finetuning.options import FullOptions, LinearOptions, SegmentationOptions
from syncxr.evaluation.prompts import load_prompt_set
from syncxr.evaluation.testsets import TEST_SETS
from syncxr.evaluation.testsets.test_set import Task as SetTask
from syncxr.evaluation.testsets.test_set import test_set_class
from syncxr.settings import checked, read_yaml

SUITES = Path(__file__).parent

_FIXED = ConfigDict(extra="forbid", frozen=True)

Share = Annotated[float, Field(gt=0, le=1)]


class _OnSets(BaseModel):
    """Attributes.

    sets: Names of test sets; ``"folder"`` and ``"simulated"`` among them.
    """

    model_config = _FIXED

    sets: tuple[str, ...] = Field(min_length=1)


class ZeroShotTask(_OnSets):
    """Zero-shot classification.

    Attributes:
        prompt_sets: Names of prompt sets.
        split: Of the test sets; ``None`` = the first that each has. Where it is ``test`` and the
            set has ``valid``, thresholds come from there.
    """

    task: Literal["zero-shot"]
    prompt_sets: tuple[str, ...] = ("pair",)
    split: str | None = None


class GroundingTask(_OnSets):
    """Zero-shot grounding; fields as in :class:`ZeroShotTask`.

    Attributes:
        where_outlined: Pass over sets in which nothing is outlined; else they are refused.
    """

    task: Literal["grounding"]
    prompt_sets: tuple[str, ...] = ("pair",)
    split: str | None = None
    where_outlined: bool = False


class StrictTask(_OnSets):
    """Zero-shot classification by the rules for real films, with brightness alone beside it."""

    task: Literal["strict"]
    prompt_sets: tuple[str, ...] = ("pair",)
    split: str | None = None


class LinearTask(_OnSets):
    """Fine-tuned classification, protocol ``linear``.

    Attributes:
        fractions: Shares of the training labels.
        seeds: Of training; tables give the mean over them.
        options: Settings of the protocol.
    """

    task: Literal["linear"]
    fractions: tuple[Share, ...] = (0.01, 0.1, 1.0)
    seeds: tuple[int, ...] = (0, 1, 2)
    options: LinearOptions = LinearOptions()


class FullTask(_OnSets):
    """Fine-tuned classification, protocol ``full``; fields as in :class:`LinearTask`."""

    task: Literal["full"]
    fractions: tuple[Share, ...] = (0.01, 0.1, 1.0)
    seeds: tuple[int, ...] = (0, 1, 2)
    options: FullOptions = FullOptions()


class SegmentationTask(_OnSets):
    """Fine-tuned segmentation of all that a set outlines, as one mask.

    Attributes:
        fractions: Shares of the training masks.
        seeds: Of training; tables give the mean over them.
        options: Settings.
    """

    task: Literal["segmentation"]
    fractions: tuple[Share, ...] = (0.01, 0.1, 1.0)
    seeds: tuple[int, ...] = (0, 1, 2)
    options: SegmentationOptions = SegmentationOptions()


Task = ZeroShotTask | GroundingTask | StrictTask | LinearTask | FullTask | SegmentationTask


class Suite(BaseModel):
    """A file of :data:`SUITES`, or one's own.

    Attributes:
        about: What it measures, in a line.
        tasks: In the order of the tables.
    """

    model_config = _FIXED

    about: str
    tasks: tuple[Annotated[Task, Field(discriminator="task")], ...] = Field(min_length=1)

    @property
    def sets(self) -> tuple[str, ...]:
        """Every test set, once, in order."""
        return tuple(dict.fromkeys(name for task in self.tasks for name in task.sets))


def with_prompts(suite: Suite, prompt_set: str) -> Suite:
    """The same suite, asked with one prompt set.

    Raises:
        SyncxrError: There is no such prompt set.
    """
    load_prompt_set(prompt_set)
    tasks = [
        task.model_copy(update={"prompt_sets": (prompt_set,)})
        if isinstance(task, ZeroShotTask | GroundingTask | StrictTask)
        else task
        for task in suite.tasks
    ]
    return suite.model_copy(update={"tasks": tuple(tasks)})


@dataclass(frozen=True)
class Work:
    """One cell besides its model: a task on a set at one setting.

    Attributes:
        task: With its options.
        test_set: Name.
        prompt_set: Name; ``""`` for fine-tuned tasks.
        fraction: Share of the training labels; 0 for zero-shot tasks.
        seed: Of training.
    """

    task: Task
    test_set: str
    prompt_set: str = ""
    fraction: float = 0.0
    seed: int = 0

    @property
    def label(self) -> str:
        """In words, for progress."""
        parts = [self.test_set, self.task.task, self.prompt_set]
        if self.fraction:
            parts += [f"{self.fraction:.0%}", f"seed {self.seed}"]
        return ", ".join(filter(None, parts))

    def identity(self) -> dict[str, Any]:
        """What decides its result besides model and films, as JSON values."""
        settings = self.task.model_dump(
            mode="json", exclude={"sets", "prompt_sets", "fractions", "seeds"}
        )
        texts = load_prompt_set(self.prompt_set).title if self.prompt_set else ""
        return {
            **settings,
            "test_set": self.test_set,
            "prompt_set": texts,
            "fraction": self.fraction,
            "seed": self.seed,
        }


def works(suite: Suite) -> Iterator[Work]:
    """Every cell of a suite for one model."""
    for task in suite.tasks:
        for name in task.sets:
            if isinstance(task, ZeroShotTask | GroundingTask | StrictTask):
                yield from (Work(task, name, prompts) for prompts in task.prompt_sets)
            else:
                for share in task.fractions:
                    yield from (Work(task, name, "", share, seed) for seed in task.seeds)


def suite_names() -> list[str]:
    """Suites that ship with the package."""
    return sorted(path.stem for path in SUITES.glob("*.yaml"))


def load_suite(source: str) -> Suite:
    """A suite by name, or one's own YAML file.

    Raises:
        SyncxrError: No such suite or file, an unknown key, test set or prompt set, a wrong value,
            a task that a set is not made for.
    """
    path = SUITES / f"{source}.yaml" if source in suite_names() else Path(source)
    if not path.exists():
        raise SyncxrError(
            f"suite {source!r} is neither a file nor one of {', '.join(suite_names())}"
        )
    suite = checked(Suite, read_yaml(path), path)
    for task in suite.tasks:
        for name in task.sets:
            _check_set(path, task, name)
        for prompts in getattr(task, "prompt_sets", ()):
            load_prompt_set(prompts)
    return suite


_KINDS: dict[str, SetTask] = {
    "zero-shot": "zero-shot",
    "strict": "zero-shot",
    "grounding": "grounding",
    "linear": "classification",
    "full": "classification",
    "segmentation": "segmentation",
}
"""Task of a suite to what a test set must be made for."""


def _check_set(path: Path, task: Task, name: str) -> None:
    if name not in TEST_SETS:
        known = ", ".join(sorted(TEST_SETS))
        raise SyncxrError(f"{path}: test set {name!r} is unknown; known: {known}")
    info = test_set_class(name).info
    if _KINDS[task.task] not in info.tasks:
        raise SyncxrError(
            f"{path}: test set {name!r} is not made for the task {task.task!r}, only for "
            f"{', '.join(info.tasks)}; take it out there"
        )
    split = getattr(task, "split", None)
    if split is not None and split not in info.splits:
        raise SyncxrError(
            f"{path}: test set {name!r} has no split {split!r}; it has: {', '.join(info.splits)}"
        )
