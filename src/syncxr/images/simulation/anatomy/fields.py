"""The smooth displacement of every parameter: from the patient's coordinates to the source's.

Points are three arrays x, y, z, mm. None of the maps folds within the ranges that patients and
findings ask for (tested): each displacement changes by less than a millimetre a millimetre.
"""

from __future__ import annotations

import numpy as np

from syncxr.images.simulation.anatomy.landmarks import Landmarks
from syncxr.images.simulation.anatomy.patient import Patient
from syncxr.images.simulation.thorax import Floats


def smooth_step(values: Floats, low: float, high: float) -> Floats:
    """0 below ``low``, 1 above ``high``, smooth between."""
    t = np.clip((values - low) / (high - low), 0.0, 1.0)
    smooth: Floats = (t * t * (3.0 - 2.0 * t)).astype(np.float32)
    return smooth


def scales(p: Patient) -> tuple[float, float, float]:
    """Scale of the patient along x, y and z; a mirrored patient is the source's mirror image."""
    broad = float(np.sqrt(p.breadth))
    return p.size * broad * (-1.0 if p.mirrored else 1.0), p.size * p.depth, p.size / broad


def body(p: Patient, points: Floats) -> tuple[Floats, Floats, Floats]:
    """Size and proportions."""
    width, depth, height = (np.float32(scale) for scale in scales(p))
    return points[..., 0] / width, points[..., 1] / depth, points[..., 2] / height


def spine(
    p: Patient, m: Landmarks, x: Floats, y: Floats, z: Floats
) -> tuple[Floats, Floats, Floats]:
    """Scoliosis, kyphosis and the fall of the ribs.

    Kyphosis bends the trunk like a beam: what lies before the spine turns with it, so the front of
    the upper chest sinks.
    """
    phase = np.pi * (z - m.foot) / (m.apex - m.foot)
    x = x - p.scoliosis * np.sin(phase)
    fall = p.rib_slope - 0.25 * (p.lung_volume - 1.0)
    if p.kyphosis:
        slope = p.kyphosis * np.pi / (m.apex - m.foot) * np.cos(np.clip(phase, -0.2, np.pi + 0.2))
        z = z - slope * (y - (m.back + 20.0)).clip(-40.0)
        y = y + p.kyphosis * np.sin(np.clip(phase, 0.0, np.pi)) * (y < m.back + 60.0)
    return x, y, z + fall * (y - m.middle) * smooth_step(y, m.back, m.front)


def wobble(p: Patient, x: Floats, y: Floats, z: Floats) -> tuple[Floats, Floats]:
    """Smooth random displacement, wavelengths of 17 cm and more."""
    amplitude = np.array(p.wobble, np.float32).reshape(2, 3, 3, 2)
    waves = [
        [
            np.cos(np.float32(k * np.pi / length) * (axis + np.float32(length / 2)))
            for k in range(count)
        ]
        for axis, length, count in ((x, 340.0, 3), (z, 340.0, 3), (y, 240.0, 2))
    ]
    dx, dz = np.zeros_like(x), np.zeros_like(x)
    for i in range(3):
        for j in range(3):
            plane = waves[0][i] * waves[1][j]
            for k in range(2):
                wave = plane * waves[2][k]
                dx += amplitude[0, i, j, k] * wave
                dz += amplitude[1, i, j, k] * wave
    return dx, dz


def domes(p: Patient, m: Landmarks, x: Floats, y: Floats, z: Floats) -> Floats:
    """Rise of the diaphragm inside the rib cage, which itself stays."""
    inside = 1.0 - smooth_step(np.abs(x), 0.72 * m.half_width, 1.02 * m.half_width)
    before = smooth_step(y, m.back + 25.0, m.back + 70.0)
    reach = np.exp(-(((z - m.dome) / 85.0) ** 2))
    left = smooth_step(x, -25.0, 35.0)
    deep = (p.lung_volume - 1.0) * (m.apex - m.dome)
    rise = (p.left_dome - deep) * left + (p.right_dome - deep) * (1.0 - left)
    moved: Floats = rise * inside * before * reach
    return moved


def shift(
    p: Patient, m: Landmarks, heart_scale: float | Floats, x: Floats, y: Floats, z: Floats
) -> Floats:
    """Heart and mediastinum to one side as a whole; the lungs beside them give way, linearly.

    Exact over the width of the heart; chest wall, spine, neck and abdomen stay.
    """
    if not p.shift and not p.upper_shift and not p.heart_position:
        return x
    above = smooth_step(z, m.heart[2] + 30.0, m.heart[2] + 75.0)
    tall = (1.0 - smooth_step(z, m.apex - 45.0, m.apex + 40.0)) * smooth_step(
        z, m.dome - 75.0, m.dome - 10.0
    )
    amount = (
        (p.shift + p.heart_position * (1.0 - above) + p.upper_shift * above)
        * tall
        * smooth_step(y, m.back + 35.0, m.back + 75.0)
    )
    # Inner half width of the chest at this height: an ellipse above the domes.
    high = np.clip((z - m.dome) / (m.apex + 12.0 - m.dome), 0.0, 0.95)
    wall = m.half_width * np.sqrt(1.0 - high * high)
    left = heart_scale * m.heart_reach[0] * (1.0 - 0.55 * above) + m.heart[0] * (1.0 - above)
    right = -heart_scale * m.heart_reach[1] * (1.0 - 0.3 * above) + m.heart[0] * (1.0 - above)
    # Where the plateau comes too near the wall, it ends before it: a lung is never squeezed below
    # a fifth of its width, so that nothing folds.
    least = 10.0 + np.abs(amount)
    left = np.minimum(left, wall - 1.25 * least)
    right = np.maximum(right, -wall + 1.25 * least)
    moved = np.select(
        [x <= -wall, x < right + amount, x <= left + amount, x < wall],
        [
            np.zeros_like(x),
            -amount * (x + wall) / (right + amount + wall),
            -amount * np.ones_like(x),
            -amount * (wall - x) / (wall - left - amount),
        ],
        0.0,
    )
    shifted: Floats = (x + moved).astype(np.float32)
    return shifted


def mediastinum(p: Patient, m: Landmarks, x: Floats, y: Floats, z: Floats) -> Floats:
    """Widening of the upper mediastinum about the midline."""
    upper = smooth_step(z, m.heart[2] + 30.0, m.heart[2] + 70.0) * (
        1.0 - smooth_step(z, m.apex - 30.0, m.apex + 20.0)
    )
    before = smooth_step(y, m.back + 40.0, m.back + 90.0)
    near = np.exp(-(((x - 5.0) / 55.0) ** 2))
    moved: Floats = (1.0 / p.mediastinum - 1.0) * (x - 5.0) * upper * before * near
    return moved


HILUM = (38.0, -18.0)
"""Hilum beside and below the carina, mm."""


def hila(p: Patient, m: Landmarks, x: Floats, y: Floats, z: Floats) -> tuple[Floats, Floats]:
    """Swell a hilum about its middle, within some 3 cm."""
    for side, grown in ((1.0, p.left_hilum), (-1.0, p.right_hilum)):
        if grown == 1.0:
            continue
        dx = x - (m.carina[0] + side * HILUM[0])
        dz = z - (m.carina[2] + HILUM[1])
        dy = y - m.carina[1]
        near = (1.0 / grown - 1.0) * np.exp(-(dx**2 + dz**2) / 900.0 - dy**2 / 2500.0)
        x = (x + dx * near).astype(np.float32)
        z = (z + dz * near).astype(np.float32)
    return x, z


def aorta(p: Patient, m: Landmarks, x: Floats, y: Floats, z: Floats) -> tuple[Floats, Floats]:
    """Unfold and widen the aorta about its centre line."""
    if p.aorta_tortuosity == 0.0 and p.aorta_width == 1.0:
        return x, z
    line: Floats = np.array(m.aorta, np.float32)
    top = int(line[:, 2].argmax())
    for part, bow in ((line[: top + 1], -0.5), (line[top:], 1.0)):
        order = np.argsort(part[:, 2])
        heights = part[order, 2]
        cx = np.interp(z, heights, part[order, 0])
        cy = np.interp(z, heights, part[order, 1])
        along = smooth_step(z, heights[0] - 40.0, heights[0] + 40.0) * (
            1.0 - smooth_step(z, heights[-1] + 5.0, heights[-1] + 60.0)
        )
        near = along * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 1800.0)
        wider = (1.0 / p.aorta_width - 1.0) * (x - cx)
        x = (x + (wider - p.aorta_tortuosity * bow) * near).astype(np.float32)
    arch = line[top]
    far = ((x - arch[0]) ** 2 + (y - arch[1]) ** 2) / 2500.0 + ((z - arch[2]) / 35.0) ** 2
    return x, (z - 0.5 * p.aorta_tortuosity * np.exp(-far)).astype(np.float32)
