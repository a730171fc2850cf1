"""Soft tissue of neck, shoulders and upper arms, where a CT has raised arms or ends."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from syncxr.images.simulation.preparation.grid import Grid
from syncxr.images.simulation.thorax import LUNGS, Floats, Structure


def flesh(grid: Grid, apex: float, scale: float, humerus: Floats) -> None:
    """Cut the raised arms off and shape neck, trapezius, deltoid and upper arm.

    Args:
        grid: The body, changed in place.
        apex: Height of the lungs' apices, mm.
        scale: Of the body, against a chest of 250 mm inner width.
        humerus: Its middle line downwards, unscaled and from the apices, mm, (N, 3).
    """
    x, y, z = (a / np.float32(scale) for a in grid.axes())
    z = z - np.float32(apex / scale)
    wide = np.abs(x)
    # Upper outline: neck, the slope of the trapezius, the round of the deltoid.
    slope = np.clip((168.0 - wide) / 110.0, 0.0, 1.0)
    outline = 10.0 + 56.0 * slope**1.8 + np.where(wide < 58.0, 500.0, 0.0)
    round_off = np.sqrt(np.clip(48.0**2 - (wide - 166.0) ** 2, 0.0, None)) - 48.0
    outline = np.where(wide > 166.0, outline + round_off, outline)
    outline = np.where(wide > 214.0, -500.0, outline)
    under = np.clip((outline - z) / 4.0, 0.0, 1.0)
    outside = (under <= 0.0) & (z > -60.0)
    outside = np.broadcast_to(outside, grid.water.shape) & ~grid.of(*LUNGS)
    grid.water[outside] = 0.0
    soft = np.where((z > -60.0) & ~grid.of(*LUNGS), under, 1.0)
    grid.water *= soft.astype(np.float32)
    grid.bone[outside & ~grid.of(Structure.SPINE, Structure.RIBS)] = 0.0
    grid.labels[outside] = Structure.OUTSIDE
    # What the raised arm left at the edge of the scan gives way to the shoulder.
    edge = np.clip((184.0 - wide) / 34.0, 0.0, 1.0)
    edge = 1.0 - (1.0 - edge) * np.clip((z + 190.0) / 40.0, 0.0, 1.0)
    grid.water *= edge.astype(np.float32)
    half = np.interp(wide, [40.0, 100.0, 165.0, 214.0], [72.0, 66.0, 52.0, 30.0])
    middle = np.interp(wide, [40.0, 160.0], [-14.0, 2.0])
    low = np.interp(wide, [40.0, 110.0, 160.0], [15.0, -35.0, -75.0])
    below = np.clip((10.0 + 56.0 * slope**1.8 - z) / 4.0, 0.0, 1.0)
    shoulder = under * below * np.clip((half - np.abs(y - middle)) / 6.0, 0.0, 1.0)
    shoulder = shoulder * np.clip((z - low) / 6.0, 0.0, 1.0)
    # The neck has its own tissue: fade in beside it, or a collar shows.
    shoulder = shoulder * np.clip((wide - 30.0) / 30.0, 0.0, 1.0)
    # The arm: a capsule along the humerus.
    axis_x = np.interp(-z, -humerus[:, 2], humerus[:, 0])
    axis_y = np.interp(-z, -humerus[:, 2], humerus[:, 1])
    thick = np.interp(-z, [36.0, 100.0, 250.0], [48.0, 46.0, 40.0])
    distance = np.hypot(wide - axis_x, y - axis_y)
    arm = np.clip((thick - distance) / 5.0, 0.0, 1.0) * np.clip(-(z + 25.0) / 6.0, 0.0, 1.0)
    flesh = (np.maximum(shoulder, arm) * 1.0).astype(np.float32) * ~grid.of(
        *LUNGS, Structure.AIRWAY
    )
    grown = flesh > grid.water
    grid.water[grown] = flesh[grown]
    grid.labels[(flesh > 0.5) & (grid.labels == Structure.OUTSIDE)] = Structure.BODY


def blur_above(grid: Grid, apex: float) -> None:
    """Blur the soft tissue above the lungs, where pieces of three makes meet."""
    z = grid.axes()[2]
    weight = np.clip((z - apex - 6.0) / 10.0, 0.0, 1.0).astype(np.float32)
    airway = grid.of(Structure.AIRWAY)
    above = slice(int(np.searchsorted(z.ravel(), apex)), None)
    water, air = grid.water[:, above], airway[:, above]
    solid = np.where(air, 1.0, water + grid.bone[:, above])
    blurred = ndimage.gaussian_filter(solid, [s / grid.spacing for s in (4.0, 7.0, 5.0)])
    blurred = np.clip(blurred - grid.bone[:, above], 0.0, 1.05)
    mixed = water + weight[:, above] * (blurred - water)
    grid.water[:, above] = np.where(air, water, mixed)
