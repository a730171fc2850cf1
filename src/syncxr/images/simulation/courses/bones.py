"""Ribs, clavicles and vertebrae."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from syncxr.images.simulation.courses.courses import SIDES
from syncxr.images.simulation.courses.labels import LabelMap


def ribs(raw: LabelMap) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Name and middle line, from the spine to the front.

    Seen from above a rib is a C: the angle about the middle of its hull orders it.
    """
    for side in SIDES:
        for number in range(1, 13):
            places = raw.places(f"rib_{side}_{number}")
            if len(places) < 200:
                continue
            flat = places[:, :2]
            hull = flat[ConvexHull(flat).vertices]
            middle = 0.5 * (hull.mean(0) + 0.5 * (flat.min(0) + flat.max(0)))
            sign = 1.0 if side == "left" else -1.0
            angle = np.arctan2(sign * (flat[:, 0] - middle[0]), -(flat[:, 1] - middle[1]))
            # The gap of the C, towards the midline, is where the angle starts anew.
            start = _gap(angle)
            angle = (angle - start) % (2.0 * np.pi)
            bins = np.linspace(angle.min(), angle.max(), max(8, int(np.ptp(angle) * 12)))
            which = np.digitize(angle, bins)
            line = [places[which == k].mean(0) for k in range(1, len(bins)) if (which == k).any()]
            yield f"{side} {number}", np.array(line)


def _gap(angle: NDArray[np.float64]) -> float:
    """Middle of the widest gap among angles."""
    ordered = np.sort(angle)
    gaps = np.diff(np.append(ordered, ordered[0] + 2.0 * np.pi))
    widest = int(gaps.argmax())
    return float(ordered[widest] + gaps[widest] / 2)


def clavicle(raw: LabelMap, side: str) -> NDArray[np.float64]:
    """From the sternum outwards, by the distance along its longest axis."""
    places = raw.places(f"clavicula_{side}")
    middle = places.mean(0)
    axis = np.linalg.svd(places[::7] - middle, full_matrices=False)[2][0]
    sign = 1.0 if side == "left" else -1.0
    along = (places - middle) @ (axis * np.sign(axis[0]) * sign)
    bins = np.linspace(along.min(), along.max(), 24)
    which = np.digitize(along, bins)
    return np.array([places[which == k].mean(0) for k in range(1, 24) if (which == k).any()])


def vertebrae(
    raw: LabelMap,
) -> Iterator[tuple[str, NDArray[np.float64], NDArray[np.float64]]]:
    """Name, middle and size of the bodies: what of a vertebra lies before the spinal canal."""
    cord = raw.places("spinal_cord")
    for name in raw.ids:
        if not name.startswith("vertebrae_T") and name != "vertebrae_L1":
            continue
        places = raw.places(name)
        if len(places) < 500:
            continue
        near = cord[np.abs(cord[:, 2] - np.median(places[:, 2])) < 4.0]
        body = places[places[:, 1] > near[:, 1].max() + 1.0]
        low, high = np.percentile(body, [3, 97], axis=0)
        yield name.removeprefix("vertebrae_"), 0.5 * (low + high), high - low
