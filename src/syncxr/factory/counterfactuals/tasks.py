"""What is to be changed: which pairs of a dataset, and in which way."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq
import yaml

from syncxr.dataset.files import read_text
from syncxr.dataset.storage import StoragePath
from syncxr.factory.sources import ShardFileSource
from syncxr.registry import BackendSpec
from syncxr.sample import Entity, Sample

TASK = "counterfactual"
"""Where a sample's provenance says what it is the counterfactual of."""

WITHOUT, REGRADED = "without", "regraded"
"""Ways of changing a finding; they end the ids of what they make."""

OTHER_GRADE = {"mild": "severe", "moderate": "severe", "severe": "mild"}
"""Severity to the one it is changed into: two steps away where there are two."""


@dataclass(frozen=True)
class TaskSource:
    """Pairs of one shard that are to be changed.

    Attributes:
        index: Number of the shard.
        shard: Where the pairs lie.
        picks: Ids, each with a way of changing a finding.
    """

    index: int
    shard: ShardFileSource
    picks: tuple[tuple[str, str], ...]

    @property
    def size(self) -> int:
        """Counterfactuals to be made."""
        return len(self.picks)

    @property
    def fingerprint(self) -> str:
        """Hash of the shard and of what is picked of it."""
        return hashlib.sha256(f"{self.shard.fingerprint} {self.picks}".encode()).hexdigest()

    def load(self) -> list[Sample]:
        """The pairs under the ids of what they are to become."""
        pairs = {sample.id: sample for sample in self.shard.load()}
        return [_task(pairs[id], way) for id, way in self.picks]


def cut_tasks(
    shards: Sequence[ShardFileSource], ways: Sequence[str], pairs: int | None = None
) -> list[TaskSource]:
    """A source a shard that shows anything to be changed.

    What is a counterfactual already is passed over: its film has the exposure of another one and
    cannot be taken again from its own text and seed.

    Args:
        shards: Of the dataset.
        ways: How to change findings.
        pairs: The first so many pairs that show a finding; by default all.
    """
    sources = []
    left = pairs
    for shard in shards:
        if left == 0:
            break
        originals = (row for row in _rows(shard) if TASK not in row[2])
        rows = [row for row in originals if candidates(*row[1:], WITHOUT)][:left]
        left = None if left is None else left - len(rows)
        picks = tuple((row[0], way) for row in rows for way in ways if candidates(*row[1:], way))
        if picks:
            sources.append(TaskSource(shard.index, shard, picks))
    return sources


def renderer_of(source: StoragePath) -> BackendSpec | None:
    """What made the films of a dataset, as the configuration of its run tells."""
    for folder in (source, source.parent):
        path = folder / "config.yaml"
        if path.is_file():
            held = yaml.safe_load(read_text(path)) or {}
            spec = held.get("renderer") or held.get("render", {}).get("renderer")
            return BackendSpec.model_validate(spec) if spec else None
    return None


def candidates(entities: Sequence[Entity], provenance: Mapping[str, Any], way: str) -> list[Entity]:
    """Findings of a report that stand on its film and can be changed in a way."""
    shown = set(provenance.get("film", {}).get("shown", ()))
    return [
        entity
        for entity in entities
        if str(entity) in shown and (way == WITHOUT or entity.severity in OTHER_GRADE)
    ]


def _rows(shard: ShardFileSource) -> Iterator[tuple[str, list[Entity], dict[str, Any]]]:
    """Id, entities and provenance of each pair; films stay where they are."""
    with shard.path.open("rb") as stream:
        table = pq.read_table(stream, columns=["id", "entities", "provenance"])
    for row in table.to_pylist():
        entities = [Entity.from_dict(entity) for entity in row["entities"]]
        yield row["id"], entities, json.loads(row["provenance"])


def _task(pair: Sample, way: str) -> Sample:
    """The sample that the stage turns into a counterfactual of a pair."""
    return Sample(
        f"{pair.id}-{way}",
        pair.entities,
        pair.findings,
        pair.impression,
        pair.image,
        provenance={**pair.provenance, TASK: {"original": pair.id, "way": way}},
    )
