"""Render and curate in rounds: a film that the judge refuses is rendered again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from syncxr.curation import JUDGES
from syncxr.curation.judge import Judge, record_of
from syncxr.factory.rounds import History, Outcome, Task, run_rounds
from syncxr.factory.stage import ShardResult, Turns, declared
from syncxr.images import RENDERERS
from syncxr.images.renderer import Film, Renderer, RenderRequest
from syncxr.registry import BackendSpec, build
from syncxr.resources import Resources
from syncxr.sample import Sample


def film_request(sample: Sample, seed: int) -> RenderRequest:
    """What a renderer is told of a report: both sections, no hidden label."""
    return RenderRequest(sample.findings, seed, sample.impression)


class FilmStage:
    """Drafted reports in, image-report pairs out.

    Args:
        renderer: Which image model.
        judge: Which judge; ``None`` accepts every film unseen.
        max_attempts: Films a report may have before it is rejected.
        require_shown: Refuse a film that lacks a positive finding of its report.
    """

    name = "films"
    output = "dataset/data"

    def __init__(
        self,
        renderer: BackendSpec,
        judge: BackendSpec | None,
        max_attempts: int,
        require_shown: bool,
    ) -> None:
        self._renderer_spec = renderer
        self._judge_spec = judge
        self._max_attempts = max_attempts
        self._require_shown = require_shown
        self._renderer: Renderer | None = None
        self._judge: Judge | None = None
        self._turns = Turns()

    @property
    def resources(self) -> Resources:
        """What the renderer and the judge declare, together."""
        needs = declared("renderer", RENDERERS, self._renderer_spec)
        if self._judge_spec is not None:
            needs |= declared("judge", JUDGES, self._judge_spec)
        return needs

    def describe(self) -> dict[str, Any]:
        """All that decides what the stage makes."""
        return {
            "renderer": self._renderer_spec.model_dump(mode="json"),
            "judge": self._judge_spec.model_dump(mode="json") if self._judge_spec else None,
            "max_attempts": self._max_attempts,
            "require_shown": self._require_shown,
        }

    def setup(self) -> None:
        """Load the renderer and the judge."""
        self._renderer = build("renderer", RENDERERS, self._renderer_spec)
        if self._judge_spec is not None:
            self._judge = build("judge", JUDGES, self._judge_spec)

    def check(self) -> None:
        """Make both backends and let go of them: a wrong option shows before any work."""
        build("renderer", RENDERERS, self._renderer_spec)
        if self._judge_spec is not None:
            build("judge", JUDGES, self._judge_spec)

    def process(self, samples: Sequence[Sample], done: Callable[[int], None]) -> ShardResult:
        """One film a report, in rounds."""
        by_id = {sample.id: sample for sample in samples}

        def attempt(tasks: Sequence[Task]) -> list[Outcome[Film]]:
            # Shards that changed places between the two would be finished, and stored, together.
            with self._turns.at(self._renderer, self._judge):
                return self._attempt([by_id[task.id] for task in tasks], tasks)

        histories = run_rounds(list(by_id), "film", attempt, self._max_attempts, done)
        for sample in samples:
            self._fill(sample, histories[sample.id])
        reasons = Counter(
            f"film: {reason}"
            for history in histories.values()
            for attempt_made in history.attempts
            for reason in attempt_made["reasons"]
        )
        attempts = sum(len(history.attempts) for history in histories.values())
        return ShardResult(
            accepted=[sample for sample in samples if histories[sample.id].outcome],
            rejected=[sample for sample in samples if not histories[sample.id].outcome],
            statistics={"film attempts": attempts, **reasons},
        )

    def _attempt(self, samples: Sequence[Sample], tasks: Sequence[Task]) -> list[Outcome[Film]]:
        assert self._renderer is not None, "setup() comes first"
        requests = [
            film_request(sample, task.seed) for sample, task in zip(samples, tasks, strict=True)
        ]
        with self._turns.at(self._renderer):
            films = self._renderer.render(requests)
        missing = [self._missing(film) for film in films]
        if self._judge is None:
            return [Outcome(film, lack) for film, lack in zip(films, missing, strict=True)]
        with self._turns.at(self._judge):
            verdicts = self._judge.judge([film.image for film in films])
        return [
            Outcome(film, lack + verdict.reasons, verdict.scores)
            for film, lack, verdict in zip(films, missing, verdicts, strict=True)
        ]

    def _missing(self, film: Film) -> tuple[str, ...]:
        return ("finding_not_shown",) if self._require_shown and film.not_shown else ()

    def _fill(self, sample: Sample, history: History[Film]) -> None:
        """Put the last film and the record of all attempts into the sample."""
        assert history.last is not None and self._renderer is not None
        film = history.last.result
        sample.image = film.image
        sample.masks = film.masks
        sample.quality = dict(history.last.scores)
        sample.provenance["film"] = {
            "renderer": self._renderer.name,
            "judge": self._judge.name if self._judge else None,
            "judged_by": record_of(self._judge) if self._judge else {},
            "parameters": film.parameters,
            "shown": [str(entity) for entity in film.shown],
            "not_shown": [[str(entity), reason] for entity, reason in film.not_shown],
            "attempts": history.attempts,
        }
