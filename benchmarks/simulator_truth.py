"""Do the simulator's masks tell the truth? Every finding, each severity, measured on the films.

    python benchmarks/simulator_truth.py [--patients N] [--size PX] [--only NAME...] [--json FILE]

Each film is taken again without its finding, exposure and processing frozen. Per finding, over
patients of both populations:

- inside   share of the pixels that change visibly which lie in the anatomical mask, dilated by
           2 pixels (bar .90; findings that push other structures about are listed apart)
- changed  share of the anatomical mask that changes by more than 1 % of the range (bar .60)
- area     share of films whose mask is as large as the finding's stated range (bar 1)
- agree    overlap (Dice) of the film's own visible mask with the difference of the two films
- shown    share of films on which the finding is visible and so a positive

One source CT.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy import ndimage

from syncxr.entities.lexicon import load_lexicon
from syncxr.images.simulation.findings import FINDINGS
from syncxr.images.simulation.reading import Instructions
from syncxr.images.simulation.renderer import SimulationOptions, SimulationRenderer
from syncxr.images.visibility import GREY_STEP
from syncxr.progress import bar
from syncxr.sample import Entity, Polarity

BARS = {"inside": 0.90, "changed": 0.60, "area": 1.0}

ONE_PERCENT = 2.55


@dataclass(frozen=True)
class Measured:
    """One film of one finding.

    Attributes:
        concept: What.
        severity: How much.
        shown: Whether it is visible.
        pushes: Whether it moves other structures.
        inside: See above; NaN where nothing changed visibly or nothing was shown.
        changed: See above.
        area_cm2: Of the mask, at the detector.
        fits: Whether the area lies in the stated range.
        agree: See above.
    """

    concept: str
    severity: str
    shown: bool
    pushes: bool
    inside: float = np.nan
    changed: float = np.nan
    area_cm2: float = np.nan
    fits: float = np.nan
    agree: float = np.nan


def statements(only: Sequence[str]) -> list[Entity]:
    """Every finding at every severity that it has."""
    lexicon = load_lexicon()
    found = []
    for name in only or FINDINGS:
        concept = lexicon.concepts[name]
        scale = ("",) if concept.scale == "none" else ("mild", "moderate", "severe")
        found += [concept.entity(Polarity.PRESENT, "", severity) for severity in scale]
    return found


def measure(renderer: SimulationRenderer, entity: Entity, seed: int) -> Measured:
    """Take one film with and without its finding."""
    study = renderer.follow(Instructions((entity,), view="PA"), seed)
    film, key = study.film, str(entity)
    told = film.parameters["findings"].get(key, {})
    pushes = bool(told.get("mass_effect")) or entity.concept in SHAPES_OF_ORGANS
    if key not in film.masks:
        return Measured(entity.concept, entity.severity, False, pushes)
    mask = film.masks[key]
    difference = np.abs(film.image.astype(np.float32) - study.without([entity]))
    seen = difference > GREY_STEP
    near = ndimage.binary_dilation(mask, iterations=2)
    visible = film.visible[key]
    area = float(mask.sum()) * study.pixel_mm**2 / 100.0
    low, high = FINDINGS[entity.concept].area_cm2[told.get("severity") or entity.severity or "mild"]
    return Measured(
        entity.concept,
        entity.severity,
        True,
        pushes,
        inside=float((seen & near).sum() / max(seen.sum(), 1)),
        changed=float((difference[mask] > ONE_PERCENT).mean()),
        area_cm2=area,
        # Ranges are those of a side.
        fits=float(low <= area / max(1, len(told.get("sides", ()))) <= high),
        agree=float(2 * (visible & seen).sum() / max(visible.sum() + seen.sum(), 1)),
    )


SHAPES_OF_ORGANS = frozenset(
    {
        "cardiomegaly",
        "aortic tortuosity",
        "aortic dilatation",
        "aortic aneurysm",
        "mediastinal shift",
        "tracheal deviation",
        "mediastinal widening",
        "pulmonary artery enlargement",
        "scoliosis",
        "kyphosis",
        "low lung volumes",
    }
)
"""Findings that are the displacement itself: all that lies beside the organ moves with it."""


def summarise(films: Sequence[Measured]) -> list[dict[str, Any]]:
    """One row a finding: means over its films."""
    rows = []
    for concept, group in itertools.groupby(films, key=lambda film: film.concept):
        members = list(group)
        shown = [film for film in members if film.shown]
        row: dict[str, Any] = {
            "concept": concept,
            "films": len(members),
            "shown": len(shown) / len(members),
            "pushes": any(film.pushes for film in members),
        }
        for name in ("inside", "changed", "area_cm2", "fits", "agree"):
            values = [getattr(film, name) for film in shown]
            row[name] = float(np.mean(values)) if values else float("nan")
        rows.append(row)
    return rows


def short(row: dict[str, Any]) -> list[str]:
    """Which bars a finding misses."""
    missed = [name for name in ("changed",) if not row[name] >= BARS[name]]
    if not row["pushes"] and not row["inside"] >= BARS["inside"]:
        missed.append("inside")
    if not row["fits"] >= BARS["area"]:
        missed.append("area")
    return missed


def show(rows: list[dict[str, Any]], console: Console) -> None:
    """The table, findings that push others about below."""
    table = Table("finding", "films", "shown", "inside", "changed", "area cm²", "fits", "agree")
    for pushes in (False, True):
        for row in rows:
            if row["pushes"] == pushes:
                figures = (f"{row[k]:.2f}" for k in ("inside", "changed"))
                rest = (f"{row['area_cm2']:.1f}", f"{row['fits']:.2f}", f"{row['agree']:.2f}")
                name = row["concept"] + (" (pushes)" if pushes else "")
                missed = " [red]" + ", ".join(short(row)) if short(row) else ""
                shown = f"{row['shown']:.2f}"
                table.add_row(name + missed, str(row["films"]), shown, *figures, *rest)
        table.add_section()
    console.print(table)


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, default=6, help="a severity, half held out")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--only", nargs="+", default=[], metavar="CONCEPT")
    parser.add_argument("--json", metavar="FILE", help='"-" = stdout')
    arguments = parser.parse_args()
    renderers = [
        SimulationRenderer(SimulationOptions(size=arguments.size, population=population))
        for population in ("train", "held_out")
    ]
    asked = list(itertools.product(statements(arguments.only), range(arguments.patients)))
    films = []
    with bar("films", len(asked)) as progress:
        for entity, seed in asked:
            films.append(measure(renderers[seed % 2], entity, seed))
            progress.advance()
    rows = summarise(films)
    console = Console(stderr=arguments.json == "-", width=100)
    show(rows, console)
    whole = [row for row in rows if not short(row)]
    console.print(f"{len(whole)} of {len(rows)} findings reach every bar; one source CT")
    result = {"bars": BARS, "findings": rows, "films": [asdict(film) for film in films]}
    if arguments.json == "-":
        json.dump(result, sys.stdout, indent=1)
    elif arguments.json:
        Path(arguments.json).write_text(json.dumps(result, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
