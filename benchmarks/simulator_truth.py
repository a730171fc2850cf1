"""Do the simulator's masks tell the truth? Every finding, each severity, measured on the films.

    python benchmarks/simulator_truth.py [--patients N] [--size PX] [--only NAME...] [--json FILE]

Each film is taken again without its finding, exposure and processing frozen: once sharpened by its
own content, as films are read, once with what sharpening added to the first film held as well. Per
finding, over patients of both populations:

- inside   share of the pixels that change visibly (syncxr.images.visibility) which lie in the
           anatomical mask, dilated by 2 pixels (bar .90; films whose finding moves organs about
           are listed apart, in the column "moved")
- plain    the same counting every pixel that differs by 2 %, the ring of sharpening included
- quarter  the same counting what differs by a quarter of the finding's own greatest contrast
- changed  share of the anatomical mask that changes by more than 1 % of the range (bar .60)
- held     the same with what sharpening added held
- area     share of films whose mask is as large as the finding's stated range (bar 1)
- agree    overlap (Dice) of the film's own visible mask with the difference of the films
- shown    share of films on which the finding is visible and so a positive

One source CT.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterable, Sequence
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
from syncxr.images.visibility import GREY_STEP, visible_pixels
from syncxr.progress import bar
from syncxr.sample import Entity, Mask, Polarity
from syncxr.views.console import write_json

BARS = {"inside": 0.90, "changed": 0.60, "area": 1.0}

ONE_PERCENT = 2.55


@dataclass(frozen=True)
class Measured:
    """One film of one finding.

    Attributes:
        concept: What.
        severity: How much.
        shown: Whether it is visible.
        displaces: Whether it moves organs, beyond its mask as well.
        inside: See above; NaN where nothing changed visibly or nothing was shown.
        plain: See above.
        quarter: See above.
        changed: See above.
        held: See above.
        area_cm2: Of the mask, at the detector.
        fits: Whether the area lies in the stated range.
        agree: See above.
    """

    concept: str
    severity: str
    shown: bool
    displaces: bool
    inside: float = np.nan
    plain: float = np.nan
    quarter: float = np.nan
    changed: float = np.nan
    held: float = np.nan
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
    displaces = bool(told.get("displaces"))
    if key not in film.masks:
        return Measured(entity.concept, entity.severity, False, displaces)
    mask = film.masks[key]
    difference, own = (
        film.image.astype(np.float32) - study.without([entity], held) for held in (False, True)
    )
    size = np.abs(difference)
    seen = visible_pixels(difference, own)
    near = ndimage.binary_dilation(mask, iterations=2)
    # The greatest contrast, but for a few pixels of noise.
    quarter = max(GREY_STEP, 0.25 * float(np.percentile(size[mask], 99.5)))
    visible = film.visible[key]
    # What it moves beyond its mask is no part of a film's visible mask.
    shown = seen & near if displaces else seen
    area = float(mask.sum()) * study.pixel_mm**2 / 100.0
    low, high = FINDINGS[entity.concept].area_cm2[told.get("severity") or entity.severity or "mild"]
    return Measured(
        entity.concept,
        entity.severity,
        True,
        displaces,
        inside=_share(near, seen),
        plain=_share(near, size > GREY_STEP),
        quarter=_share(near, size > quarter),
        changed=_share(size > ONE_PERCENT, mask),
        held=_share(np.abs(own) > ONE_PERCENT, mask),
        area_cm2=area,
        # Ranges are those of a side.
        fits=float(low <= area / max(1, len(told.get("sides", ()))) <= high),
        agree=float(2 * (visible & shown).sum() / max(visible.sum() + shown.sum(), 1)),
    )


def _share(part: Mask, whole: Mask) -> float:
    """Of ``whole`` that lies in ``part``; NaN if there is nothing."""
    return float((part & whole).sum() / whole.sum()) if whole.any() else float("nan")


def summarise(films: Sequence[Measured]) -> list[dict[str, Any]]:
    """One row a finding: means over its films."""
    rows = []
    for concept, group in itertools.groupby(films, key=lambda film: film.concept):
        members = list(group)
        shown = [film for film in members if film.shown]
        still = [film for film in shown if not film.displaces]
        row: dict[str, Any] = {
            "concept": concept,
            "films": len(members),
            "shown": len(shown) / len(members),
            "apart": bool(shown) and not still,
            "moved": _mean(film.inside for film in shown if film.displaces),
        }
        for name in ("inside", "plain", "quarter"):
            row[name] = _mean(getattr(film, name) for film in still)
        for name in ("changed", "held", "area_cm2", "fits", "agree"):
            row[name] = _mean(getattr(film, name) for film in shown)
        rows.append(row)
    return rows


def _mean(values: Iterable[float]) -> float:
    """But for what is NaN; NaN if nothing is left."""
    there = [value for value in values if not np.isnan(value)]
    return float(np.mean(there)) if there else float("nan")


def short(row: dict[str, Any]) -> list[str]:
    """Which bars a finding misses."""
    missed = []
    if not row["apart"] and not row["inside"] >= BARS["inside"]:
        missed.append("inside")
    if not row["changed"] >= BARS["changed"]:
        missed.append("changed")
    if not row["fits"] >= BARS["area"]:
        missed.append("area")
    return missed


SHARES = ("inside", "plain", "quarter", "moved", "changed", "held")


def show(rows: list[dict[str, Any]], console: Console) -> None:
    """The table, findings that always move organs about below."""
    table = Table("finding", "films", "shown", *SHARES, "area cm²", "fits", "agree")
    for apart in (False, True):
        for row in rows:
            if row["apart"] == apart:
                figures = (f"{row[k]:.2f}" for k in SHARES)
                rest = (f"{row['area_cm2']:.1f}", f"{row['fits']:.2f}", f"{row['agree']:.2f}")
                missed = " [red]" + ", ".join(short(row)) if short(row) else ""
                shown = f"{row['shown']:.2f}"
                name = row["concept"] + missed
                table.add_row(name, str(row["films"]), shown, *figures, *rest)
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
    console = Console(stderr=arguments.json == "-", width=140)
    show(rows, console)
    whole = [row for row in rows if not short(row)]
    console.print(f"{len(whole)} of {len(rows)} findings reach every bar; one source CT")
    result = {"bars": BARS, "findings": rows, "films": [asdict(film) for film in films]}
    if arguments.json:
        write_json(result, Path(arguments.json))


if __name__ == "__main__":
    main()
