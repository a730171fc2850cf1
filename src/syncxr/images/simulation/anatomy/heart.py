"""Size and axis of the heart."""

from __future__ import annotations

import numpy as np

from syncxr.images.simulation.anatomy.fields import smooth_step
from syncxr.images.simulation.anatomy.landmarks import Landmarks
from syncxr.images.simulation.anatomy.patient import Patient
from syncxr.images.simulation.thorax import Floats


def rough_scale(marks: Landmarks, ratio: float) -> float:
    """Growth of the heart for a cardiothoracic ratio, of a body whose outlines are not known."""
    return ratio * marks.thorax_width / marks.heart_width


def grow(
    marks: Landmarks, factor: float | Floats, x: Floats, y: Floats, z: Floats
) -> tuple[Floats, Floats]:
    """Grow the heart from behind its right border; the lung around it gives way.

    Within the heart the map is a plain scaling; from its border to the chest wall it is linear in
    the radius, so nothing folds and the rib cage stays.
    """
    growth = np.asarray(factor, np.float32)
    left, right, front, foot = marks.heart_reach
    dx, dy, dz = x - marks.heart[0], y - marks.heart[1], z - marks.heart[2]
    rho = np.sqrt(
        (dx / np.where(dx > 0, left, right)) ** 2
        + (dy / (1.15 * front)) ** 2
        + (dz / np.where(dz > 0, 1.35 * foot, 1.2 * foot)) ** 2
    )
    # Room to the chest wall differs between the sides; blend by direction, without a seam.
    leftward = 0.5 + 0.5 * dx / np.where(dx > 0, left, right) / np.maximum(rho, 1e-6)
    wall_left = np.maximum((marks.half_width - marks.heart[0]) * 0.96 / left, 1.05 * growth)
    wall_right = (marks.half_width + marks.heart[0]) * 0.85 / right
    wall = wall_right + (wall_left - wall_right) * leftward
    outer = 1.0 + (rho - growth) * (wall - 1.0) / np.maximum(wall - growth, 0.05)
    source = np.where(rho < growth, rho / growth, np.where(rho < wall, outer, rho))
    shrink = (source / np.maximum(rho, 1e-6)).astype(np.float32)
    # Height grows less than width: an enlarged heart lies broad on the diaphragm.
    moved_x: Floats = np.float32(marks.heart[0]) + dx * shrink
    moved_z: Floats = np.float32(marks.heart[2]) + dz * (np.float32(0.5) + np.float32(0.5) * shrink)
    return moved_x, moved_z


def turn(
    patient: Patient, marks: Landmarks, x: Floats, y: Floats, z: Floats
) -> tuple[Floats, Floats]:
    """Turn the heart in the frontal plane; the turn dies away towards chest wall and spine."""
    if not patient.heart_axis:
        return x, z
    dx, dz = x - marks.heart[0], z - marks.heart[2]
    reach = marks.heart_reach[0]
    near = 1.0 - smooth_step(np.hypot(dx, dz), 0.6 * reach, 1.5 * reach)
    angle = (
        -np.deg2rad(patient.heart_axis)
        * near
        * smooth_step(y, marks.back + 50.0, marks.back + 90.0)
    )
    cosine, sine = np.cos(angle), np.sin(angle)
    moved_x: Floats = (marks.heart[0] + cosine * dx - sine * dz).astype(np.float32)
    moved_z: Floats = (marks.heart[2] + sine * dx + cosine * dz).astype(np.float32)
    return moved_x, moved_z
