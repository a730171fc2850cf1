"""Pacemakers and defibrillators."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.curves import Points, through
from syncxr.images.simulation.findings.devices.device import Device, Drawn, sign_of
from syncxr.images.simulation.findings.devices.lines import arm, central
from syncxr.images.simulation.shapes import Material, Plate, Shape, Tube
from syncxr.images.simulation.shapes.materials import LEAD_COIL, PLATINUM_IRIDIUM, STEEL, TITANIUM
from syncxr.images.simulation.thorax import Floats

BOX_MM = {"pacemaker": (44.0, 48.0), "defibrillator": (58.0, 66.0)}
"""Width of a generator, mm (makers' data sheets; 6 to 8 and 10 to 13 mm thick)."""

_LEAD_RADIUS = 1.0
"""mm: leads of 5 to 7 French."""

_COIL_RADIUS = 0.65
"""Of the conductors in them, mm."""

_ELECTRODE = 10.0
"""From the tip to the ring electrode, mm."""


def pacemaker(body: Body, side: str, rng: np.random.Generator) -> Drawn:
    """A generator before the pectoral muscle, one or two leads through the subclavian vein.

    The ventricular lead ends at the apex of the right ventricle: left of the spine, low and to the
    front. The atrial one, if any, hooks up into the right appendage (Aguilera et al., RadioGraphics
    2011).
    """
    dual = bool(rng.random() < 0.7)
    place, shapes = _generator(body, side, float(rng.uniform(*BOX_MM["pacemaker"])), 7.0, rng)
    leads = [_ventricular(body, side, place, rng)]
    if dual:
        leads.append(_atrial(body, side, place, rng))
    shapes += [shape for lead in leads for shape in _lead(lead)]
    return Drawn(
        tuple(shapes), {"leads": len(leads), "generator_mm": [float(place[0]), float(place[2])]}
    )


def defibrillator(body: Body, side: str, rng: np.random.Generator) -> Drawn:
    """As a pacemaker, but larger, and its ventricular lead has one or two thick shock coils."""
    coils = 1 + int(rng.random() < 0.5)
    place, shapes = _generator(body, side, float(rng.uniform(*BOX_MM["defibrillator"])), 11.0, rng)
    lead = _ventricular(body, side, place, rng)
    shapes += _lead(lead)
    coil = Material(metal=6.0)
    shapes.append(Tube(lead[-13:-3], 1.35, coil))
    if coils == 2:
        shapes.append(Tube(lead[-36:-24], 1.35, coil))
    if rng.random() < 0.5:
        shapes += _lead(_atrial(body, side, place, rng))
    return Drawn(
        tuple(shapes), {"shock_coils": coils, "generator_mm": [float(place[0]), float(place[2])]}
    )


def _generator(
    body: Body, side: str, width: float, thickness: float, rng: np.random.Generator
) -> tuple[tuple[float, float, float], list[Shape]]:
    """Its middle, and a titanium can with battery, circuits and the header with its connectors."""
    sign = sign_of(side)
    x, _, z = body.courses.clavicles[side][0]
    cx = float(x + sign * rng.uniform(62.0, 78.0))
    cz = float(z - rng.uniform(34.0, 50.0))
    place = (cx, body.courses.skin(cx, cz) - 14.0, cz)
    turn = sign * float(rng.uniform(-25.0, 20.0))
    facing = (sign * float(rng.uniform(0.1, 0.35)), 1.0, float(rng.uniform(-0.1, 0.2)))
    half = width / 2
    mirror = np.array([sign, 1.0])

    def plate(outline: Points, thick: float, material: Material) -> Plate:
        return Plate(place, (outline * mirror).astype(np.float32), thick, material, facing, turn)

    can = half * _rounded(1.0, 0.82, 0.55)
    battery = half * (np.add(_rounded(0.5, 0.62, 0.3), (-0.36, -0.08)))
    circuit = half * (np.add(_rounded(0.3, 0.5, 0.08), (0.52, -0.06)))
    chips = [
        half * (np.add(_rounded(0.1, 0.12, 0.02), (0.45 + 0.2 * i, 0.22 - 0.36 * j)))
        for i in (0, 1)
        for j in (0, 1)
    ]
    header = half * (np.add(_rounded(0.72, 0.17, 0.1), (0.1, 0.9)))
    connectors = [
        half * (np.add(_rounded(0.13, 0.07, 0.02), (-0.25 + 0.4 * i, 0.9))) for i in (0, 1)
    ]
    # Iodine fills the cathode of the battery, which takes a part of the box's depth; beyond its K
    # edge at 33 keV it attenuates like six times as much iron.
    return place, [
        plate(can, 1.5, TITANIUM),
        plate(half * _rounded(0.94, 0.76, 0.5), 1.0, Material(metal=2.0)),
        plate(battery, 0.4 * thickness, Material(metal=4.5)),
        plate(circuit, 1.6, Material(metal=3.0)),
        *(plate(chip, 1.0, Material(metal=4.0)) for chip in chips),
        plate(header, 0.7 * thickness, Material(water=0.2)),
        *(plate(block, 3.5, STEEL) for block in connectors),
    ]


def _rounded(half_width: float, half_height: float, corner: float) -> Floats:
    """Outline of a box with round corners, (N, 2)."""
    corners = []
    for sx, sy, start in ((1, 1, 0.0), (-1, 1, 90.0), (-1, -1, 180.0), (1, -1, 270.0)):
        angles = np.deg2rad(start + np.linspace(0.0, 90.0, 7))
        middle = np.array([sx * (half_width - corner), sy * (half_height - corner)])
        corners.append(middle + corner * np.stack([np.cos(angles), np.sin(angles)], 1))
    return np.concatenate(corners).astype(np.float32)


def _proximal(
    body: Body, side: str, place: Sequence[float], tip: float, rng: np.random.Generator
) -> list[Floats]:
    """From the header in a loop round the generator into the vein and down the cava."""
    sign = sign_of(side)
    x, y, z = place
    loop = float(rng.uniform(0.8, 1.2))
    start = [
        (x + sign * 2.0, y, z + 19.0),
        (x - sign * 20.0 * loop, y - 3.0, z + 20.0),
        (x - sign * 27.0 * loop, y - 6.0, z + 2.0),
        (x - sign * 6.0, y - 10.0, z - 22.0 * loop),
        (x + sign * 26.0, y - 10.0, z - 4.0),
        (x + sign * 18.0, y - 10.0, z + 26.0),
    ]
    vein = arm(body, side, rng)[4:]
    return [*np.array(start, np.float32), *vein, *central(body, side, tip)]


def _ventricular(body: Body, side: str, place: Sequence[float], rng: np.random.Generator) -> Floats:
    """Through the tricuspid valve to the apex of the right ventricle."""
    x, y, z = body.marks.heart
    left, right, front, foot = body.marks.heart_reach
    apex = (
        x + float(rng.uniform(0.52, 0.66)) * left,
        y + 0.6 * front,
        z - float(rng.uniform(0.62, 0.76)) * foot,
    )
    return through(
        [
            *_proximal(body, side, place, 20.0, rng),
            (x - 0.72 * right, y + 0.05 * front, z + 0.1 * foot),
            (x - 0.45 * right, y + 0.25 * front, z - float(rng.uniform(0.45, 0.6)) * foot),
            (x + 0.12 * left, y + 0.5 * front, z - float(rng.uniform(0.55, 0.7)) * foot),
            apex,
        ]
    )


def _atrial(body: Body, side: str, place: Sequence[float], rng: np.random.Generator) -> Floats:
    """Down into the right atrium and up again to its appendage: a J."""
    x, y, z = body.marks.heart
    _, right, front, foot = body.marks.heart_reach
    low = float(rng.uniform(0.0, 0.25))
    return through(
        [
            *_proximal(body, side, place, 15.0, rng),
            (x - 0.68 * right, y + 0.2 * front, z + (0.1 - low) * foot),
            (x - 0.5 * right, y + 0.5 * front, z - (0.05 + low) * foot),
            (x - 0.3 * right, y + 0.75 * front, z + 0.1 * foot),
            (x - 0.38 * right, y + 0.85 * front, z + 0.35 * foot),
        ]
    )


def _lead(curve: Floats) -> list[Shape]:
    """Insulation, coiled conductors, ring and tip electrode."""
    tip, ring = curve[-1] - curve[-2], curve[-1] - curve[-3]
    tip, ring = tip / np.linalg.norm(tip), ring / np.linalg.norm(ring)
    ends = np.array([curve[-1] - 1.5 * tip, curve[-1]], np.float32)
    band = np.array(
        [curve[-1] - (_ELECTRODE + 2.5) * ring, curve[-1] - _ELECTRODE * ring], np.float32
    )
    return [
        Tube(curve, _LEAD_RADIUS, Material(water=0.15)),
        Tube(curve, _COIL_RADIUS, LEAD_COIL),
        Tube(ends, 0.9, PLATINUM_IRIDIUM),
        Tube(band, 1.0, Material(metal=PLATINUM_IRIDIUM.metal / 3)),
    ]


PACING = (
    Device("pacemaker", pacemaker, (20.0, 80.0), {"left": 0.85, "right": 0.15}),
    Device(
        "implantable cardioverter defibrillator",
        defibrillator,
        (28.0, 100.0),
        {"left": 0.9, "right": 0.1},
    ),
)
