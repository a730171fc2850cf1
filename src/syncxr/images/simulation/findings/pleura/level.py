"""Fluid levels: what is level in the patient is bent in the source body."""

from __future__ import annotations

import numpy as np

from syncxr.images.simulation.anatomy import Deformation, Patient
from syncxr.images.simulation.findings.levels import facing
from syncxr.images.simulation.findings.lungs import Lung
from syncxr.images.simulation.thorax import Floats

_STEPS = 3
"""Fixed-point steps; the map is close to a scaling, so that each leaves a fraction of the error."""

_EVERY = 8
"""Cells between the columns that the surface is worked out for; it bends over centimetres."""

_LATERAL = 0.92
"""Where the wall is, as a share of the chest's half width."""


def level_surface(lung: Lung, height: float, patient: Patient) -> Floats:
    """The plane that is level in the patient, as heights in the source body.

    Args:
        lung: Whose box is to be covered.
        height: Where the plane meets the lateral chest wall, source mm.
        patient: In whom it is level: ``lung.body.patient`` but for what the finding changes.

    Returns:
        z over each column of cells, source mm, (k, 1, c).
    """
    deformation = Deformation.of(patient, lung.body.marks)
    towards = facing(patient)
    x = lung.x[0, 0]
    nodes = np.linspace(x[0], x[-1], max(2, len(x) // _EVERY)).astype(np.float32)
    target = np.stack(np.broadcast_arrays(nodes[None, :], lung.y[:, :, 0]), axis=-1)
    # The wall, for the diaphragm moves with breath and age while the angle stays where it is.
    outer = lung.sign * _LATERAL * lung.body.marks.half_width
    wall = np.array([[[outer, float(lung.y.mean()), height]]], np.float32)
    plane = float(_invert(deformation, wall)[0, 0, 2])
    points = np.concatenate([target * towards[:2], np.full((*target.shape[:2], 1), plane)], axis=-1)
    points = points.astype(np.float32)
    for _ in range(_STEPS):
        points[..., :2] += towards[:2] * (target - deformation(points)[..., :2])
    heights = deformation(points)[..., 2]
    surface = np.stack([np.interp(x, nodes, row) for row in heights])
    return surface[:, None, :].astype(np.float32)


def _invert(deformation: Deformation, source: Floats) -> Floats:
    """The patient's points (..., 3) that lie at ``source``."""
    towards = facing(deformation.patient)
    points = source * towards
    for _ in range(2 * _STEPS):
        points += towards * (source - deformation(points))
    return points
