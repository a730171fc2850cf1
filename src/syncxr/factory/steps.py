"""Steps of a run that leave one result: made once, then read; and how long each took."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from syncxr.dataset.files import read_text, write_text
from syncxr.dataset.storage import StoragePath
from syncxr.factory.run_folder import log_event, read_log
from syncxr.figures import json_values


def once(
    folder: StoragePath, name: str, of: str, make: Callable[[], Mapping[str, Any]]
) -> dict[str, Any]:
    """The result of a step, made unless ``results/NAME.json`` has it for the same input.

    Args:
        folder: Run folder.
        name: Name of the step.
        of: What it is a result of, e.g. the hash of the dataset; another value makes it anew.
        make: Makes it.
    """
    found = recorded(folder, name, of)
    if found is None:
        with timed(folder, name):
            found = json_values(make())
        kept = json.dumps({"of": of, "result": found}, indent=1, allow_nan=False)
        write_text(_path(folder, name), kept + "\n")
    return found


def recorded(folder: StoragePath, name: str, of: str) -> dict[str, Any] | None:
    """The result of a step if it was made of this input."""
    path = _path(folder, name)
    if not path.exists():
        return None
    held = json.loads(read_text(path))
    result: dict[str, Any] | None = held["result"] if held["of"] == of else None
    return result


@contextmanager
def timed(folder: StoragePath, step: str) -> Iterator[None]:
    """Write to the run log how long the block took, however it ended."""
    start = time.monotonic()
    try:
        yield
    finally:
        log_event(folder, "step", step=step, seconds=round(time.monotonic() - start, 2))


def seconds(folder: StoragePath) -> dict[str, float]:
    """Step to its duration, over all parts of a run that were not cut off by a kill."""
    totals: dict[str, float] = {}
    for event in read_log(folder):
        if event["event"] == "step":
            totals[event["step"]] = totals.get(event["step"], 0.0) + event["seconds"]
    return totals


def _path(folder: StoragePath, name: str) -> StoragePath:
    return folder / "results" / f"{name}.json"
