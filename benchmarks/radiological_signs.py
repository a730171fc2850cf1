"""Radiological signs, measured on simulated films beside what is published.

    python benchmarks/radiological_signs.py [--patients 10] [--only NAME...] [--json FILE]

Each sign is measured with a ruler on films of held-out patients at 448 px: on grey values where a
reader looks at them, on the outlines of lung fields and masks where a reader would draw one.
Lengths are in mm of the patient (the film's, less the magnification). The bar: nine films of ten in
the range. One source CT.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy import ndimage

from simulated_films import patient_of
from syncxr.entities.lexicon import load_lexicon
from syncxr.images.simulation.anatomy import Patient
from syncxr.images.simulation.anatomy.landmarks import SHADOW_CM
from syncxr.images.simulation.body import load_body
from syncxr.images.simulation.organs import Organs, on_film, organs_of
from syncxr.images.simulation.reading import Instructions
from syncxr.images.simulation.renderer import SimulationOptions, SimulationRenderer
from syncxr.images.simulation.study import SimulatedStudy
from syncxr.progress import bar
from syncxr.sample import Entity, Mask, Polarity
from syncxr.views.console import write_json

SIZE = 448

IN_RANGE = 0.9

NONE = float("nan")
"""The sign cannot be looked for on this film (the finding is not visible, or is not that large)."""

RENDERER = SimulationRenderer(SimulationOptions(size=SIZE, population="held_out"))


@dataclass(frozen=True)
class Shot:
    """A film and what is known of it.

    Attributes:
        study: Film and counterfactuals.
        organs: Lungs and heart.
        entity: The finding; ``None`` on a normal film.
    """

    study: SimulatedStudy
    organs: Organs
    entity: Entity | None

    @property
    def grey(self) -> NDArray[np.float32]:
        """Smoothed over 1.5 pixels."""
        found: NDArray[np.float32] = ndimage.gaussian_filter(
            self.study.film.image.astype(np.float32), 1.5
        )
        return found

    @property
    def without(self) -> NDArray[np.float32]:
        """The same without the finding."""
        found: NDArray[np.float32] = ndimage.gaussian_filter(
            self.study.without([self.entity] if self.entity else []).astype(np.float32), 1.5
        )
        return found

    @property
    def mm(self) -> float:
        """Of the patient in a pixel."""
        pose = self.study.scene.pose
        return self.study.pixel_mm * (pose.distance - pose.gap) / pose.distance

    @property
    def mask(self) -> Mask | None:
        """Of the finding, if it is visible."""
        return self.study.film.masks.get(str(self.entity))

    @property
    def told(self) -> dict[str, Any]:
        """What was drawn."""
        found: dict[str, Any] = self.study.film.parameters["findings"].get(str(self.entity), {})
        return found

    def fields(self, side: str) -> Mask:
        """Lung field of a side."""
        left, right = self.organs.lung_fields
        return left if side == "left" else right

    def places(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Rows and columns of places in the source body."""
        patient = patient_of(self.study.film.parameters)
        return on_film(self.study.scene, patient, points, SIZE)

    @property
    def trachea(self) -> NDArray[np.float32]:
        """Its course on the film, (N, 2)."""
        return self.places(load_body(2.0).courses.trachea)


def shoot(seed: int, concept: str = "", place: str = "", severity: str = "") -> Shot:
    """A PA film with one finding or none."""
    entity = None
    if concept:
        entity = load_lexicon().concepts[concept].entity(Polarity.PRESENT, place, severity)
    study = RENDERER.follow(Instructions((entity,) if entity else (), view="PA"), seed)
    patient = patient_of(study.film.parameters)
    return Shot(study, organs_of(study.scene, patient, SIZE), entity)


def span(mask: Mask, axis: int = 0) -> tuple[int, int]:
    """First and last column (axis 0) or row (axis 1) of a mask."""
    found = np.flatnonzero(mask.any(axis))
    return int(found[0]), int(found[-1])


def border(shot: Shot, row: int, near: int, outward: int, reach_mm: float = 8.0) -> int:
    """Column of the steepest fall of grey outwards, near a column."""
    reach = round(reach_mm / shot.mm)
    columns = np.arange(max(1, near - reach), min(SIZE - 1, near + reach + 1))
    fall = -outward * np.gradient(shot.grey[row])[columns]
    return int(columns[int(fall.argmax())])


def heart_ratio(seed: int) -> float:
    """Cardiothoracic ratio read off the film's grey values, less the one that was asked for."""
    severity = ("", "mild", "moderate", "severe")[seed % 4]
    shot = shoot(seed, "cardiomegaly" if severity else "", "", severity)
    heart = shot.organs.heart > SHADOW_CM
    top, bottom = span(heart, 1)
    ends: list[list[int]] = [[], []]
    for row in range(top + (bottom - top) // 3, bottom - (bottom - top) // 4, 2):
        columns = np.flatnonzero(heart[row])
        if len(columns):
            ends[0].append(border(shot, row, int(columns[0]), -1))
            ends[1].append(border(shot, row, int(columns[-1]), 1))
    # The widest place of a smooth border, not the farthest outlier of all rows.
    right, left = (ndimage.median_filter(np.array(end), 11) for end in ends)
    width = np.percentile(left, 95) - np.percentile(right, 5)
    first, last = span((shot.organs.left > SHADOW_CM) | (shot.organs.right > SHADOW_CM))
    return float(width / (last - first) - patient_of(shot.study.film.parameters).heart_ratio)


def lower_edge(field: Mask) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Columns of a lung field and the lowest row in each."""
    columns = np.flatnonzero(field.any(0))
    return columns, len(field) - 1 - np.argmax(field[::-1][:, columns], axis=0)


def corner_angle(field: Mask, side: str, mm: float) -> float:
    """Angle between chest wall and diaphragm at the lateral foot of a field, degrees."""
    lateral = -1 if side == "right" else 1
    columns, rows = lower_edge(field)
    if lateral > 0:
        columns, rows = columns[::-1], rows[::-1]
    outer = slice(0, max(3, round(45 / mm)))
    tip = int(np.argmax(rows[outer]))
    foot = np.array([rows[tip], columns[tip]], float)
    reach = round(25 / mm)
    inner = min(tip + reach, len(columns) - 1)
    dome = np.array([rows[inner], columns[inner]], float) - foot
    high = int(foot[0]) - reach
    across = np.flatnonzero(field[high])
    wall = np.array([high, across[-1] if lateral > 0 else across[0]], float) - foot
    cosine = wall @ dome / np.linalg.norm(wall) / np.linalg.norm(dome)
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def sharp_angle(seed: int) -> float:
    """Right costophrenic angle of a normal film, degrees."""
    shot = shoot(seed)
    return corner_angle(shot.fields("right"), "right", shot.mm)


def blunted_angle(seed: int) -> float:
    """Angle between the wall and the upper edge of a moderate effusion, degrees."""
    shot = shoot(seed, "pleural effusion", "right", "moderate")
    if shot.mask is None:
        return NONE
    # Beside the fluid the wall's own slope leaves a strip too thin to be a recess.
    strip = round(6 / shot.mm)
    aerated = ndimage.binary_opening(shot.fields("right") & ~fluid(shot), iterations=strip)
    pieces, count = ndimage.label(aerated)
    if not count:
        return NONE
    aerated = pieces == 1 + int(np.bincount(pieces.ravel())[1:].argmax())
    return corner_angle(aerated, "right", shot.mm)


def fluid(shot: Shot) -> Mask:
    """Where an effusion adds two fifths of the grey that it adds at most."""
    risen = shot.grey - shot.without
    found: Mask = risen > 0.4 * np.percentile(risen[shot.fields("right")], 98)
    return found


def meniscus(seed: int) -> float:
    """How much higher a moderate effusion stands at the wall than in mid-lung, mm."""
    shot = shoot(seed, "pleural effusion", "right", "moderate")
    if shot.mask is None:
        return NONE
    field = shot.fields("right")
    wet = fluid(shot) & ndimage.binary_fill_holes(field)
    columns = np.flatnonzero(wet.any(0))
    if len(columns) < 9:
        return NONE
    tops = ndimage.median_filter(np.argmax(wet[:, columns], axis=0), 7)
    third = len(columns) // 3
    return float(np.median(tops[third:-third]) - tops[:third].min()) * shot.mm


def silhouette(lobe: str) -> Callable[[int], float]:
    """Contrast of the right heart border that a consolidated lobe leaves, as a share."""

    def measure(seed: int) -> float:
        shot = shoot(seed, "consolidation", lobe, "severe")
        if shot.mask is None:
            return NONE
        heart = shot.organs.heart > SHADOW_CM
        step = round(3 / shot.mm)
        edges = [
            (row, int(np.flatnonzero(heart[row])[0]))
            for row in range(*span(heart, 1))
            if heart[row].any()
        ]
        # Where the consolidation reaches the border, there the sign is looked for.
        there = shot.mask & shot.fields("right")
        edges = [(r, e) for r, e in edges if there[r, e - step]]
        if len(edges) < 5:
            return NONE
        contrasts = [
            np.mean([grey[r, e + step] - grey[r, e - step] for r, e in edges])
            for grey in (shot.grey, shot.without)
        ]
        return float(contrasts[0] / contrasts[1])

    return measure


def dome_height(concept: str, severity: str) -> Callable[[int], float]:
    """Height of the right dome over the line between its two angles, mm."""

    def measure(seed: int) -> float:
        shot = shoot(seed, concept, "", severity)
        columns, rows = lower_edge(shot.fields("right"))
        outer = max(3, round(45 / shot.mm))
        first = int(np.argmax(rows[:outer]))
        columns, rows = columns[first:], rows[first:]
        line = np.interp(columns, [columns[0], columns[-1]], [rows[0], rows[-1]])
        return float((line - rows).max()) * shot.mm

    return measure


def domes_apart(seed: int) -> float:
    """How much higher the right dome stands than the left, mm."""
    shot = shoot(seed)
    tops = []
    heart = span(shot.organs.heart > SHADOW_CM)
    for side in ("right", "left"):
        columns, rows = lower_edge(shot.fields(side))
        # Beside the heart: what the apex covers of the left dome cannot be seen.
        free = columns < heart[0] if side == "right" else columns > heart[1]
        tops.append(float(ndimage.median_filter(rows[free], 7).min()))
    return (tops[1] - tops[0]) * shot.mm


def tracheal_shift(concept: str, place: str, severity: str, needs: str) -> Callable[[int], float]:
    """Movement of the trachea's air column to the patient's left, mm."""

    def measure(seed: int) -> float:
        shot = shoot(seed, concept, place, severity)
        if shot.mask is None or (needs and needs not in json.dumps(shot.told)):
            return NONE
        own = patient_of(shot.study.film.parameters)
        columns = [
            air_column(grey, shot, patient)
            for grey, patient in ((shot.grey, own), (shot.without, shot.study.scene.patient))
        ]
        return (columns[0] - columns[1]) * shot.mm

    return measure


def air_column(grey: NDArray[np.float32], shot: Shot, patient: Patient) -> float:
    """Darkest column within 7 mm of where the trachea of a patient runs, above the carina."""
    course = on_film(shot.study.scene, patient, load_body(2.0).courses.trachea, SIZE)
    low, high = course[-1, 0] - 50 / shot.mm, course[-1, 0] - 10 / shot.mm
    found = []
    for row in range(int(low), int(high)):
        near = round(float(course[np.abs(course[:, 0] - row).argmin(), 1]))
        reach = round(7 / shot.mm)
        fine = grey[row] - ndimage.gaussian_filter1d(grey[row], 15 / shot.mm)
        found.append(near - reach + int(fine[near - reach : near + reach + 1].argmin()))
    return float(np.median(found))


def tube_tip(seed: int) -> float:
    """Tip of an endotracheal tube above the carina, mm."""
    shot = shoot(seed, "endotracheal tube")
    if shot.mask is None:
        return NONE
    return float(shot.trachea[-1, 0] - span(shot.mask, 1)[1]) * shot.mm


def level_flatness(seed: int) -> float:
    """Largest departure of an air-fluid level from a straight line, mm."""
    return _level(seed)[0]


def level_tilt(seed: int) -> float:
    """Angle of an air-fluid level with the horizontal of the patient's pose, degrees."""
    return _level(seed)[1]


def _level(seed: int) -> tuple[float, float]:
    shot = shoot(seed, "hydropneumothorax", "right", "moderate")
    if shot.mask is None:
        return NONE, NONE
    field = shot.fields("right")
    steps = np.gradient(shot.grey - shot.without, axis=0)
    steps = np.where(field & ndimage.binary_erosion(field, iterations=3), steps, 0.0)
    # Where the level is on the whole; then column by column near it.
    row = int(ndimage.gaussian_filter1d(steps.sum(1), 2).argmax())
    near = slice(max(0, row - round(10 / shot.mm)), row + round(10 / shot.mm))
    columns = np.flatnonzero(steps[near].max(0) > 0.4 * np.percentile(steps[near].max(0), 95))
    rows = steps[near][:, columns].argmax(0)
    line = np.polyfit(columns, rows, 1)
    off = np.abs(rows - np.polyval(line, columns))
    tilt = abs(np.degrees(np.arctan(line[0])) - shot.study.scene.pose.roll)
    return float(np.percentile(off, 90)) * shot.mm, float(min(tilt, abs(np.degrees(line[0]))))


def pleural_line(seed: int) -> float:
    """Share of a pneumothorax's edge along which a bright line is seen."""
    shot = shoot(seed, "pneumothorax", "right", "moderate")
    if shot.mask is None:
        return NONE
    change = shot.study.film.image.astype(np.float32) - shot.study.without([shot.entity])
    field = ndimage.binary_erosion(shot.fields("right"), iterations=round(6 / shot.mm))
    edge = field & shot.mask & ~ndimage.binary_erosion(shot.mask, iterations=2)
    step = round(4 / shot.mm)
    crest = ndimage.maximum_filter(change, 2 * step - 1)
    beside = ndimage.uniform_filter(change, 4 * step + 1)
    return float((crest - beside > 4.0)[edge].mean()) if edge.any() else NONE


def cephalisation(seed: int) -> float:
    """Gain of fine markings in the upper zones against that in the lower ones, in congestion."""
    shot = shoot(seed, "pulmonary congestion", "", "severe")
    if shot.mask is None:
        return NONE
    fine = shot.grey - shot.without
    fine = np.abs(fine - ndimage.gaussian_filter(fine, 6))
    field = shot.fields("right") | shot.fields("left")
    top, bottom = span(field, 1)
    third = (bottom - top) // 3
    zones = [fine[a : a + third][field[a : a + third]].mean() for a in (top, bottom - third)]
    return float(zones[0] / zones[1])


def perihilar(seed: int) -> float:
    """Haze of edema in the inner half of the lung fields against that in the outer quarter."""
    shot = shoot(seed, "pulmonary edema", "", "severe")
    if shot.mask is None:
        return NONE
    haze = shot.grey - shot.without
    inner, outer = [], []
    for side in ("left", "right"):
        field = shot.fields(side)
        for row in range(*span(field, 1)):
            columns = np.flatnonzero(field[row])
            if len(columns) < 12:
                continue
            ordered = columns[::-1] if side == "right" else columns
            inner.append(haze[row, ordered[: len(columns) // 2]].mean())
            outer.append(haze[row, ordered[-(len(columns) // 4) :]].mean())
    return float(np.mean(inner) / max(float(np.mean(outer)), 0.5))


def mediastinum(concept: str, severity: str) -> Callable[[int], float]:
    """Width of the upper mediastinum between the lungs, 2 cm above the carina, at the film, mm."""

    def measure(seed: int) -> float:
        shot = shoot(seed, concept, "", severity)
        if concept and shot.mask is None:
            return NONE
        row, column = (int(value) for value in shot.trachea[-1])
        height, reach = round(5 / shot.mm), round(75 / shot.mm)
        row -= round(20 / shot.mm)
        profile = ndimage.gaussian_filter1d(shot.grey[row - height : row + height].mean(0), 2.0)
        fall = np.gradient(profile)
        inner = round(12 / shot.mm)
        right = column - reach + int(fall[column - reach : column - inner].argmax())
        left = column + inner + int(fall[column + inner : column + reach].argmin())
        return float(left - right) * shot.study.pixel_mm

    return measure


def diameter(concept: str) -> Callable[[int], float]:
    """Diameter of a disk as large as the shadow, mm."""

    def measure(seed: int) -> float:
        shot = shoot(seed, concept, "right", "moderate")
        if shot.mask is None:
            return NONE
        return float(2 * np.sqrt(shot.mask.sum() / np.pi)) * shot.mm

    return measure


@dataclass(frozen=True)
class Sign:
    """A sign and what is published of it.

    Attributes:
        name: With its unit.
        measure: Seed to a figure, NaN where the sign cannot be looked for.
        low: Of the published range.
        high: Of the published range.
        source: Where it stands.
    """

    name: str
    measure: Callable[[int], float]
    low: float
    high: float
    source: str


INF = float("inf")

SIGNS = (
    Sign("cardiothoracic ratio, less the asked", heart_ratio, -0.02, 0.02, "bar of this project"),
    Sign("costophrenic angle, normal, °", sharp_angle, 0, 60, "acute: Felson 1973"),
    Sign("the same with effusion, °", blunted_angle, 60, 180, "blunted: Felson 1973"),
    Sign("meniscus, wall above mid-lung, mm", meniscus, 5, 90, "Collins et al., Radiology 1972"),
    Sign(
        "silhouette: right heart border left by middle lobe",
        silhouette("right middle lobe"),
        -0.5,
        0.5,
        "lost: Felson & Felson, Radiology 1950",
    ),
    Sign(
        "the same by lower lobe",
        silhouette("right lower lobe"),
        0.5,
        1.5,
        "kept: Felson & Felson, Radiology 1950",
    ),
    Sign("dome over its angles, normal, mm", dome_height("", ""), 15, 60, "Lennon & Simon 1965"),
    Sign(
        "the same in severe emphysema, mm",
        dome_height("emphysema", "severe"),
        -5,
        15,
        "flat below 15: Lennon & Simon 1965",
    ),
    Sign("right dome above left, mm", domes_apart, -10, 30, "Felson 1973: mostly 0 to 20"),
    Sign(
        "trachea to the left, right tension pneumothorax, mm",
        tracheal_shift("pneumothorax", "right", "severe", "tension"),
        2,
        30,
        "away: Fraser & Paré",
    ),
    Sign(
        "trachea to the left, right upper collapse, mm",
        tracheal_shift("lobar collapse", "right upper lobe", "severe", ""),
        -30,
        -2,
        "towards: Woodring & Reed 1996",
    ),
    Sign("tube's tip above the carina, mm", tube_tip, 30, 70, "50 ± 20: Goodman et al., AJR 1976"),
    Sign("air-fluid level off a line, mm", level_flatness, 0, 2, "straight: Felson 1973"),
    Sign("air-fluid level off level, °", level_tilt, 0, 3, "horizontal: Felson 1973"),
    Sign("pleural line along the edge, share", pleural_line, 0.5, 1, "Fraser & Paré"),
    Sign("markings in congestion, upper / lower", cephalisation, 1, INF, "Simon 1963"),
    Sign("haze of edema, inner / outer", perihilar, 1.2, INF, "Milne et al., AJR 1985"),
    Sign("upper mediastinum, normal, mm", mediastinum("", ""), 40, 80, "below 80: own reading"),
    Sign(
        "the same, severely widened, mm",
        mediastinum("mediastinal widening", "severe"),
        80,
        160,
        "above 80: own reading",
    ),
    Sign("nodule, mm", diameter("nodule"), 3, 30, "to 30: Fleischner glossary 2008"),
    Sign("mass, mm", diameter("mass"), 30, 110, "above 30: Fleischner glossary 2008"),
)


def measured(sign: Sign, patients: int) -> dict[str, Any]:
    """A row: median, quartiles and the share in the range."""
    # A sign that only some films can have is looked for on more of them.
    found: list[float] = []
    for seed in range(5000, 5000 + 3 * patients):
        value = sign.measure(seed)
        if np.isfinite(value):
            found.append(value)
        if len(found) == patients:
            break
    values = np.array(found)
    share = float(((values >= sign.low) & (values <= sign.high)).mean()) if found else NONE
    quartiles = np.percentile(values, [25, 50, 75]).tolist() if found else [NONE] * 3
    return {
        "sign": sign.name,
        "films": len(found),
        "quartiles": quartiles,
        "range": [sign.low, sign.high],
        "source": sign.source,
        "share_in_range": share,
        "bar": IN_RANGE,
    }


def show(rows: Sequence[dict[str, Any]], console: Console) -> None:
    """The table."""
    table = Table("sign", "median", "quartiles", "range", "in it", "films", "source")
    for row in rows:
        first, middle, third = row["quartiles"]
        colour = "" if row["share_in_range"] >= IN_RANGE else "[red]"
        table.add_row(
            row["sign"],
            f"{middle:.3g}",
            f"{first:.3g} – {third:.3g}",
            f"{row['range'][0]:g} – {row['range'][1]:g}",
            f"{colour}{row['share_in_range']:.2f}",
            str(row["films"]),
            row["source"],
        )
    console.print(table)
    good = sum(row["share_in_range"] >= IN_RANGE for row in rows)
    middle = sum(row["range"][0] <= row["quartiles"][1] <= row["range"][1] for row in rows)
    console.print(
        f"of {len(rows)}: {middle} medians in range, {good} on nine films of ten; one source CT"
    )


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, default=10)
    parser.add_argument("--only", nargs="+", default=[], metavar="WORD", help="in a sign's name")
    parser.add_argument("--json", metavar="FILE", help='"-" = stdout')
    arguments = parser.parse_args()
    wanted = [s for s in SIGNS if not arguments.only or any(w in s.name for w in arguments.only)]
    rows = []
    with bar("signs", len(wanted)) as progress:
        for sign in wanted:
            rows.append(measured(sign, arguments.patients))
            progress.advance()
    show(rows, Console(stderr=arguments.json == "-", width=130))
    if arguments.json:
        write_json(rows, Path(arguments.json))


if __name__ == "__main__":
    main()
