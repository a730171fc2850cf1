"""What operations leave: wires, clips, valves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.curves import Points, at_height
from syncxr.images.simulation.findings.devices.device import Device, Drawn, sign_of
from syncxr.images.simulation.shapes import Material, Shape, Tube
from syncxr.images.simulation.shapes.materials import STEEL, TITANIUM

WIRES = (5, 8)
"""Closures along the sternum (own reading of films)."""

WIRE_RADIUS = 0.42
"""mm: gauge 5 to 6 steel."""

RING_RADIUS = {"aortic": (9.5, 12.5), "mitral": (12.5, 15.5)}
"""Of a valve's housing, mm: sizes 19 to 25 and 25 to 31 (makers' data sheets)."""

CLIP_MM = (4.0, 9.0)
"""Length of a ligating clip (small to large; makers' data sheets)."""


def sternotomy_wires(body: Body, side: str, rng: np.random.Generator) -> Drawn:
    """A column of wire loops round the sternum, in the midline, each with its twist.

    Single loops seen from the front, now and then a figure of eight; manubrium to xiphoid.
    """
    drawn = int(rng.integers(WIRES[0], WIRES[1] + 1))
    count = body.count or drawn
    line = body.courses.sternum
    shapes: list[Shape] = []
    for number in range(count):
        share = 0.05 + 0.75 * number / max(count - 1, 1)
        z = (1.0 - share) * line[0, 2] + share * line[-1, 2] + rng.uniform(-3.0, 3.0)
        x, y, _ = at_height(line, float(z))
        middle = (float(x), float(y), float(z))
        shapes += _wire(middle, bool(rng.random() < 0.15), rng)
    return Drawn(tuple(shapes), {"wires": count})


def _wire(middle: tuple[float, float, float], eight: bool, rng: np.random.Generator) -> list[Shape]:
    """One loop or figure of eight with its knot."""
    wide, tall = float(rng.uniform(7.5, 11.0)), float(rng.uniform(1.2, 3.0))
    lean = float(rng.uniform(-0.1, 0.1))
    t = np.linspace(0.0, 2.0 * np.pi, 26)
    across = wide * np.cos(t)
    up = (2.2 * tall * np.sin(2 * t) if eight else tall * np.sin(t)) + lean * across
    # Front and back of the sternum: the loop is closed behind the bone.
    depth = -6.0 + 7.0 * np.sin(t)
    curve = np.stack([middle[0] + across, middle[1] + depth, middle[2] + up], 1)
    fall = float(rng.uniform(5.0, 9.0))
    aslant = float(rng.uniform(-4.0, 4.0))
    knot = np.array([middle, (middle[0] + aslant, middle[1] + 3.0, middle[2] - fall)])
    return [
        Tube(curve.astype(np.float32), WIRE_RADIUS, STEEL),
        Tube(knot.astype(np.float32), 2.0 * WIRE_RADIUS, Material(metal=0.6 * STEEL.metal)),
    ]


def surgical_clips(body: Body, side: str, rng: np.random.Generator) -> Drawn:
    """A group of short, bright, straight clips: in the axilla, at a hilum, under the liver.

    A side that is named puts them into its axilla or hilum; else they lie where the gallbladder
    was or along the mediastinum.
    """
    places = ("axilla", "hilum") if side else ("gallbladder bed", "mediastinum")
    where = places[int(rng.integers(2))]
    middle, spread = _clip_place(body, side, where)
    drawn = int(rng.integers(3, 9))
    count = body.count or drawn
    shapes = [
        shape
        for _ in range(count)
        for shape in _clip(middle + rng.normal(0.0, 1.0, 3) * spread, rng)
    ]
    return Drawn(tuple(shapes), {"place": where, "clips": count})


def _clip_place(body: Body, side: str, where: str) -> tuple[Points, Points]:
    """Middle of a group of clips, and how far it spreads, mm."""
    carina, sign, marks = body.courses.trachea[-1], sign_of(side), body.marks
    middles = {
        "axilla": (sign * (marks.half_width + 22.0), 0.0, marks.apex - 75.0),
        "hilum": np.add(carina, (sign * 36.0, 0.0, -16.0)),
        "gallbladder bed": (-42.0, 40.0, marks.dome - 62.0),
        "mediastinum": np.add(carina, (12.0, 28.0, -10.0)),
    }
    spreads = {
        "axilla": (9.0, 12.0, 18.0),
        "hilum": (7.0, 8.0, 9.0),
        "gallbladder bed": (9.0, 6.0, 7.0),
        "mediastinum": (12.0, 6.0, 26.0),
    }
    return np.array(middles[where], np.float32), np.array(spreads[where], np.float32)


def _clip(middle: Points, rng: np.random.Generator) -> list[Shape]:
    """Two legs that touch at both ends or gape at one."""
    length = float(rng.uniform(*CLIP_MM))
    angle = float(rng.uniform(0.0, np.pi))
    axis = np.array([np.cos(angle), float(rng.uniform(-0.5, 0.5)), np.sin(angle)])
    across = np.array([-np.sin(angle), 0.0, np.cos(angle)])
    gape = float(rng.uniform(0.3, 1.1))
    start = middle - 0.5 * length * axis
    return [
        Tube(
            np.array([start, middle + 0.5 * length * axis + s * gape * across], np.float32),
            0.5,
            TITANIUM,
        )
        for s in (-1.0, 1.0)
    ]


def heart_valve(body: Body, side: str, rng: np.random.Generator) -> Drawn:
    """A ring in the heart, seen as an ellipse: mechanical with two discs, or three stent posts.

    Aortic valves lie on the line from the carina to the heart's apex, or above it; mitral ones
    below and to the left, lying flatter; on a frontal film they overlap (Gross et al., Radiology
    1983). Two are one of each.
    """
    position = ("aortic", "mitral")[int(rng.random() < 0.4)]
    first = _valve(body, position, rng)
    if (body.count or 1) < 2:
        return first
    second = _valve(body, "mitral" if position == "aortic" else "aortic", rng)
    return Drawn((*first.shapes, *second.shapes), {**first.parameters, "other": second.parameters})


def _valve(body: Body, position: str, rng: np.random.Generator) -> Drawn:
    mechanical = bool(rng.random() < 0.5)
    radius = float(rng.uniform(*RING_RADIUS[position]))
    marks = body.marks
    root = np.array(body.courses.ascending[0])
    middle = np.add(root, (2.0, 2.0, 4.0))
    normal = np.array([-0.45, 0.35, 0.82])
    if position == "mitral":
        left, _, front, foot = marks.heart_reach
        x, y, z = marks.heart
        middle = np.array([x + 0.32 * left, y - 0.25 * front, z - 0.12 * foot])
        normal = np.array([0.72, 0.45, -0.53])
    normal = normal + rng.normal(0.0, 0.08, 3)
    first, second = _frame(normal)
    shapes = _ring(middle, first, second, radius, mechanical)
    axis = np.cross(first, second)
    if mechanical:
        shapes += _leaflets(middle, first, second, axis, radius)
    else:
        shapes += _posts(middle, first, second, axis, radius)
    kind = "mechanical" if mechanical else "bioprosthesis"
    return Drawn(tuple(shapes), {"position": position, "kind": kind, "ring_mm": 2 * radius})


def _frame(normal: Points) -> tuple[Points, Points]:
    """Two unit vectors square to a normal."""
    normal = normal / np.linalg.norm(normal)
    first = np.cross(normal, (0.0, 1.0, 0.0))
    first /= np.linalg.norm(first)
    return first, np.cross(normal, first)


def _ring(
    middle: Points, first: Points, second: Points, radius: float, mechanical: bool
) -> list[Shape]:
    t = np.linspace(0.0, 2.0 * np.pi, 33)[:, None]
    curve = middle + radius * (np.cos(t) * first + np.sin(t) * second)
    wire, material = (1.3, Material(metal=5.0)) if mechanical else (0.6, STEEL)
    return [Tube(curve.astype(np.float32), wire, material)]


def _leaflets(
    middle: Points, first: Points, second: Points, axis: Points, radius: float
) -> list[Shape]:
    """Two half discs of carbon with tungsten, open: seen as lines across the ring."""
    lines = []
    for s in (-1.0, 1.0):
        offset = middle + s * 0.22 * radius * first + 0.25 * radius * axis
        ends = np.array([offset - 0.9 * radius * second, offset + 0.9 * radius * second])
        lines.append(Tube(ends.astype(np.float32), 0.5, Material(metal=4.0)))
    return list(lines)


def _posts(
    middle: Points, first: Points, second: Points, axis: Points, radius: float
) -> list[Shape]:
    """A wire that rises to three posts."""
    t = np.linspace(0.0, 2.0 * np.pi, 61)[:, None]
    rise = 0.95 * radius * (0.5 + 0.5 * np.cos(3.0 * t)) ** 3
    curve = middle + 0.95 * radius * (np.cos(t) * first + np.sin(t) * second) + rise * axis
    return [Tube(curve.astype(np.float32), 0.45, Material(metal=0.8 * STEEL.metal))]


def bypass_surgery(body: Body, side: str, rng: np.random.Generator) -> Drawn:
    """Sternotomy wires, and clips along the internal mammary artery left of the sternum."""
    wires = sternotomy_wires(body, side, rng)
    line = body.courses.sternum
    count = int(rng.integers(5, 12))
    clips: list[Shape] = []
    for share in np.sort(rng.uniform(0.15, 0.85, count)):
        x, y, z = line[int(share * (len(line) - 1))]
        place = np.array([x + rng.uniform(14.0, 34.0), y - rng.uniform(12.0, 40.0), z])
        clips += _clip(place, rng)
    return Drawn((*wires.shapes, *clips), {**wires.parameters, "clips": count})


SURGICAL: Sequence[Device] = (
    Device("sternotomy wires", sternotomy_wires, (3.0, 40.0), {}),
    Device("bypass surgery", bypass_surgery, (4.0, 50.0), {}),
    Device("surgical clips", surgical_clips, (0.3, 10.0), {"": 1.0, "left": 0.5, "right": 0.5}),
    Device("prosthetic heart valve", heart_valve, (1.5, 16.0), {}),
)
