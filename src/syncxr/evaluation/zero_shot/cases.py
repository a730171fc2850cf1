"""Cases of grounding: what a model's map and the true mask say of each other."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CUTS = np.arange(1, 20) / 20
"""Thresholds of the sweep; one of them is the fixed .5."""

MAP_MEASURES = ("pointing game", "CNR", "CNR (signed)")
"""Measures of a map that need no threshold, in the order of :attr:`Case.free`."""


@dataclass(frozen=True)
class Case:
    """One finding asked for in one film.

    Attributes:
        finding: Name.
        item: Id of the film.
        unit: Its patient, or the film.
        share: Part of the film that the mask covers.
        free: Pointing game, CNR and signed CNR.
        overlap: (T, 4), :data:`~..metrics.masks.OVERLAPS` at each of :data:`CUTS`.
    """

    finding: str
    item: str
    unit: str
    share: float
    free: tuple[float, float, float]
    overlap: Floats


@dataclass(frozen=True)
class Grounded:
    """Every case of a test set.

    Attributes:
        test_set: Its name.
        split: Its split and the hash of its ids.
        by_patient: Whether units are patients.
        findings: What was asked for, in order.
        cases: In order of findings.
        vanished: Finding to the films whose mask is too thin for the grid: they are not scored.
    """

    test_set: str
    split: str
    by_patient: bool
    findings: tuple[str, ...]
    cases: tuple[Case, ...]
    vanished: dict[str, tuple[str, ...]]

    def of(self, finding: str) -> list[Case]:
        """Cases of one finding."""
        return [case for case in self.cases if case.finding == finding]

    def to_json(self) -> str:
        """All of it; every bit of a number is kept."""
        plain = asdict(self)
        for case in plain["cases"]:
            case["overlap"] = case["overlap"].tolist()
        return json.dumps(plain)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What :meth:`to_json` wrote.

        Raises:
            ValueError: It is something else.
        """
        try:
            plain = json.loads(text)
            cases = tuple(
                Case(**{**case, "free": tuple(case["free"]), "overlap": np.array(case["overlap"])})
                for case in plain.pop("cases")
            )
            findings, vanished = plain.pop("findings"), plain.pop("vanished")
            lost = {finding: tuple(ids) for finding, ids in vanished.items()}
            return cls(**plain, findings=tuple(findings), cases=cases, vanished=lost)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no cases of grounding: {error}") from error
