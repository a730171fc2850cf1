"""Bounded regeneration: what fails is made again with a new seed, in full batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from syncxr.sample import derive_seed

T = TypeVar("T")


@dataclass(frozen=True)
class Task:
    """One attempt at one sample: which sample, which attempt, with which seed."""

    id: str
    attempt: int
    seed: int


@dataclass(frozen=True)
class Outcome(Generic[T]):
    """What an attempt gave.

    Attributes:
        result: What was made, refused or not.
        reasons: Why it is refused; empty = accepted.
        scores: What was measured on it.
    """

    result: T
    reasons: tuple[str, ...] = ()
    scores: dict[str, float] = field(default_factory=dict)


@dataclass
class History(Generic[T]):
    """What became of one sample: its attempts, and its result if one was accepted."""

    attempts: list[dict[str, Any]] = field(default_factory=list)
    outcome: Outcome[T] | None = None
    last: Outcome[T] | None = None


def run_rounds(
    ids: Sequence[str],
    stage: str,
    attempt: Callable[[Sequence[Task]], Iterable[Outcome[T]]],
    max_attempts: int,
    finished: Callable[[int], None] = lambda n: None,
) -> dict[str, History[T]]:
    """Attempt every sample until it is accepted or has had its attempts.

    Args:
        ids: Samples, in the order in which batches are filled.
        stage: Name from which seeds derive.
        attempt: Makes and checks a whole batch; one outcome a task, in order, as they come.
        max_attempts: Attempts a sample may have, ≥ 1.
        finished: Told how many samples are finished with, as they are.

    Returns:
        One history an id; ``outcome`` is ``None`` for what never passed.
    """
    histories: dict[str, History[T]] = {id: History() for id in ids}
    pending = list(ids)
    for number in range(max_attempts):
        if not pending:
            break
        tasks = [Task(id, number, derive_seed(id, stage, number)) for id in pending]
        for task, outcome in zip(tasks, attempt(tasks), strict=True):
            history = histories[task.id]
            history.last = outcome
            history.attempts.append(
                {"seed": task.seed, "reasons": list(outcome.reasons), "scores": outcome.scores}
            )
            if not outcome.reasons:
                history.outcome = outcome
                finished(1)
        pending = [id for id in pending if histories[id].outcome is None]
    finished(len(pending))
    return histories
