"""Curves that devices follow, made of the body's courses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from syncxr.images.simulation.anatomy import Patient
from syncxr.images.simulation.courses.curve import even
from syncxr.images.simulation.thorax import Floats

Points = NDArray[np.floating[Any]]
"""Places or directions, (..., 3)."""

STEP_MM = 5.0
"""Between the points of a curve."""


def through(points: Iterable[Sequence[float] | Floats], step: float = STEP_MM) -> Floats:
    """A smooth curve through a few places (x, y, z), points ``step`` mm apart, (N, 3)."""
    knots = np.array([np.asarray(point, np.float64) for point in points])
    # Of places that all but coincide, the later one stays.
    apart = np.linalg.norm(np.diff(knots, axis=0), axis=1) > 1.0
    knots = knots[np.append(apart, True)]
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(knots, axis=0), axis=1))])
    at = np.linspace(0.0, lengths[-1], max(8, round(4.0 * lengths[-1] / step)))
    return even(CubicSpline(lengths, knots, bc_type="natural")(at), step)


def at_height(line: Floats, z: float) -> Floats:
    """The point of a rising or falling line at a height, (3,); its end where it does not reach."""
    order = np.argsort(line[:, 2])
    found = [np.interp(z, line[order, 2], line[order, axis]) for axis in range(2)]
    return np.array([*found, z], np.float32)


def between(line: Floats, low: float, high: float) -> Floats:
    """Part of a line with z in [low, high], (N, 3)."""
    return line[(line[:, 2] >= low) & (line[:, 2] <= high)]


def height_scale(patient: Patient) -> float:
    """Millimetres of the patient's height a millimetre of the source body's."""
    return patient.size / float(np.sqrt(patient.breadth))
