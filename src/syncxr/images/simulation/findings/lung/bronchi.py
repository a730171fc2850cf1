"""Curves of bronchi and lines, as shapes: what findings of the airways share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from syncxr.images.simulation.findings.lungs import Lung
from syncxr.images.simulation.shapes import Material, Tube
from syncxr.images.simulation.thorax import Floats


def branches(
    lung: Lung, start: tuple[float, float, float], goal: tuple[float, float, float], count: int
) -> list[NDArray[np.float32]]:
    """Bronchi from ``start`` towards ``goal``, each forking off the one before it.

    Args:
        lung: In which.
        start: Where the stem comes from, mm.
        goal: Where the stem goes, mm.
        count: Number of bronchi.

    Returns:
        Curves of (N, 3) points, the stem first.
    """
    curves = [_curve(lung, np.array(start), np.array(goal), 0.08)]
    while len(curves) < count:
        parent = curves[int(lung.chance.integers(len(curves)))]
        root = parent[int(lung.chance.integers(2, len(parent) - 1))]
        heading = parent[-1] - root
        length = float(np.linalg.norm(heading))
        aside = lung.chance.normal(0.0, 0.55, 3) * (1.0, 0.5, 1.0) * max(length, 14.0)
        end = root + 0.8 * heading + aside
        curves.append(_curve(lung, root, end, 0.06))
    return curves


def _curve(lung: Lung, start: np.ndarray, end: np.ndarray, bend: float) -> NDArray[np.float32]:
    """A bent line between two points."""
    share = np.linspace(0.0, 1.0, 9)[:, None]
    off = lung.chance.normal(0.0, bend, 3) * np.linalg.norm(end - start)
    curve = start + share * (end - start) + np.sin(np.pi * share) * off
    return np.asarray(curve, np.float32)


def ring(centre: tuple[float, float, float], radius: float) -> NDArray[np.float32]:
    """A circle that faces the beam: an airway end on. (17, 3)."""
    angle = np.linspace(0.0, 2.0 * np.pi, 17)
    x, y, z = centre
    points = [x + radius * np.cos(angle), np.full_like(angle, y), z + radius * np.sin(angle)]
    return np.stack(points, axis=1).astype(np.float32)


def walled(
    lung: Lung, centre: tuple[float, float, float], radius: float, wall: float, end_on: bool
) -> list[Tube]:
    """An airway with a thick wall: a ring if it meets the beam end on, else two parallel lines.

    Args:
        lung: In which.
        centre: Its middle, mm.
        radius: From axis to the middle of the wall, mm.
        wall: Thickness, mm.
        end_on: Which of the two.
    """
    if end_on:
        # Some millimetres of airway along the beam, of which the ring is the shadow.
        return [Tube(ring(centre, radius), 0.5 * wall, Material(water=0.85 * 4.0 / wall))]
    away = np.array(centre) - np.array(lung.hilum)
    away[1] *= 0.3
    away /= max(float(np.linalg.norm(away)), 1.0)
    length = float(lung.chance.uniform(10.0, 24.0))
    ends = [np.array(centre) + s * length * away for s in (-0.5, 0.5)]
    axis = _curve(lung, ends[0], ends[1], 0.05)
    aside = np.array([-away[2], 0.0, away[0]], np.float32)
    aside *= radius / max(float(np.linalg.norm(aside)), 0.1)
    # The beam runs through the wall at the side of a tube for some √(8 r w) mm.
    grazed = float(np.sqrt(8.0 * radius * wall)) / wall
    return [Tube(axis + s * aside, 0.5 * wall, Material(water=0.85 * grazed)) for s in (-1.0, 1.0)]


def bronchograms(lung: Lung, share: Floats, centre: tuple[float, float, float]) -> list[Tube]:
    """Open bronchi within airless lung: dark branching tubes of 2 to 5 mm.

    Args:
        lung: In which.
        share: Of each cell that is airless; bronchi show only within.
        centre: Where the stem leads, mm.
    """
    away = np.array(centre) - np.array(lung.hilum)
    goal = np.array(lung.hilum) + 1.3 * away
    curves = branches(lung, lung.hilum, (float(goal[0]), float(goal[1]), float(goal[2])), 7)
    tubes = []
    for number, curve in enumerate(curves):
        radius = float(lung.chance.uniform(1.7, 2.4)) if number == 0 else 1.3
        fine = np.stack(
            [np.interp(np.linspace(0, 8, 33), np.arange(9), axis) for axis in curve.T], axis=1
        ).astype(np.float32)
        inside = lung.at(share, fine) > 0.7
        runs = np.split(np.arange(len(fine)), np.flatnonzero(np.diff(inside.astype(int))) + 1)
        tubes += [
            Tube(fine[run], radius, Material(water=-0.85))
            for run in runs
            if inside[run[0]] and len(run) > 3
        ]
    return tubes


def septal_lines(lung: Lung, count: int) -> list[Tube]:
    """Kerley B lines: level, 1 to 2 cm long, from the pleura inwards, above the angle.

    Thickened septa between secondary lobules, planes of 1 mm that the beam grazes over some 8 mm
    (Kerley, Br Med J 1933; Fleischner Society glossary, 2008).

    Args:
        lung: In which.
        count: How many.
    """
    tubes = []
    base = lung.body.marks.dome - 12.0
    for number in range(count):
        z = base + 7.0 * number + float(lung.chance.uniform(-2.0, 2.0))
        y = float(lung.chance.uniform(-25.0, 20.0))
        length = float(lung.chance.uniform(10.0, 19.0))
        slope = float(lung.chance.uniform(-0.12, 0.12))
        k = int(np.argmin(np.abs(lung.y[:, 0, 0] - y)))
        r = int(np.argmin(np.abs(lung.z[0, :, 0] - z)))
        columns = np.flatnonzero(lung.share[k, r] > 0.5)
        if not len(columns):
            continue
        wall = float(lung.x[0, 0, columns[-1 if lung.sign > 0 else 0]])
        inward = np.linspace(0.5, length, 4)
        points = np.stack(
            [wall - lung.sign * inward, np.full(4, y), z + slope * inward], axis=1
        ).astype(np.float32)
        tubes.append(Tube(points, 0.5, Material(water=6.5)))
    return tubes


def cuffs(lung: Lung, count: int) -> list[Tube]:
    """Bronchi end on about the hilum, their walls thick with fluid (peribronchial cuffing)."""
    tubes = []
    for _ in range(count):
        x, y, z = np.array(lung.hilum) + lung.chance.normal(0.0, (13.0, 10.0, 20.0))
        x = lung.sign * max(26.0, abs(float(x)))
        radius, wall = float(lung.chance.uniform(1.7, 2.7)), float(lung.chance.uniform(1.1, 1.7))
        tubes += walled(lung, (x, float(y), float(z)), radius, wall, end_on=True)
    return tubes
