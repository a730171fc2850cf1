"""Catheters in the great veins."""

from __future__ import annotations

import numpy as np

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.curves import at_height, height_scale, through
from syncxr.images.simulation.findings.devices.device import Device, Drawn, sign_of
from syncxr.images.simulation.findings.devices.tubes import FRENCH
from syncxr.images.simulation.shapes import Material, Plate, Shape, Tube
from syncxr.images.simulation.shapes.materials import CATHETER, TITANIUM, loaded
from syncxr.images.simulation.thorax import Floats

TIP_BELOW_CARINA = (5.0, 48.0)
"""Height of a venous catheter's tip, mm: from the lower superior vena cava to the cavoatrial
junction, which lies two vertebral bodies (Baskin et al., J Vasc Interv Radiol 2008), some 5 cm
(54 ± 10 mm; Song et al., Br J Anaesth 2015), below the carina."""


def arm(body: Body, side: str, rng: np.random.Generator) -> Floats:
    """Axillary and subclavian vein, inwards to the jugular angle, (N, 3)."""
    sign = sign_of(side)
    clavicle = body.courses.clavicles[side]
    inner = clavicle[0]
    x, y, z = inner
    low = float(rng.uniform(-6.0, 6.0))
    return np.array(
        [
            (x + sign * 182.0, y - 36.0, z - 128.0 + 2.0 * low),
            (x + sign * 138.0, y - 32.0, z - 66.0 + low),
            (x + sign * 104.0, y - 28.0, z - 30.0 + low),
            (x + sign * 72.0, y - 22.0, z - 10.0 + low),
            (x + sign * 38.0, y - 17.0, z + 2.0 + 0.5 * low),
            (x + sign * 14.0, y - 17.0, z - 2.0),
        ],
        np.float32,
    )


def _jugular(body: Body, side: str, rng: np.random.Generator) -> Floats:
    """Internal jugular vein, down the neck to the jugular angle, (N, 3)."""
    sign = sign_of(side)
    x, y, z = body.courses.clavicles[side][0]
    out = float(rng.uniform(10.0, 18.0))
    return np.array(
        [
            (x + sign * (out + 26.0), y - 10.0, z + 52.0),
            (x + sign * (out + 10.0), y - 14.0, z + 58.0),
            (x + sign * out, y - 16.0, z + 44.0),
            (x + sign * 0.7 * out, y - 17.0, z + 18.0),
        ],
        np.float32,
    )


def central(body: Body, side: str, tip: float) -> Floats:
    """From the jugular angle to the heart: brachiocephalic vein, superior vena cava, (N, 3)."""
    courses = body.courses
    low = float(courses.trachea[-1, 2]) - tip / height_scale(body.patient)
    cava = courses.vena_cava
    inside = cava[cava[:, 2] > low + 3.0][2::4]
    end = at_height(cava, low)
    if low < cava[:, 2].min():
        # On into the right atrium, in the cava's own direction.
        end = cava[-1] + (cava[-1] - cava[-6]) * (cava[-1, 2] - low) / (cava[-6, 2] - cava[-1, 2])
    if side == "left":
        return np.vstack([courses.brachiocephalic[7:-2:4], inside, end])
    start = np.add(courses.clavicles["right"][0], (2.0, -16.0, -8.0))
    return np.vstack([np.add(0.5 * (start + cava[0]), (-3.0, 0.0, 0.0)), inside, end])


def _tip(body: Body, rng: np.random.Generator) -> float:
    """Below the carina, mm."""
    return float(rng.uniform(*TIP_BELOW_CARINA))


def central_venous_catheter(body: Body, side: str, rng: np.random.Generator) -> Drawn:
    """From the jugular or subclavian vein to the lower superior vena cava; two by one vein each."""
    jugular = bool(rng.random() < 0.65)
    first = _catheter(body, side, jugular, rng)
    if (body.count or 1) < 2:
        return first
    second = _catheter(body, side, not jugular, rng)
    return Drawn((*first.shapes, *second.shapes), {**first.parameters, "other": second.parameters})


def _catheter(body: Body, side: str, jugular: bool, rng: np.random.Generator) -> Drawn:
    tip = _tip(body, rng)
    start = _jugular(body, side, rng) if jugular else arm(body, side, rng)[2:]
    curve = through([*start, *central(body, side, tip)])
    radius = float(rng.uniform(7.0, 12.5)) * FRENCH / 2
    parameters = {
        "access": "jugular" if jugular else "subclavian",
        "tip_below_carina_mm": tip,
        "french": radius * 2 / FRENCH,
    }
    return Drawn((Tube(curve, radius, CATHETER, lumen=0.55),), parameters)


def peripheral_catheter(body: Body, side: str, rng: np.random.Generator) -> Drawn:
    """From a vein of the arm, thin, to the lower superior vena cava."""
    tip = _tip(body, rng)
    curve = through([*arm(body, side, rng), *central(body, side, tip)])
    radius = float(rng.uniform(4.0, 6.0)) * FRENCH / 2
    shapes = (Tube(curve, radius, loaded(0.15, 0.45), lumen=0.5),)
    return Drawn(shapes, {"tip_below_carina_mm": tip, "french": radius * 2 / FRENCH})


def port_catheter(body: Body, side: str, rng: np.random.Generator) -> Drawn:
    """A chamber under the skin below the clavicle, its catheter tunnelled to the vein."""
    sign = sign_of(side)
    tip = _tip(body, rng)
    x, y, z = body.courses.clavicles[side][0]
    centre_x, centre_z = (
        x + sign * float(rng.uniform(42.0, 60.0)),
        z - float(rng.uniform(48.0, 66.0)),
    )
    skin = body.courses.skin(centre_x, centre_z)
    chamber = (centre_x, skin - 12.0, centre_z)
    circle = np.linspace(0.0, 2.0 * np.pi, 25)[:-1]
    ring = np.stack([np.cos(circle), 0.9 * np.sin(circle)], 1)
    start = _jugular(body, side, rng)[2:]
    way = [
        (centre_x - sign * 6.0, skin - 14.0, centre_z + 12.0),
        (x + sign * 34.0, y - 2.0, z - 6.0),
        (x + sign * 22.0, y - 4.0, z + 26.0),
    ]
    curve = through([*way, start[1], *central(body, side, tip)])
    radius = float(rng.uniform(6.0, 8.5)) * FRENCH / 2
    shapes: tuple[Shape, ...] = (
        Plate(chamber, (13.0 * ring).astype(np.float32), 3.0, Material(0.1, 0.0, 0.5)),
        Plate(chamber, (9.5 * ring).astype(np.float32), 1.6, TITANIUM),
        Plate(chamber, (5.5 * ring).astype(np.float32), 5.0, Material(water=0.2)),
        Tube(curve, radius, CATHETER, lumen=0.5),
    )
    parameters = {"tip_below_carina_mm": tip, "chamber_mm": [float(centre_x), float(centre_z)]}
    return Drawn(shapes, parameters)


def pulmonary_artery_catheter(body: Body, side: str, rng: np.random.Generator) -> Drawn:
    """From the right jugular vein through right atrium and ventricle into a pulmonary artery.

    Its tip lies in the right or left main branch, within 2 cm of the hilum (Godoy et al., AJR
    2012).
    """
    marks = body.marks
    x, y, z = marks.heart
    left, right, front, foot = marks.heart_reach
    to_right = bool(rng.random() < 0.8)
    carina = body.courses.trachea[-1]
    tip = (
        np.add(carina, (-float(rng.uniform(34, 50)), 4.0, -float(rng.uniform(14, 26))))
        if to_right
        else np.add(carina, (float(rng.uniform(30, 44)), -4.0, -float(rng.uniform(2, 10))))
    )
    inside = [
        (x - 0.75 * right, y + 0.1 * front, z + 0.1 * foot),
        (x - 0.3 * right, y + 0.45 * front, z - 0.55 * foot),
        (x + 0.35 * left, y + 0.75 * front, z - 0.4 * foot),
        (x + 0.34 * left, y + 0.7 * front, z + 0.35 * foot),
        (x + 0.22 * left, y + 0.2 * front, float(carina[2]) - 24.0),
        tip,
    ]
    curve = through([*_jugular(body, "right", rng), *central(body, "right", 20.0)[:-1], *inside])
    shapes = (Tube(curve, 7.5 * FRENCH / 2, CATHETER, lumen=0.4),)
    return Drawn(shapes, {"tip": "right" if to_right else "left"})


LINES = (
    Device(
        "central venous catheter",
        central_venous_catheter,
        (3.0, 25.0),
        {"right": 0.75, "left": 0.25},
    ),
    Device(
        "peripherally inserted central catheter",
        peripheral_catheter,
        (4.0, 30.0),
        {"right": 0.65, "left": 0.35},
    ),
    Device("port catheter", port_catheter, (6.0, 35.0), {"right": 0.7, "left": 0.3}),
    Device("pulmonary artery catheter", pulmonary_artery_catheter, (8.0, 45.0), {}),
)
