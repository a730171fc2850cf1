"""A plan in, a curated dataset out: drafting, then films, then the manifest and the card."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from syncxr.dataset.card import CardFacts, write_card
from syncxr.dataset.manifest import build_manifest, write_manifest
from syncxr.dataset.shards import ShardRecord, committed
from syncxr.dataset.storage import StoragePath
from syncxr.entities.plan import PlanFile
from syncxr.errors import SyncxrError
from syncxr.factory.drafts import DraftStage
from syncxr.factory.executors import Executor
from syncxr.factory.films import FilmStage
from syncxr.factory.runner import outputs, run_stage
from syncxr.factory.sources import PlanSource, fingerprint
from syncxr.sample import Sample


class GenerationSummary(BaseModel):
    """The funnel from plan to dataset.

    Attributes:
        planned: Reports planned.
        drafted: Drafts written, repeated ones included.
        verified: Reports whose two sections say what was planned.
        first_round_acceptance: Share of reports whose first draft verified.
        rendered: Films rendered, repeated ones included.
        accepted: Pairs in the dataset.
        rejected: Stage to samples that never passed it.
        draft_reasons: Why drafts failed, counted over all attempts.
        film_reasons: Why films failed, counted over all attempts.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    planned: int
    drafted: int
    verified: int
    first_round_acceptance: float
    rendered: int
    accepted: int
    rejected: dict[str, int]
    draft_reasons: dict[str, int]
    film_reasons: dict[str, int]


def generate(
    folder: StoragePath,
    plan: PlanFile,
    draft: DraftStage,
    film: FilmStage,
    shard_size: int,
    executor: Executor,
) -> GenerationSummary:
    """Bring a whole plan through both stages; goes on where an earlier run stopped.

    Args:
        folder: Run folder, held open by the caller.
        plan: What each report has to state.
        draft: Writes and verifies.
        film: Renders and judges.
        shard_size: Samples in a new shard; committed shards keep theirs.
        executor: Where shards are worked on.
    """
    film.check()  # Before an hour of drafting, not after it.
    sources = cut_plan(plan, shard_size, committed(folder, draft.name))
    drafts = run_stage(folder, draft, sources, executor)
    films = run_stage(folder, film, outputs(folder, draft), executor)
    return summarise(len(plan), drafts, films)


def cut_plan(plan: PlanFile, size: int, finished: Mapping[int, ShardRecord]) -> list[PlanSource]:
    """Cut a plan into shards such that the committed ones keep what they hold.

    An extended plan goes on behind the last committed shard, which may be smaller than
    ``size``. The plan is read once, in a stream.

    Raises:
        SyncxrError: The plan is not the one that the committed shards were made from.
    """
    firsts = {record.first: index for index, record in finished.items()}
    sources: list[PlanSource] = []
    part: list[Sample] = []

    def close(end: int) -> None:
        start = end - len(part)
        sources.append(PlanSource(len(sources), plan, start, len(part), fingerprint(part)))
        part.clear()

    for position, report in enumerate(plan):
        held = finished.get(len(sources))
        if part and (len(part) == (held.size if held else size) or report.id in firsts):
            close(position)
            held = finished.get(len(sources))
        if not part and firsts.get(report.id) != (len(sources) if held else None):
            raise _other_plan()
        part.append(Sample(report.id, report.entities))
    close(len(plan))
    if len(sources) <= max(finished, default=0):
        raise _other_plan()
    return sources


def _other_plan() -> SyncxrError:
    return SyncxrError("the plan is not the one that was drafted; use the plan of this run")


def finish_dataset(
    folder: StoragePath, film: FilmStage, configuration: Mapping[str, Any], facts: CardFacts
) -> None:
    """Write manifest, card and Croissant file beside the shards, last of all."""
    records = committed(folder, film.name).values()
    manifest = build_manifest(records, "dataset", configuration)
    write_manifest(manifest, folder / "dataset")
    write_card(folder / "dataset", manifest, facts)


def summarise(
    planned: int, drafts: Sequence[ShardRecord], films: Sequence[ShardRecord]
) -> GenerationSummary:
    """Add up what the shards of both stages recorded."""
    draft = _totals(drafts)
    film = _totals(films)
    return GenerationSummary(
        planned=planned,
        drafted=draft["draft attempts"],
        verified=draft["accepted"],
        first_round_acceptance=draft["first drafts accepted"] / max(planned, 1),
        rendered=film["film attempts"],
        accepted=film["accepted"],
        rejected={"drafts": draft["rejected"], "films": film["rejected"]},
        draft_reasons=_reasons(draft, "draft: "),
        film_reasons=_reasons(film, "film: "),
    )


def _totals(records: Sequence[ShardRecord]) -> Counter[str]:
    totals: Counter[str] = Counter()
    for record in records:
        totals.update(record.statistics)
    return totals


def _reasons(totals: Counter[str], prefix: str) -> dict[str, int]:
    found = {key.removeprefix(prefix): n for key, n in totals.items() if key.startswith(prefix)}
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))
