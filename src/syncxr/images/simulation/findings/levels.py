"""What is level in the patient is bent in the source body."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from syncxr.images.simulation.anatomy import Deformation, Patient
from syncxr.images.simulation.body import Body
from syncxr.images.simulation.thorax import Floats

_STEPS = 5
"""Fixed-point steps; the map is close to a scaling, so that each leaves a fraction of the error."""

_REACH = 70.0
"""Sideways from the place, mm."""


def facing(patient: Patient) -> Floats:
    """Signs by which steps in the source body lead the same way in the patient, (3,)."""
    return np.array([-1.0 if patient.mirrored else 1.0, 1.0, 1.0], np.float32)


def level_through(body: Body, place: tuple[float, float, float]) -> Callable[[Floats], Floats]:
    """The line that is level in the patient through a place of the source body.

    Args:
        body: Whose.
        place: x, y, z in the source body, mm.

    Returns:
        From x to z, both source mm, within 7 cm of the place.
    """
    deformation = Deformation.of(body.patient, body.marks)
    towards = facing(body.patient)
    here = np.array(place, np.float32)
    target = np.repeat(here[None], 15, 0)
    target[:, 0] += np.linspace(-_REACH, _REACH, 15)
    found = here * towards
    for _ in range(_STEPS):
        found += towards * (here - deformation(found[None])[0])
    points = target * towards
    points[:, 2] = found[2]
    for _ in range(_STEPS):
        points[:, :2] += (towards * (target - deformation(points)))[:, :2]
    heights = deformation(points)[:, 2]

    def line(x: Floats) -> Floats:
        return np.interp(x, target[:, 0], heights).astype(np.float32)

    return line
