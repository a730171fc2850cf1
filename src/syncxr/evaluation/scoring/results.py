"""One row type for the results of every task, and how rows are kept.

A row is one number with everything it was measured on. Tables are renderings of rows; nothing is
in a table that is not in a row.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from syncxr.dataset.files import write_text
from syncxr.errors import SyncxrError
from syncxr.figures import json_values

MEAN = "mean"
"""``Result.finding`` of an average over findings; ``note`` names those left out and why."""

THRESHOLD_FREE = "threshold-free"
"""``Result.protocol`` of AUROC and average precision without further rules."""

VALIDATION = "validation"
"""Thresholds chosen on validation data: the default."""

TEST_TUNED = "test-tuned (MAVL)"
"""Thresholds of the greatest F1 on the test set itself, as in MAVL: optimistic by construction."""

FEWEST_ITEMS = 50
"""Below it a number shows an interval only and ranks nothing."""

NAN = float("nan")


@dataclass(frozen=True, kw_only=True)
class Result:
    """One number.

    Attributes:
        task: ``"zero-shot classification"``, ``"zero-shot grounding"``, ``"fine-tuned
            classification"``, ``"fine-tuned segmentation"``.
        model: Name of the checkpoint, or of a baseline (``"brightness alone"``).
        test_set: Name of the test set.
        split: Which part of it, with its hash where ids ship.
        finding: Name, or :data:`MEAN`.
        protocol: How thresholds, heads or films were treated.
        prompt_set: Name and hash of the texts; ``""`` where none are involved.
        fraction: Share of the training labels used, in (0, 1]; NaN where none are involved.
        seed: Of training where there is any, else of the bootstrap.
        metric: ``"AUROC"``, ``"AP"``, ``"F1"``, ``"accuracy"``, ``"MCC"``, ``"IoU"``, ``"Dice"``, …
        value: The number; NaN where it has no meaning (``note`` says why).
        low: Lower end of the 95 % interval; NaN without one.
        high: Upper end.
        n: Items it was measured on (for a mean: of the test set).
        positives: Those that show the finding; for a mean the number of findings that count.
        units: Number and kind of what was resampled: ``"357 patients"``, ``"548 images"``.
        note: What a reader must know.
        samples: Bootstrap samples; 0 without an interval.
        threshold: Where scores were cut; NaN for metrics without a cut and for means.
        p: Two-sided bootstrap p value of a difference; NaN elsewhere.
        preprocessing: How films were prepared, as the model says.
    """

    task: str
    model: str
    test_set: str
    split: str
    finding: str
    protocol: str
    prompt_set: str = ""
    fraction: float = NAN
    seed: int = 0
    metric: str
    value: float
    low: float = NAN
    high: float = NAN
    n: int
    positives: int
    units: str
    note: str = ""
    samples: int = 0
    threshold: float = NAN
    p: float = NAN
    preprocessing: str = ""

    @property
    def ranks(self) -> bool:
        """Whether the number may be called better or worse than another (best in bold, p)."""
        return self.n >= FEWEST_ITEMS and not math.isnan(self.value)

    def to_dict(self) -> dict[str, Any]:
        """JSON values; NaN becomes None."""
        plain: dict[str, Any] = json_values(asdict(self))
        return plain

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Result:
        """Inverse of :meth:`to_dict`.

        Raises:
            ValueError: A field is missing, unknown or of another type.
        """
        kinds = {field.name: field.type for field in fields(cls)}
        if unknown := sorted(set(row) ^ set(kinds)):
            raise ValueError(f"a result has no or needs the fields {', '.join(unknown)}")
        return cls(**{name: _value(name, str(kinds[name]), row[name]) for name in kinds})


def write_results(results: Iterable[Result], path: Path) -> None:
    """Write rows as a JSON list, in one rename."""
    rows = [result.to_dict() for result in results]
    write_text(path, json.dumps(rows, indent=1, allow_nan=False) + "\n")


def read_results(path: Path) -> list[Result]:
    """Rows of a file that :func:`write_results` wrote.

    Raises:
        SyncxrError: The file is absent, damaged or of another version; names file and row.
    """
    try:
        rows = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise SyncxrError(f"{path} cannot be read as results ({error}); score again") from error
    if not isinstance(rows, list):
        raise SyncxrError(f"{path} is no list of results; score again")
    results = []
    for number, row in enumerate(rows, start=1):
        try:
            results.append(Result.from_dict(row))
        except (TypeError, ValueError) as error:
            raise SyncxrError(f"{path}, row {number}: {error}; score again") from error
    return results


_KINDS: dict[str, type[float] | type[int] | type[str]] = {"float": float, "int": int, "str": str}


def _value(name: str, kind: str, value: Any) -> Any:
    """A JSON value as the field's type."""
    if kind == "float":
        value = math.nan if value is None else float(value) if type(value) is int else value
    if type(value) is not _KINDS[kind]:
        raise ValueError(f"{name} is {value!r}, not {kind}")
    return value
