"""The pleural line: the edge of a lung that has drawn away from the wall."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from syncxr.images.simulation.findings.lungs import Lung
from syncxr.images.simulation.shapes import Material, Tube
from syncxr.images.simulation.thorax import Floats

_TISSUE = Material(water=2.4)
"""The beam grazes visceral pleura of 0.3 mm over some 8 mm where a lung of 5 cm radius turns: 2.4
mm² of tissue in the plane across the line, as a tube of 0.56 mm radius with this added density
has."""

_RADIUS = 0.56

_LEAST_GAP = 5.0
"""Of air beside the line, mm: what touches the wall has no line of its own."""


def pleural_edge(lung: Lung, kept: Floats, floor: float) -> list[Tube]:
    """The line where the beam touches the surface of the lung that is left.

    Args:
        lung: Before it drew away.
        kept: Share of each cell that is still lung, (k, r, c).
        floor: Height of fluid, below which there is no line, mm.
    """
    slab = lung.body.slabs.thickness
    z, x = lung.z[0, :, 0], lung.x[0, 0]
    marks = lung.body.marks
    centre = np.array([marks.heart[2] + 35.0, 25.0 * lung.sign])
    angles = np.deg2rad(np.arange(-75.0, 106.0, 3.0))
    reach = np.arange(10.0, 190.0, 1.0)
    down = centre[0] + np.sin(angles)[:, None] * reach
    across = centre[1] + lung.sign * np.cos(angles)[:, None] * reach
    step = float(z[1] - z[0])
    index = [(down - z[0]) / step, (across - x[0]) / step]

    def border(share: Floats) -> Floats:
        """Distance to the last place along each ray with a centimetre of lung."""
        path = ndimage.map_coordinates(share.sum(0) * slab, index, order=1)
        inside = path > 10.0
        last = inside.shape[1] - 1 - np.argmax(inside[:, ::-1], axis=1)
        return np.where(inside.any(1), reach[last], 0.0).astype(np.float32)

    edge, wall = border(kept), border(lung.share)
    edge = ndimage.gaussian_filter1d(edge, 1.0)
    height = centre[0] + np.sin(angles) * edge
    column = centre[1] + lung.sign * np.cos(angles) * edge
    free = (wall - edge > _LEAST_GAP) & (edge > 20.0) & (height > floor)
    depth = _depth(lung, kept, centre, height, column)
    points = np.stack([column, depth, height], axis=1).astype(np.float32)
    runs = np.split(np.arange(len(angles)), np.flatnonzero(np.diff(free.astype(int))) + 1)
    return [Tube(points[run], _RADIUS, _TISSUE) for run in runs if free[run[0]] and len(run) > 2]


def _depth(lung: Lung, kept: Floats, centre: Floats, height: Floats, column: Floats) -> Floats:
    """Where along the beam the lung's edge lies, mm: the mean y of what is just inside."""
    z, x = lung.z[0, :, 0], lung.x[0, 0]
    step = float(z[1] - z[0])
    inner = 0.94
    rows = np.rint((centre[0] + inner * (height - centre[0]) - z[0]) / step).astype(int)
    columns = np.rint((centre[1] + inner * (column - centre[1]) - x[0]) / step).astype(int)
    weight = kept[:, rows.clip(0, len(z) - 1), columns.clip(0, len(x) - 1)] + 1e-6
    mean = (weight * lung.y[:, :, 0]).sum(0) / weight.sum(0)
    return np.asarray(ndimage.gaussian_filter1d(mean, 2.0), np.float32)
