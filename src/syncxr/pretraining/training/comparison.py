"""Whether two runs differ in their data alone: read off what their checkpoints have on record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from syncxr.errors import SyncxrError
from syncxr.pretraining.checkpoint import Checkpoint, describe
from syncxr.pretraining.training.record import dotted


class Comparison(BaseModel):
    """Two checkpoints side by side.

    Attributes:
        first: Folder.
        second: Folder.
        only_data: Whether nothing differs but the data and what follows from them.
        configuration: sha256 of each one's settings without the data.
        differences: Dotted key to both values; empty where only the data differ.
        data: Both fingerprints.
        sources: Names of both runs' sources.
        steps: Both numbers of steps: as many as the data give batches.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    first: str
    second: str
    only_data: bool
    configuration: tuple[str, str]
    differences: dict[str, tuple[Any, Any]]
    data: tuple[str, str]
    sources: tuple[tuple[str, ...], tuple[str, ...]]
    steps: tuple[int, int]


def compare(first: Path, second: Path) -> Comparison:
    """Compare two checkpoints: settings, first weights, code, environment, data.

    Raises:
        SyncxrError: One is no checkpoint, is damaged, or has no such record.
    """
    a, b = _recorded(first), _recorded(second)
    one, other = _without_data(a), _without_data(b)
    differences = {
        key: (one.get(key), other.get(key))
        for key in sorted({*one, *other})
        if one.get(key) != other.get(key)
    }
    return Comparison(
        first=str(first),
        second=str(second),
        only_data=not differences,
        configuration=(a.record["configuration_sha256"], b.record["configuration_sha256"]),
        differences=differences,
        data=(a.data, b.data),
        sources=(_names(a), _names(b)),
        steps=(a.steps, b.steps),
    )


def _recorded(folder: Path) -> Checkpoint:
    checkpoint = describe(folder)
    if not {"configuration_sha256", "sources"} <= checkpoint.record.keys():
        raise SyncxrError(f"{folder} has no record of its settings and sources; train again")
    return checkpoint


def _without_data(checkpoint: Checkpoint) -> dict[str, Any]:
    """All of a record that must be the same in two runs on different data."""
    record = {key: value for key, value in checkpoint.record.items() if key != "sources"}
    finished = checkpoint.training is None
    return dotted(record) | {"code": checkpoint.code, "finished": finished}


def _names(checkpoint: Checkpoint) -> tuple[str, ...]:
    return tuple(source["name"] for source in checkpoint.record["sources"])
