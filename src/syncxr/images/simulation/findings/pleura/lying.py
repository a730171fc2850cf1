"""Free fluid and air in a patient who lies: behind the lung; before it and at its foot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from syncxr.images.simulation.findings.finding import smooth_step
from syncxr.images.simulation.findings.lungs import Lung
from syncxr.images.simulation.findings.texture import clouds
from syncxr.images.simulation.thorax import Floats

FLUID_MM = {"mild": (24.0, 32.0), "moderate": (42.0, 56.0), "severe": (70.0, 92.0)}
"""Depth of the fluid behind the lung by severity, mm, where the chest is deepest: as much as lies
at the foot of an upright patient. From 175 to 525 ml on it is seen (Woodring, AJR 1984)."""

FLUID_AREA_CM2 = {"mild": (60.0, 260.0), "moderate": (110.0, 320.0), "severe": (130.0, 360.0)}
"""On the film, a side: a veil over most of a lung field."""

AIR_MM = {"mild": (16.0, 24.0), "moderate": (30.0, 42.0), "severe": (52.0, 74.0)}
"""Depth of the air before the lung by severity, mm, where the chest is deepest: the volumes that
the gaps of an upright patient stand for. Air of 2 cm all round is half of the lung (British
Thoracic Society 2010)."""

SULCUS = {"mild": (5.0, 9.0), "moderate": (11.0, 17.0), "severe": (20.0, 30.0)}
"""How much deeper the lateral costophrenic sulcus reaches, mm (deep sulcus sign: Gordon, Radiology
1980)."""

EDGE_SHARE = {"mild": 0.15, "moderate": 0.3, "severe": 0.55}
"""Of the apical gap of an upright patient: a line at the side is seen when there is much air
(Tocino et al., AJR 1985: apex and side in a third, front and base in two thirds)."""

AIR_AREA_CM2 = {"mild": (10.0, 260.0), "moderate": (60.0, 330.0), "severe": (110.0, 360.0)}
"""On the film, a side: most of a lung field, as air lies before the lung, and the sulcus."""


def fluid_front(lung: Lung, layer: float, rise: float) -> Floats:
    """How far to the front (y, mm) fluid reaches, (k, r, c).

    The layer is deeper towards the foot, as hardly anybody lies flat, and climbs the lateral wall,
    mostly at the foot.

    Args:
        lung: Behind which it lies.
        layer: Its depth, mm.
        rise: How far fluid climbs the wall of an upright patient, mm.
    """
    foot = _towards_foot(lung)
    front = lung.body.marks.back + layer * (0.7 + 0.65 * foot)
    lateral = smooth_step(np.abs(lung.x), 40.0, 105.0)
    climb = 1.3 * rise * lateral * np.exp(-lung.wall / 16.0) * (0.3 + 0.7 * foot)
    return np.asarray(front + climb + 2.5 * lung.texture(clouds), np.float32)


def _towards_foot(lung: Lung) -> Floats:
    """0 at the apex, 1 at the dome and 1.2 below it, (1, r, 1)."""
    return np.asarray(1.0 - lung.heights().clip(-0.2, 1.0), np.float32)


def under_air(lung: Lung, layer: float) -> Floats:
    """Share of each cell that lies behind the air, (k, r, 1): more air towards the foot."""
    foot = _towards_foot(lung)
    front = lung.body.marks.front - layer * (0.6 + 0.7 * foot)
    half = 0.5 * lung.body.slabs.thickness
    behind: Floats = smooth_step(front - lung.y, -half, half)
    return behind


def deep_sulcus(lung: Lung, deeper: float, extent: Floats) -> None:
    """Let air push the lateral sulcus down, between chest wall and abdomen.

    The lung's foot is drawn down, the more the further it is to the side, and what it comes to lie
    in is filled with air.
    """
    rows = lung.body.slabs.rows
    down = int(np.ceil(deeper / float(rows[1] - rows[0])))
    box = (lung.box[0], slice(max(0, lung.box[1].start - down), lung.box[1].stop), lung.box[2])
    low = replace(lung, box=box)
    half_width = lung.body.marks.half_width
    lateral = smooth_step(lung.sign * low.x[0], 0.5 * half_width, 0.85 * half_width)
    moved = low.look_up(low.share, low.z[0] + deeper * lateral, low.x[0])
    soft = 1.0 - smooth_step(lung.body.bone[box], 0.01, 0.04)
    foot = 1.0 - smooth_step(low.z, lung.body.marks.dome, lung.body.marks.dome + 40.0)
    low.fill(np.clip(moved - low.share, 0.0, 1.0) * soft * foot, 0.001, extent)
