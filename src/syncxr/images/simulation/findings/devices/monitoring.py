"""What lies on the skin."""

from __future__ import annotations

import numpy as np

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.curves import through
from syncxr.images.simulation.findings.devices.device import Device, Drawn
from syncxr.images.simulation.shapes import Material, Plate, Shape, Tube

_PAD = 5.5
"""Radius of an electrode's stud and gel, mm; the foam round it is not seen."""

_PRECORDIAL = ((-0.2, -10.0), (0.45, -32.0), (0.75, -40.0), (1.0, -40.0), (1.2, -40.0))
"""Further places of a recording with twelve leads: share of the half width to the left, mm above
the middle electrode. V1 beside the sternum, V3 to V6 along the left costal arch (own reading)."""

_WIRE = Material(metal=3.0)
"""Copper strands (8.9 g/cm³, 1.2 times iron) in plastic, a quarter full."""


def ecg_leads(body: Body, side: str, rng: np.random.Generator) -> Drawn:
    """Three to five electrodes, or as many as the words say, each with a wire off the film.

    Below both clavicles and on the lower ribs (Drew et al., Circulation 2004); the wires cross the
    chest in loose curves.
    """
    marks, courses = body.marks, body.courses
    high, low = marks.apex - 38.0, marks.dome - 5.0
    wide, middle = 0.62 * marks.half_width, 0.5 * (high + low)
    spots = [
        (-wide, high),
        (wide, high),
        (1.25 * wide, low),
        (-1.25 * wide, low),
        (18.0, middle),
        *((x * wide, middle + drop) for x, drop in _PRECORDIAL),
    ]
    count = int(rng.integers(3, 6))
    count = min(body.count or count, len(spots))
    circle = np.linspace(0.0, 2.0 * np.pi, 17)[:-1]
    ring = np.stack([np.cos(circle), np.sin(circle)], 1).astype(np.float32)
    gather_x = float(rng.uniform(-60.0, 60.0))
    off = marks.foot - 70.0 if rng.random() < 0.6 else marks.apex + 90.0
    if rng.random() < 0.4:
        # Gathered beside the patient, as at the bedside.
        gather_x, off = float(rng.choice([-195.0, 195.0])), float(rng.uniform(low, high))
    shapes: list[Shape] = []
    for x, z in spots[:count]:
        x, z = x + float(rng.uniform(-14.0, 14.0)), z + float(rng.uniform(-12.0, 12.0))
        front = courses.skin(x, z) + 2.0
        place = (x, front, z)
        shapes.append(Plate(place, _PAD * ring, 1.2, Material(water=0.6, metal=0.25)))
        shapes.append(Plate(place, 2.0 * ring, 2.0, Material(metal=4.0)))
        sway = rng.uniform(-35.0, 35.0, 2)
        sag = [
            (x + 0.3 * (gather_x - x) + sway[0], front + 3.0, z + 0.3 * (off - z)),
            (x + 0.75 * (gather_x - x) + sway[1], front + 3.0, z + 0.68 * (off - z)),
        ]
        shapes.append(Tube(through([place, *sag, (gather_x, front, off)]), 0.75, _WIRE))
    return Drawn(tuple(shapes), {"electrodes": count})


MONITORING = (Device("ecg leads", ecg_leads, (8.0, 90.0), {}),)
