"""All steps of preparation, in order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from syncxr.images.simulation.preparation import skeleton
from syncxr.images.simulation.preparation.cleaning import HU_TISSUE, CleanCT
from syncxr.images.simulation.preparation.compact import compact_labels
from syncxr.images.simulation.preparation.girdle import pose_arms
from syncxr.images.simulation.preparation.grid import Grid
from syncxr.images.simulation.preparation.raw import RawCT
from syncxr.images.simulation.preparation.resampling import nearest, resample
from syncxr.images.simulation.thorax import LUNGS, Floats, Structure

HU_CORTICAL = 1400.0
"""Dense cortical bone (ICRU-44) at the CT's 120 kVp, HU: the voxel that counts as all bone."""

NECK_MM = 90.0
"""Height added above the CT, which ends 2 cm above the apices."""


def build(raw: RawCT, cleaned: CleanCT, resolution_mm: float) -> dict[str, NDArray[np.generic]]:
    """Prepare a cleaned CT: the arrays that the cache keeps."""
    grid = _grid(raw, cleaned, resolution_mm)
    _seat_heart(grid)
    _fade_vessels(grid)
    _straighten(grid)
    _add_neck(grid)
    pose_arms(grid)
    return {
        "water": np.rint(grid.water * 1e4).clip(0, 65535).astype(np.uint16),
        "bone": np.rint(grid.bone * 1e4).clip(0, 65535).astype(np.uint16),
        "labels": grid.labels,
        "margin": np.array(grid.margin),
        "lean": grid.lean,
        "clavicles": grid.clavicles,
        "mass": resample(cleaned.mass, raw.spacing, resolution_mm),
    }


def _grid(raw: RawCT, cleaned: CleanCT, new: float) -> Grid:
    """HU to water and bone, on cubes."""
    fraction = (cleaned.hu - HU_TISSUE) / (HU_CORTICAL - HU_TISSUE)
    fraction = np.clip(fraction, 0.0, 1.2) * cleaned.bones
    fraction[raw.of("vertebrae", "sacrum")] *= skeleton.SPINE_SHARE
    soft = np.where(fraction > 0, HU_TISSUE, cleaned.hu)
    density = np.clip(1.0 + soft / 1000.0, 0.0, 1.2) * np.clip(1.0 - fraction, 0.0, 1.0)
    density[~cleaned.body] = 0.0
    fraction[~cleaned.body] = 0.0
    water = resample(density.astype(np.float32), raw.spacing, new)
    bone = resample(fraction.astype(np.float32), raw.spacing, new)
    labels = nearest(compact_labels(raw, cleaned), raw.spacing, new)
    ribs = skeleton.ribs(raw, new, labels.shape)
    near = ndimage.binary_dilation(ribs > 0, iterations=max(1, round(2.0 / new)))
    bone = np.where(near & (labels != Structure.SPINE), ribs, bone)
    return Grid(water, bone, labels, new)


_HILUM_MM = 45.0
"""Round the hila, where the CT's own vessels are kept."""

_VESSELS_KEPT = 0.4
"""Of the contrast of vessels elsewhere: there every patient has a grown tree."""


def _fade_vessels(grid: Grid) -> None:
    """Fade the CT's one tree of vessels beyond the hila."""
    x, y, z = grid.axes()
    airway = np.argwhere(grid.of(Structure.AIRWAY))
    low = airway[airway[:, 1] <= airway[:, 1].min() + 20.0 / grid.spacing].mean(0)
    cy, cz, cx = low * grid.spacing + np.array(grid.origin())[[1, 2, 0]]
    aside = np.abs(x - cx) - 34.0
    far = np.sqrt(aside**2 + (y - cy) ** 2 + (z - cz + 15.0) ** 2)
    kept = _VESSELS_KEPT + (1.0 - _VESSELS_KEPT) * np.exp(-((far / _HILUM_MM) ** 2))
    # The lungs' border is half chest wall: leave it.
    reach = max(1, round(4.0 / grid.spacing))
    inner = ndimage.binary_erosion(grid.of(*LUNGS), iterations=reach)
    excess = np.where(inner, np.clip(grid.water - 0.2, 0.0, None), 0.0)
    grid.water -= ((1.0 - kept) * excess).astype(np.float32)


_GAP_MM = 24.0


def _seat_heart(grid: Grid) -> None:
    """Fat where a tongue of lung lies between heart and diaphragm: lying, the two draw apart.

    On an upright film the heart rests on the diaphragm, and no air shows below it.
    """
    heart, lung = grid.of(Structure.HEART), grid.of(*LUNGS)
    level = np.arange(heart.shape[1])[None, :, None]
    lowest = np.where(heart, level, heart.shape[1]).min(1)
    floor = np.where(~lung & (level < lowest[:, None]) & (grid.labels > 0), level, -1).max(1)
    near = (lowest - floor) * grid.spacing < _GAP_MM
    near = ndimage.binary_opening(near & (lowest < heart.shape[1]), iterations=2)
    gap = lung & near[:, None] & (level < lowest[:, None]) & (level > floor[:, None])
    share = ndimage.gaussian_filter(gap.astype(np.float32), 2.0 / grid.spacing)
    share = np.where(lung, np.clip(2.0 * share, 0.0, 1.0), 0.0)
    grid.water += share * (0.95 - grid.water)
    grid.labels[share > 0.5] = Structure.BODY


def _straighten(grid: Grid) -> None:
    """Shear the trunk so that the spine stands upright in the middle of the body."""
    x, _, z = grid.axes()
    spine = grid.of(Structure.SPINE)
    weight = spine.sum((0, 2))
    used = weight > 0
    middle = (spine.sum(0) * x[0]).sum(1)[used] / weight[used]
    heights = z[0, :, 0]
    course = np.polyval(np.polyfit(heights[used], middle, 2), heights)
    grid.lean = course.astype(np.float32)
    for level, offset in enumerate(course / grid.spacing):
        move = (0.0, -float(offset))
        grid.water[:, level] = ndimage.shift(grid.water[:, level], move, order=1, mode="nearest")
        grid.bone[:, level] = ndimage.shift(grid.bone[:, level], move, order=1, mode="nearest")
        grid.labels[:, level] = ndimage.shift(grid.labels[:, level], move, order=0, mode="nearest")


def _add_neck(grid: Grid) -> None:
    """Continue neck, spine and trachea above the CT.

    Without it rays above the apices would meet the last slice over and over: stripes.
    """
    count = int(NECK_MM / grid.spacing)
    top = grid.water.shape[1] - 1
    airway = np.argwhere(grid.of(Structure.AIRWAY))
    highest = airway[airway[:, 1] >= airway[:, 1].max() - 3].mean(0)
    spine = grid.of(Structure.SPINE)[:, top]
    shadow = np.where(ndimage.binary_dilation(spine, iterations=2), grid.bone[:, top], 0.0)
    middle = np.argwhere(spine).mean(0) if spine.any() else np.array(highest)[[0, 2]]
    grid.pad(0, count)
    y, x = np.indices(shadow.shape).astype(np.float32) * np.float32(grid.spacing)
    ahead = y - (middle[0] + 18.0 / grid.spacing) * grid.spacing
    aside = x + grid.origin()[0]
    pipe_y, pipe_x = highest[0] * grid.spacing, highest[2] * grid.spacing
    pipe = np.hypot((y - pipe_y) / 8.0, (x - pipe_x) / 8.5)
    # The last slices of a scan are spoilt by what moves at its end.
    for level in range(int(highest[1]) - 2, top + count + 1):
        height = (level - top + round(4.0 / grid.spacing)) * grid.spacing
        if height > 0:
            deep = 62.0 + 28.0 * np.exp(-height / 15.0)
            radius = np.hypot(aside / 58.0, ahead / deep)
            inside = np.clip((1.0 - radius) * 12.0, 0.0, 1.0).astype(np.float32)
            wave = 0.8 + 0.35 * np.cos(2.0 * np.pi * height / 17.0)
            blurred: Floats = ndimage.gaussian_filter(shadow, 2.5 / grid.spacing)
            grid.bone[:, level] = blurred * inside * np.float32(0.9 * wave)
            grid.water[:, level] = inside * np.clip(1.02 - grid.bone[:, level], 0.0, None)
            grid.labels[:, level] = np.where(inside > 0.5, Structure.BODY, Structure.OUTSIDE)
        grid.water[:, level] *= np.clip((pipe - 1.0) * 4.0, 0.0, 1.0)
        grid.labels[:, level][pipe < 1.0] = Structure.AIRWAY
