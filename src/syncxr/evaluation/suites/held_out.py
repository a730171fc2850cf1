"""Scores on the held-out simulated test set, which ``testsets/making.py`` makes, as two tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from syncxr.evaluation.reporting.score_tables import (
    PointingTable,
    ScoreTable,
    pointing_table,
    score_table,
)
from syncxr.evaluation.suites.running import run_suite
from syncxr.evaluation.suites.suite import load_suite, with_prompts
from syncxr.evaluation.testsets.simulated import NOTE, Simulated
from syncxr.evaluation.zero_shot import classification, grounding


@dataclass(frozen=True)
class SimulatedResult:
    """Scores on the held-out simulated films.

    Attributes:
        classification: AUROC by finding.
        grounding: Pointing game by finding.
    """

    classification: ScoreTable
    grounding: PointingTable

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "classification": self.classification.to_dict(),
            "grounding": self.grounding.to_dict(),
        }


def evaluate(
    checkpoint: Path,
    dataset: Path,
    output: Path,
    *,
    prompt_set: str = "pair",
    samples: int = 1000,
) -> SimulatedResult:
    """The suite ``simulated`` for one checkpoint: zero-shot classification and grounding.

    Args:
        checkpoint: Folder.
        dataset: The set.
        output: Folder of finished cells and cache; the same call goes on where it stopped.
        prompt_set: Name of a prompt set, or its file.
        samples: Bootstrap samples.

    Raises:
        SyncxrError: Unknown prompt set, no checkpoint or no dataset there.
    """
    suite = with_prompts(load_suite("simulated"), prompt_set)
    name = "checkpoint"
    run = run_suite({name: checkpoint}, suite, {"simulated": dataset}, output, samples=samples)
    classified = [row for row in run.results if row.task == classification.TASK]
    pointed = [row for row in run.results if row.task == grounding.TASK]
    return SimulatedResult(
        score_table("Zero-shot classification", classified, notes=Simulated.info.notes),
        pointing_table(
            [row for row in pointed if row.model == name],
            [row for row in pointed if row.model != name],
            notes=(NOTE,),
        ),
    )
