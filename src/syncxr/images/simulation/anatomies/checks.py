"""What a CT must be to serve as a body; each fault with its reason."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from syncxr.images.simulation.preparation.raw import RawCT

LOBES = {
    "lung_upper_lobe_left": 150.0,
    "lung_lower_lobe_left": 150.0,
    "lung_upper_lobe_right": 150.0,
    "lung_middle_lobe_right": 60.0,
    "lung_lower_lobe_right": 150.0,
}
"""Least volume, ml; far below the least of healthy adults at full expiration."""

CHEST_WIDTH_MM = (170.0, 370.0)
"""Both lungs, side to side."""

LUNG_HEIGHT_MM = (140.0, 400.0)

SPACING_MM = (0.3, 6.5)

_NEEDED = {"heart": 1, "aorta": 1, "trachea": 1, "vertebrae_T": 10, "rib_": 18, "liver": 1}


def faults(raw: RawCT) -> list[str]:
    """Why a CT cannot serve, all reasons; empty if it can."""
    first = [reason for reason in (_spacing(raw), _units(raw), _structures(raw)) if reason]
    if first:
        return first
    later: tuple[Callable[[RawCT], str], ...] = (_lobes, _upright, _sides, _organs, _size, _field)
    found = []
    for check in later:
        reason = check(raw)
        if reason:
            found.append(reason)
    return found


def _spacing(raw: RawCT) -> str:
    low, high = SPACING_MM
    if min(raw.spacing) < low or max(raw.spacing) > high:
        size = " x ".join(f"{s:g}" for s in raw.spacing)
        return f"voxels of {size} mm; needs {low:g} to {high:g} mm a side"
    return ""


def _units(raw: RawCT) -> str:
    low, high = np.percentile(raw.hu[::4, ::4, ::2], [1, 99.9])
    if low > -500 or high < 100:
        return f"values from {low:.0f} to {high:.0f} are not Hounsfield units; air must be -1000"
    return ""


def _structures(raw: RawCT) -> str:
    there = set(np.unique(raw.labels).tolist())
    names = [name for name, number in raw.ids.items() if number in there]
    short = [
        f"{prefix.rstrip('_')} ({found} of {least})" if least > 1 else prefix
        for prefix, least in _NEEDED.items()
        if (found := sum(name.startswith(prefix) for name in names)) < least
    ]
    return f"labels lack {', '.join(short)}" if short else ""


def _volume(raw: RawCT, name: str) -> float:
    """Of a structure, ml."""
    count = int((raw.labels == raw.ids[name]).sum()) if name in raw.ids else 0
    return count * float(np.prod(raw.spacing)) / 1000.0


def _lobes(raw: RawCT) -> str:
    gone = [name for name, least in LOBES.items() if _volume(raw, name) < least]
    return f"missing or too small: {', '.join(gone)}" if gone else ""


def _middle(raw: RawCT, *prefixes: str) -> NDArray[np.float64]:
    """Centre of structures, mm from the corner (left, front, head); NaN if there are none."""
    mask = raw.of(*prefixes)
    if not mask.any():
        return np.full(3, np.nan)
    places: list[float] = []
    for axis, size in enumerate(raw.spacing):
        profile = mask.sum(tuple(other for other in range(3) if other != axis))
        places.append(float((profile * np.arange(len(profile))).sum() / profile.sum() * size))
    return np.array(places)


def _upright(raw: RawCT) -> str:
    if _middle(raw, "lung_upper")[2] <= _middle(raw, "lung_lower")[2]:
        return "head and feet are exchanged: upper lobes lie below lower ones"
    if _middle(raw, "heart")[1] <= _middle(raw, "vertebrae_T")[1]:
        return "front and back are exchanged: the spine lies before the heart"
    return ""


def _sides(raw: RawCT) -> str:
    left = _middle(raw, "lung_upper_lobe_left", "lung_lower_lobe_left")[0]
    right = _middle(raw, "lung_upper_lobe_right", "lung_lower_lobe_right")[0]
    if left <= right:
        return "left and right are exchanged: by the affine, the left lobes lie on the right"
    return ""


def _organs(raw: RawCT) -> str:
    """Names and affine may agree and yet show a mirror image: organs tell."""
    if _sides(raw):
        return ""
    spine = _middle(raw, "vertebrae_T")[0]
    heart, liver, stomach = (_middle(raw, n)[0] - spine for n in ("heart", "liver", "stomach"))
    wrong = [
        name
        for name, is_wrong in (
            ("heart", heart < -5.0),
            ("liver", liver > 10.0),
            ("stomach", stomach < -10.0),
        )
        if is_wrong
    ]
    if wrong:
        return f"mirror image (or situs inversus): {' and '.join(wrong)} on the wrong side"
    return ""


def _extent(raw: RawCT) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last voxel of the lungs on every axis."""
    lungs = raw.of("lung_")
    ends = [
        np.flatnonzero(lungs.any(tuple(o for o in range(3) if o != axis)))[[0, -1]]
        for axis in range(3)
    ]
    first, last = np.array(ends).T
    return first, last


def _size(raw: RawCT) -> str:
    first, last = _extent(raw)
    width, _, height = (last - first + 1) * np.array(raw.spacing)
    for name, value, (low, high) in (
        ("wide", width, CHEST_WIDTH_MM),
        ("high", height, LUNG_HEIGHT_MM),
    ):
        if not low <= value <= high:
            return (
                f"lungs {value:.0f} mm {name}, adults have {low:.0f} to {high:.0f}: wrong voxel"
                " spacing, or not an adult's whole chest"
            )
    return ""


def _field(raw: RawCT) -> str:
    first, last = _extent(raw)
    ends = np.array(raw.labels.shape) - 1
    sides = (("right", "left"), ("back", "front"), ("foot", "head"))
    cut = [
        name
        for axis, names in enumerate(sides)
        for name, touches in zip(names, (first[axis] <= 0, last[axis] >= ends[axis]), strict=True)
        if touches
    ]
    return f"field of view cuts the lungs at the {' and '.join(cut)}" if cut else ""
