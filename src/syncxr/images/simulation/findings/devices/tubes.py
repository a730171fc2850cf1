"""Tubes in airway, stomach and pleural space."""

from __future__ import annotations

from typing import Any

import numpy as np

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.curves import (
    at_height,
    between,
    height_scale,
    through,
)
from syncxr.images.simulation.findings.devices.device import Device, Drawn, sign_of
from syncxr.images.simulation.shapes import Material, Plate, Shape, Stripe, Tube
from syncxr.images.simulation.shapes.materials import MARKER, loaded
from syncxr.images.simulation.thorax import Floats

TIP_ABOVE_CARINA = (30.0, 70.0)
"""Of an endotracheal tube, mm: 5 ± 2 cm with the head in neutral (Goodman et al., AJR 1976)."""

TIP_TOO_DEEP = (-25.0, 12.0)
"""Of a malpositioned one: less than 2 cm above the carina (below Goodman's 3 to 7), or in the right
main bronchus."""

TRACHEOSTOMY_TIP = (30.0, 55.0)
"""Above the carina, mm: half to two thirds of the way from stoma to carina, as is taught."""

ETT_DIAMETER = (9.5, 11.5)
"""Outer, mm, of tubes with 7.0 to 8.5 mm inside (ISO 5361)."""

FRENCH = 1.0 / 3.0
"""Millimetres of diameter."""

BELOW_JUNCTION = (100.0, 160.0)
"""Tip of a gastric tube beyond the gastro-oesophageal junction, mm: at least 10 cm, as is taught,
so that the side holes lie in the stomach."""

_AIRWAY_WALL = Material(water=1.2)
"""PVC in air, g/cm³."""

_WALL = loaded(0.3, 0.12)
"""PVC or silicone in tissue, with a little barium sulfate all round."""

_WALLED = 0.1
"""Least path through a wide tube's wall, cm: less is a pixel that its edge but touches."""

_SPACES = (0.0, -22.0, 20.0, -42.0)
"""Entry of a first, second and further drain of a side, mm: intercostal spaces lie 2 cm apart."""

_MOUTH = 85.0
"""How far above the end of the CT tubes are followed, mm: beyond the film's upper border."""


def _neck(line: Floats, rng: np.random.Generator) -> Floats:
    """A line that rises from the first point of ``line`` through the neck, downwards, (N, 3)."""
    x, y, z = line[0]
    bend = float(rng.uniform(-8.0, 8.0))
    return np.array(
        [(x + bend, y - 6.0, z + _MOUTH), (x + 0.5 * bend, y - 2.0, z + 0.5 * _MOUTH)], np.float32
    )


def endotracheal_tube(body: Body, side: str, rng: np.random.Generator) -> Drawn:
    """From the mouth into the trachea, its tip 3 to 7 cm above the carina.

    A tube of PVC with a radiopaque line in its wall, seen as two faint edges and a bright thread.
    """
    return _airway_tube(body, float(rng.uniform(*TIP_ABOVE_CARINA)), rng)


def malpositioned_endotracheal_tube(body: Body, side: str, rng: np.random.Generator) -> Drawn:
    """Too deep: at the carina, or in the right main bronchus, which goes on steeply."""
    return _airway_tube(body, float(rng.uniform(*TIP_TOO_DEEP)), rng)


def _airway_tube(body: Body, tip: float, rng: np.random.Generator) -> Drawn:
    courses = body.courses
    depth = tip / height_scale(body.patient)
    trachea = courses.trachea
    if depth > 0.0:
        end = at_height(trachea, float(trachea[-1, 2]) + depth)
        inside = [*between(trachea, float(end[2]) + 3.0, 1e3)[2::6], end]
    else:
        bronchus = courses.bronchi["right"]
        reach = at_height(bronchus, float(trachea[-1, 2]) + depth)
        inside = [*trachea[2:-2:6], np.add(0.5 * (trachea[-1] + reach), (-2.0, 0.0, 2.0)), reach]
    curve = through([*_neck(trachea, rng), *inside])
    # It lies where the neck's curve presses it, a little off the middle.
    curve[:, 0] += float(rng.uniform(-1.5, 1.5))
    diameter = float(rng.uniform(*ETT_DIAMETER))
    stripe = Stripe(MARKER, 0.16, float(rng.uniform(-0.8, 0.8)))
    tube = Tube(curve, diameter / 2, _AIRWAY_WALL, lumen=0.74, stripe=stripe)
    parameters: dict[str, Any] = {"tip_above_carina_mm": tip, "diameter_mm": diameter}
    if tip < 0.0:
        parameters["in"] = "right main bronchus"
    return Drawn((tube,), parameters)


def tracheostomy_tube(body: Body, side: str, rng: np.random.Generator) -> Drawn:
    """A short, wide cannula from the front of the neck down the trachea, with its flange."""
    trachea = body.courses.trachea
    tip = float(rng.uniform(*TRACHEOSTOMY_TIP))
    z = float(trachea[-1, 2]) + tip / height_scale(body.patient)
    end = at_height(trachea, z)
    top = float(min(trachea[0, 2], z + 62.0))
    stoma = at_height(trachea, top)
    start = np.add(stoma, (0.0, 34.0, 6.0))
    curve = through([start, np.add(stoma, (0.0, 14.0, 4.0)), np.add(stoma, (0.0, 2.0, -12.0)), end])
    diameter = float(rng.uniform(10.0, 12.5))
    wall = Material(water=1.2, metal=0.25)
    flange = np.array(
        [(-26, -5), (-12, -9), (12, -9), (26, -5), (26, 5), (12, 8), (-12, 8), (-26, 5)]
    )
    shapes: tuple[Shape, ...] = (
        Tube(curve, diameter / 2, wall, lumen=0.76),
        Plate(tuple(map(float, start)), flange.astype(np.float32), 2.0, Material(1.2, 0.0, 0.3)),  # type: ignore[arg-type]
    )
    return Drawn(shapes, {"tip_above_carina_mm": tip, "diameter_mm": diameter})


def nasogastric_tube(body: Body, side: str, rng: np.random.Generator) -> Drawn:
    """Through the oesophagus into the stomach; its radiopaque line is broken at the last side hole.

    Behind trachea and heart, left of the midline at the diaphragm, then along the greater curve.
    """
    courses = body.courses
    gullet = courses.oesophagus
    beyond = float(rng.uniform(*BELOW_JUNCTION))
    x, y, z = courses.stomach
    end = gullet[-1]
    pouch = [
        np.add(end, (16.0, 6.0, -6.0)),
        (x + 32.0, y - 10.0, z + 8.0),
        (x + float(rng.uniform(8, 26)), y + 6.0, z - 26.0),
        (x - float(rng.uniform(0, 30)), y + 16.0, z - float(rng.uniform(34, 46))),
    ]
    curve = through([*_neck(gullet, rng), *gullet[3:-1:5], end, *pouch])
    below = np.flatnonzero(curve[:, 2] < end[2] + 8.0)
    last = min(len(curve), int(below[0]) + round(beyond / 5.0)) if len(below) else len(curve)
    curve = curve[:last]
    radius = float(rng.uniform(14.0, 18.0)) * FRENCH / 2
    line = Stripe(MARKER, 0.22, float(rng.uniform(-0.6, 0.6)))
    hole = max(2, last - round(float(rng.uniform(50.0, 70.0)) / 5.0))
    shapes = (
        Tube(curve[:hole], radius, _WALL, lumen=0.68, stripe=line),
        Tube(curve[hole - 1 : hole + 1], radius, _WALL, lumen=0.68),
        Tube(curve[hole:], radius, _WALL, lumen=0.68, stripe=line),
    )
    tip_mm = (last - int(below[0])) * 5.0 if len(below) else 0.0
    return Drawn(shapes, {"tip_below_junction_mm": tip_mm, "french": radius * 2 / FRENCH})


def chest_tube(body: Body, side: str, rng: np.random.Generator) -> Drawn:
    """A drain through the fourth to sixth intercostal space, up to the apex or back to the base.

    It enters in the axillary line and runs between chest wall and lung (British Thoracic Society
    guideline, Havelock et al., Thorax 2010): upwards for air, backwards and down for fluid. Its
    line is broken at the last side hole. Of two one drains air and one fluid; each further one
    enters a space away from the one before.
    """
    lift = float(rng.uniform(-12.0, 8.0))
    to_apex = bool(rng.random() < 0.65)
    first = _drain(body, side, lift, to_apex, rng)
    others = [
        _drain(body, side, lift + _SPACES[number], to_apex ^ (number % 2 == 1), rng)
        for number in range(1, min(body.count or 1, len(_SPACES)))
    ]
    parameters = dict(first.parameters)
    if others:
        parameters["others"] = [other.parameters for other in others]
    return Drawn(tuple(s for one in (first, *others) for s in one.shapes), parameters)


def _drain(body: Body, side: str, lift: float, to_apex: bool, rng: np.random.Generator) -> Drawn:
    """One drain that enters ``lift`` mm above the fifth intercostal space."""
    sign, marks = sign_of(side), body.marks
    lower, upper = (body.courses.ribs[f"{side} {n}"] for n in (6, 5))
    space = 0.5 * (lower[len(lower) // 2] + upper[len(upper) // 2])
    wall_x = 0.5 * (abs(lower[len(lower) // 2, 0]) + abs(upper[len(upper) // 2, 0]))
    z = float(space[2]) + lift
    enter = [
        (sign * (wall_x + 55.0), float(space[1]) + 15.0, z - 40.0),
        (sign * (wall_x + 16.0), float(space[1]) + 8.0, z - 8.0),
        (sign * (wall_x - 8.0), float(space[1]), z + 6.0),
    ]
    if to_apex:
        top = marks.apex - float(rng.uniform(18.0, 45.0))
        inside = [
            (sign * (wall_x - 18.0), float(space[1]) - 18.0, z + 0.45 * (top - z)),
            (sign * (wall_x - 45.0), float(space[1]) - 14.0, top - 10.0),
            (sign * float(rng.uniform(26.0, 40.0)), float(space[1]) - 8.0, top),
        ]
    else:
        floor = marks.dome - float(rng.uniform(0.0, 12.0))
        inside = [
            (sign * (wall_x - 30.0), marks.back + 45.0, 0.5 * (z + floor)),
            (sign * float(rng.uniform(40.0, 65.0)), marks.back + 26.0, floor),
        ]
    curve = through([*enter, *inside])
    radius = float(rng.uniform(24.0, 32.0)) * FRENCH / 2
    stripe = Stripe(MARKER, 0.13, float(rng.uniform(-0.8, 0.8)))
    wall = loaded(0.5, 0.06)
    hole = len(curve) - round(float(rng.uniform(35.0, 60.0)) / 5.0)
    shapes = (
        Tube(curve[:hole], radius, wall, lumen=0.7, stripe=stripe),
        Tube(curve[hole - 1 : hole + 1], radius, wall, lumen=0.7),
        Tube(curve[hole:], radius, wall, lumen=0.7, stripe=stripe),
    )
    aim = "apex" if to_apex else "base"
    return Drawn(shapes, {"aim": aim, "french": radius * 2 / FRENCH, "entry_z_mm": float(z)})


TUBES = (
    Device("endotracheal tube", endotracheal_tube, (6.0, 40.0), {}),
    Device("malpositioned endotracheal tube", malpositioned_endotracheal_tube, (8.0, 45.0), {}),
    Device("tracheostomy tube", tracheostomy_tube, (5.0, 30.0), {}),
    Device("nasogastric tube", nasogastric_tube, (10.0, 60.0), {}, _WALLED),
    Device("chest tube", chest_tube, (10.0, 60.0), {"left": 0.5, "right": 0.5}, _WALLED),
)
