"""Ask two judges about the same films of a folder or a dataset, and compare what they say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from syncxr.corpora.films import FAULT
from syncxr.curation import JUDGES
from syncxr.curation.agreement import Row, agree
from syncxr.curation.judge import QUESTIONS, SIMILAR, Judge, Verdict
from syncxr.dataset.storage import StoragePath
from syncxr.errors import SyncxrError
from syncxr.factory.sources import ShardSource
from syncxr.factory.standalone import film_sources
from syncxr.progress import bar
from syncxr.registry import BackendSpec, build
from syncxr.sample import Image

_AT_ONCE = 32


class Agreement(BaseModel):
    """What two judges said of the same films.

    Attributes:
        source: Where the films are.
        films: Films judged.
        seed: Of the choice of films.
        first: Name and options of one judge.
        second: Name and options of the other.
        rows: One a question, and one for the whole verdict.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str
    films: int
    seed: int
    first: dict[str, object]
    second: dict[str, object]
    rows: list[Row]


def other_way(judge: BackendSpec) -> BackendSpec:
    """The same chat judge, asked the other way: all questions at once, or each by itself.

    Raises:
        SyncxrError: This judge knows one way only.
    """
    if judge.name != "chat":
        raise SyncxrError(
            f"judge {judge.name!r} can be asked in one way only; give a configuration of another "
            "judge with --against"
        )
    ask = "each" if judge.options.get("ask") == "all" else "all"
    return BackendSpec(name=judge.name, **{**judge.options, "ask": ask})


def compare(
    source: StoragePath, first: BackendSpec, second: BackendSpec, films: int, seed: int
) -> Agreement:
    """Let two judges judge the same films.

    Args:
        source: Folder of images, or a dataset.
        first: One judge; what decides with it decides in the row of the whole verdict.
        second: The other.
        films: Films to judge, drawn at random; all if there are fewer.
        seed: Of that draw.
    """
    judges = [_build(spec) for spec in (first, second)]
    verdicts: tuple[list[Verdict], list[Verdict]] = ([], [])
    sources = film_sources(source, 1)
    chosen = _draw([part.size for part in sources], films, seed)
    with bar("films", sum(map(len, chosen.values()))) as progress:
        for batch in _batches(sources, chosen):
            for judge, found in zip(judges, verdicts, strict=True):
                found += judge.judge(batch)
            progress.advance(len(batch))
    deciding = first.options.get("deciding", (*QUESTIONS, SIMILAR))
    return Agreement(
        source=str(source),
        films=len(verdicts[0]),
        seed=seed,
        first=first.model_dump(mode="json"),
        second=second.model_dump(mode="json"),
        rows=agree(*verdicts, deciding, seed),
    )


def _build(spec: BackendSpec) -> Judge:
    """The judge with every question deciding, so that its verdicts tell each outcome."""
    options = {**spec.options, "deciding": (*QUESTIONS, SIMILAR)}
    judge: Judge = build("judge", JUDGES, BackendSpec(name=spec.name, **options))
    return judge


def _draw(sizes: Sequence[int], films: int, seed: int) -> dict[int, list[int]]:
    """Part to the places in it that were drawn, without replacement, over all parts together."""
    total = sum(sizes)
    drawn = np.random.default_rng(seed).choice(total, min(films, total), replace=False)
    ends = np.cumsum(sizes)
    chosen: dict[int, list[int]] = {}
    for place in sorted(map(int, drawn)):
        part = int(np.searchsorted(ends, place, side="right"))
        chosen.setdefault(part, []).append(place - int(ends[part]) + sizes[part])
    return chosen


def _batches(
    sources: Sequence[ShardSource], chosen: Mapping[int, Sequence[int]]
) -> Iterator[list[Image]]:
    batch: list[Image] = []
    for part, places in chosen.items():
        samples = sources[part].load()
        for place in places:
            image = samples[place].image
            if image is None:
                bare = f"sample {samples[place].id} has no film to judge"
                raise SyncxrError(samples[place].provenance.get(FAULT, bare))
            batch.append(image)
            if len(batch) == _AT_ONCE:
                yield batch
                batch = []
    if batch:
        yield batch
