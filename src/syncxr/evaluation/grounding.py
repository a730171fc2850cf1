"""Zero-shot grounding: does the model point at the finding it is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from syncxr.evaluation.metrics import interval, pointing_hit, resamples
from syncxr.evaluation.tables import shown
from syncxr.figures import json_values
from syncxr.progress import bar
from syncxr.sample import Image, Mask


class Grounder(Protocol):
    """A model that points."""

    def ground(self, image: Image, phrase: str) -> NDArray[np.float32]:
        """Map in [0, 1] of the image's shape."""
        ...


@dataclass(frozen=True)
class Case:
    """One thing to point at: ``phrase`` is asked for, and ``mask`` (H, W) is where it is."""

    finding: str
    phrase: str
    image: Image
    mask: Mask


@dataclass(frozen=True)
class PointingScore:
    """Pointing game of one finding (Zhang et al., IJCV 2018).

    Attributes:
        finding: Name.
        hits: Cases whose maximum lies inside the mask.
        cases: All cases.
        rate: ``hits / cases``.
        low: Lower end of the 95 % interval.
        high: Upper end.
        chance: Mean share of the film that the mask covers: the rate of a blind point.
    """

    finding: str
    hits: int
    cases: int
    rate: float
    low: float
    high: float
    chance: float


@dataclass(frozen=True)
class PointingTable:
    """Pointing game by finding, with what it was measured on."""

    test_set: str
    samples: int
    seed: int
    rows: tuple[PointingScore, ...]
    mean: float
    mean_chance: float
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON values; NaN becomes None."""
        plain: dict[str, Any] = json_values(asdict(self))
        return plain

    def to_rich(self) -> Table:
        """For the screen."""
        caption = f"{self.test_set}; {self.samples} bootstrap samples, seed {self.seed}"
        table = Table(
            title="Zero-shot grounding: pointing game",
            caption="\n".join([caption, *self.notes]),
            title_justify="left",
        )
        for name in ("finding", "hits", "95 % interval", "blind point", "cases"):
            table.add_column(name, justify="left" if name == "finding" else "right")
        for row in self.rows:
            low_high = f"{shown(row.low)} – {shown(row.high)}"
            table.add_row(row.finding, shown(row.rate), low_high, shown(row.chance), str(row.cases))
        table.add_section()
        table.add_row("mean", shown(self.mean), "", shown(self.mean_chance))
        return table


def pointing_game(
    model: Grounder,
    cases: Iterable[Case],
    *,
    test_set: str,
    samples: int = 1000,
    seed: int = 0,
    notes: Sequence[str] = (),
) -> PointingTable:
    """Ask for every case and see whether the maximum of the map lies in its mask."""
    found: dict[str, list[tuple[bool, float]]] = {}
    asked = list(cases)
    with bar("pointing game", len(asked)) as progress:
        for case in asked:
            hit = pointing_hit(model.ground(case.image, case.phrase), case.mask)
            found.setdefault(case.finding, []).append((hit, float(case.mask.mean())))
            progress.advance()
    rows = tuple(_row(name, outcome, samples, seed) for name, outcome in sorted(found.items()))
    nan = float("nan")
    return PointingTable(
        test_set=test_set,
        samples=samples,
        seed=seed,
        rows=rows,
        mean=float(np.mean([row.rate for row in rows])) if rows else nan,
        mean_chance=float(np.mean([row.chance for row in rows])) if rows else nan,
        notes=tuple(notes),
    )


def _row(
    finding: str, outcome: Sequence[tuple[bool, float]], samples: int, seed: int
) -> PointingScore:
    hits = np.array([hit for hit, _ in outcome], np.float64)
    drawn = [float(w @ hits / len(hits)) for w in resamples(len(hits), None, samples, seed)]
    low, high = interval(drawn)
    return PointingScore(
        finding=finding,
        hits=int(hits.sum()),
        cases=len(hits),
        rate=float(hits.mean()),
        low=low,
        high=high,
        chance=float(np.mean([share for _, share in outcome])),
    )
