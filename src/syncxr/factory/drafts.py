"""Draft and verify in rounds: a report that does not say what was planned is drafted again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from syncxr.entities.matching import MatchingOptions
from syncxr.factory.rounds import Outcome, Task, run_rounds
from syncxr.factory.stage import ShardResult, Turns, declared
from syncxr.registry import BackendSpec, build
from syncxr.reports import WRITERS
from syncxr.reports.drafting import Draft, DraftingOptions, DraftRequest, draft, provenance
from syncxr.reports.verification import Verifier
from syncxr.reports.writer import Writer
from syncxr.resources import Resources
from syncxr.sample import Entity, Sample


class DraftStage:
    """Planned entities in, verified reports out.

    Args:
        writer: Which language model.
        options: How it is asked.
        max_attempts: Drafts a report may have before it is rejected.
        extractor: What reads the drafts.
        matching: When a stated entity is a planned one.
    """

    name = "drafts"
    output = "drafts"

    def __init__(
        self,
        writer: BackendSpec,
        options: DraftingOptions,
        max_attempts: int,
        extractor: BackendSpec = BackendSpec(name="rules"),  # noqa: B008  (frozen)
        matching: MatchingOptions = MatchingOptions(),  # noqa: B008  (frozen)
    ) -> None:
        self._spec = writer
        self._extractor = extractor
        self._matching = matching
        self._options = options
        self._max_attempts = max_attempts
        self._writer: Writer | None = None
        self._turns = Turns()

    @property
    def resources(self) -> Resources:
        """As the writer declares them; one that says nothing has the machine to itself."""
        return declared("writer", WRITERS, self._spec, Resources(whole_machine=True))

    def describe(self) -> dict[str, Any]:
        """All that decides what the stage makes."""
        return {
            "writer": self._spec.model_dump(mode="json"),
            "options": self._options.model_dump(mode="json"),
            "max_attempts": self._max_attempts,
            "extractor": self._extractor.model_dump(mode="json"),
            "matching": self._matching.model_dump(mode="json"),
        }

    def setup(self) -> None:
        """Load the writer and what verifies its drafts."""
        self._writer = build("writer", WRITERS, self._spec)
        self._verifier = Verifier.build(self._extractor, self._matching)

    def process(self, samples: Sequence[Sample], done: Callable[[int], None]) -> ShardResult:
        """One report a sample, in rounds."""
        assert self._writer is not None, "setup() comes first"
        by_id = {sample.id: sample for sample in samples}
        sound: dict[str, str] = {}

        def attempt(tasks: Sequence[Task]) -> Iterator[Outcome[Draft]]:
            return self._attempt([by_id[task.id] for task in tasks], tasks, sound)

        histories = run_rounds(list(by_id), "draft", attempt, self._max_attempts, done)
        made_by = provenance(self._writer, self._options)
        reasons: Counter[str] = Counter()
        for sample in samples:
            history = histories[sample.id]
            assert history.last is not None
            sample.findings = history.last.result.findings
            sample.impression = history.last.result.impression
            sample.provenance["draft"] = {**made_by, "attempts": history.attempts}
            if history.outcome and self._verifier.keeps_record:
                sample.provenance["verification"] = self._verifier.record(
                    sample.findings, sample.impression, sample.entities
                )
            # The words of a reason are kept with the sample; counted is its kind.
            reasons.update(
                f"draft: {reason.partition(':')[0]}"
                for made in history.attempts
                for reason in made["reasons"]
            )
        attempts = [len(history.attempts) for history in histories.values()]
        first = sum(not history.attempts[0]["reasons"] for history in histories.values())
        return ShardResult(
            accepted=[sample for sample in samples if histories[sample.id].outcome],
            rejected=[sample for sample in samples if not histories[sample.id].outcome],
            statistics={
                "draft attempts": sum(attempts),
                "first drafts accepted": first,
                **reasons,
            },
        )

    def _attempt(
        self, samples: Sequence[Sample], tasks: Sequence[Task], sound: dict[str, str]
    ) -> Iterator[Outcome[Draft]]:
        """One draft a sample; ``sound`` keeps, by id, FINDINGS that verified."""
        assert self._writer is not None
        requests = [
            DraftRequest(task.id, sample.entities, task.seed, sound.get(task.id, ""))
            for sample, task in zip(samples, tasks, strict=True)
        ]

        def check(text: str, entities: Iterable[Entity]) -> tuple[str, ...]:
            with self._turns.at(self._verifier):
                return self._verifier.findings(text, entities)

        with self._turns.at(self._writer):
            for sample, written in zip(
                samples, draft(requests, self._writer, self._options, check), strict=True
            ):
                with self._turns.at(self._verifier):
                    reasons = _reasons(sample, written, sound, self._verifier)
                counted = {"tokens": written.tokens, "prompt_tokens": written.prompt_tokens}
                yield Outcome(written, reasons, {name: float(n) for name, n in counted.items()})


def _reasons(
    sample: Sample, written: Draft, sound: dict[str, str], verifier: Verifier
) -> tuple[str, ...]:
    """Why a draft is refused; empty = it is accepted."""
    failure = (f"no text: {written.failure}",) if written.failure else ()
    if not written.findings:
        return failure or ("findings are empty",)
    reasons = verifier.findings(written.findings, sample.entities)
    if not reasons:
        sound[sample.id] = written.findings
    # FINDINGS that were refused need not have been summed up.
    if written.impression or not (reasons or failure):
        reasons += verifier.impression(written.impression, sample.entities)
    return failure + reasons
