"""Steps of a run that leave one result: made once, then read; and how long each took."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from syncxr.dataset.files import write_text
from syncxr.factory.run_folder import log_event


def once(folder: Path, name: str, make: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
    """The result of a step: made if ``results/NAME.json`` is not there yet, then read."""
    path = folder / "results" / f"{name}.json"
    if not path.exists():
        with timed(folder, name):
            result = _plain(make())
        write_text(path, json.dumps(result, indent=1, allow_nan=False) + "\n")
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


@contextmanager
def timed(folder: Path, step: str) -> Iterator[None]:
    """Write to the run log how long the block took, however it ended."""
    start = time.monotonic()
    try:
        yield
    finally:
        log_event(folder, "step", step=step, seconds=round(time.monotonic() - start, 2))


def seconds(folder: Path) -> dict[str, float]:
    """Step to its duration, all parts of an interrupted run together."""
    totals: dict[str, float] = {}
    for line in (folder / "run.jsonl").read_text("utf-8").splitlines():
        event = json.loads(line)
        if event["event"] == "step":
            totals[event["step"]] = totals.get(event["step"], 0.0) + event["seconds"]
    return totals


def _plain(value: Any) -> Any:
    """JSON values; NaN, which JSON lacks, becomes null."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
