"""What a run was made of: proof of what two runs have in common, and guard against mixing them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch

from syncxr import __version__
from syncxr.errors import SyncxrError
from syncxr.pretraining.checkpoint import INDEX, Checkpoint, describe
from syncxr.pretraining.options import PretrainingOptions

_LEFT_OUT: dict[str, Any] = {
    "minutes": True,
    "save_every": True,
    "trackers": True,
    "data": {"sources", "cache", "corrupt_limit"},
}
"""The sources, and what may change between the parts of a run without changing its weights."""


def configuration(options: PretrainingOptions) -> dict[str, Any]:
    """All settings that decide a run's weights, but for where its data come from."""
    return options.model_dump(mode="json", exclude=_LEFT_OUT)


def fingerprint(configuration: dict[str, Any]) -> str:
    """sha256 of settings."""
    return hashlib.sha256(json.dumps(configuration, sort_keys=True).encode()).hexdigest()


def make_record(
    options: PretrainingOptions,
    engine: Any,
    *,
    start: str,
    loaded: tuple[str, ...],
    sources: Any,
) -> dict[str, Any]:
    """The record of a run, in its checkpoint.

    Args:
        options: Settings.
        engine: What it runs on.
        start: sha256 of the weights before the first step.
        loaded: What each tower started from.
        sources: Where the data come from, as JSON values.

    Returns:
        ``configuration``, its ``configuration_sha256``, ``start_sha256``, ``loaded``,
        ``environment`` (torch, device, processes, threads) and ``sources``. Two runs differ only
        in their data when all but ``sources`` is the same.
    """
    settings = configuration(options)
    return {
        "configuration_sha256": fingerprint(settings),
        "start_sha256": start,
        "configuration": settings,
        "loaded": list(loaded),
        "environment": {
            "torch": torch.__version__,
            "device": engine.device.type,
            "processes": engine.num_processes,
            "threads": torch.get_num_threads(),
        },
        "sources": sources,
    }


def unfinished(folder: Path, options: PretrainingOptions, data: str) -> Checkpoint | None:
    """The run to go on with in a folder, if there is one.

    Raises:
        SyncxrError: It was made with other settings, other data or another version.
    """
    if not (folder / INDEX).exists():
        return None
    checkpoint = describe(folder)
    before = {
        **dotted(checkpoint.record.get("configuration", {})),
        "data": checkpoint.data,
        "code": checkpoint.code,
    }
    now = {**dotted(configuration(options)), "data": data, "code": __version__}
    for key, value in now.items():
        if before.get(key) != value:
            raise SyncxrError(
                f"{folder} was trained with {key} = {_short(before.get(key))}, not "
                f"{_short(value)}; name another folder"
            )
    return checkpoint


def dotted(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Settings by their dotted keys."""
    found: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            found |= dotted(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = value
    return found


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) < 60 else text[:57] + "…"
