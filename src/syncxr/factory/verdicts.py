"""Curate films that exist already: one's own folder of images, or a dataset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from syncxr.corpora.films import FAULT, OWN_FILM
from syncxr.curation import JUDGES
from syncxr.curation.judge import Judge, record_of
from syncxr.errors import SyncxrError
from syncxr.factory.stage import ShardResult, Turns, declared
from syncxr.registry import BackendSpec, build
from syncxr.resources import Resources
from syncxr.sample import Sample

UNREADABLE = "unreadable"
"""The reason of a file that does not open as a film."""


class VerdictStage:
    """Films in, the good ones out; nothing is rendered again.

    Args:
        judge: Which judge.
    """

    name = "curated"
    output = "dataset/data"

    def __init__(self, judge: BackendSpec) -> None:
        self._judge_spec = judge
        self._judge: Judge | None = None
        self._turns = Turns()

    @property
    def resources(self) -> Resources:
        """As the judge declares them."""
        return declared("judge", JUDGES, self._judge_spec)

    def describe(self) -> dict[str, Any]:
        """All that decides what the stage makes."""
        return {"judge": self._judge_spec.model_dump(mode="json")}

    def setup(self) -> None:
        """Load the judge."""
        self._judge = build("judge", JUDGES, self._judge_spec)

    def process(self, samples: Sequence[Sample], done: Callable[[int], None]) -> ShardResult:
        """One verdict a film; the answers become the sample's quality.

        A file that does not open is refused, not a fault of the run.
        """
        assert self._judge is not None, "setup() comes first"
        accepted: list[Sample] = []
        rejected = [sample for sample in samples if FAULT in sample.provenance]
        for sample in rejected:
            sample.provenance["curation"] = {"reasons": [UNREADABLE]}
            done(1)
        reasons = Counter({f"film: {UNREADABLE}": len(rejected)} if rejected else {})
        shown = [sample for sample in samples if FAULT not in sample.provenance]
        films = [sample.image for sample in shown if sample.image is not None]
        if len(films) != len(shown):
            bare = next(sample.id for sample in shown if sample.image is None)
            raise SyncxrError(f"sample {bare} has no film to judge; run `syncxr render` first")
        with self._turns.at(self._judge):
            verdicts = self._judge.judge(films) if films else []
        for sample, verdict in zip(shown, verdicts, strict=True):
            sample.quality = verdict.scores
            sample.provenance["curation"] = {
                "judge": self._judge.name,
                "judged_by": record_of(self._judge),
                "reasons": list(verdict.reasons),
            }
            reasons.update(f"film: {reason}" for reason in verdict.reasons)
            (accepted if verdict.passed else rejected).append(sample)
            if OWN_FILM in sample.provenance:
                sample.image = None  # One's own films are listed, not copied and not relabelled.
            done(1)
        return ShardResult(accepted, rejected, {"film attempts": len(films), **reasons})
