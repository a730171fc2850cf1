"""A body as a view needs it: cut across the beam."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from syncxr.images.simulation.anatomy import Deformation
from syncxr.images.simulation.body import Body, load_body
from syncxr.images.simulation.ct import load_thorax
from syncxr.images.simulation.cutting import cut, geometry, slab_of
from syncxr.images.simulation.projection import NODES, Rays, Slabs, intersections
from syncxr.images.simulation.thorax import Floats

_BESIDE_MM = 30.0
"""Thickness of the chest wall at the sides."""


@dataclass(frozen=True)
class Frame:
    """Slabs across the beam, and the cells of a body among them.

    Findings work on cells that are fine across a frontal beam and coarse along it. A lateral film
    shows the source in slabs of its own, as fine as the source is; only what findings changed
    comes from the coarse cells.

    Attributes:
        slabs: What rays are followed through.
        cells: The body's cells, in the order of ``slabs``; the same in a frontal view.
        lateral: Whether the body's cells are to be turned.
    """

    slabs: Slabs
    cells: Slabs
    lateral: bool

    def turned(self, volume: Floats) -> Floats:
        """A body's cells (K, R, C) in the order of this view."""
        if not self.lateral:
            return volume
        across = volume.transpose(2, 1, 0)
        step = len(across) // len(self.cells.centres)
        cells = across[: step * len(self.cells.centres)]
        mean: Floats = cells.reshape(-1, step, *cells.shape[1:]).mean(1)
        return mean


class Crossings(NamedTuple):
    """Where rays cross a patient.

    Attributes:
        slabs: What was crossed, where it lies in the patient.
        where: Columns and rows of the source body, mm, (K, H, W, 2).
        lengths: Of a ray within a slab of the patient, mm, (H, W).
    """

    slabs: Slabs
    where: Tensor
    lengths: Tensor


def cross(
    slabs: Slabs,
    rays: Rays,
    deformation: Deformation,
    nodes: int = NODES,
    device: str | torch.device = "cpu",
) -> Crossings:
    """Follow rays through a patient: the one place that says how long he is along the beam.

    Args:
        slabs: Of the source body.
        rays: Of the view.
        deformation: Of the patient.
        nodes: Nodes a side on which it is worked out.
        device: Of the results.
    """
    lying = replace(slabs, stretch=deformation.stretch(slabs.axis))
    return Crossings(lying, *intersections(lying, rays, deformation, nodes, device))


@lru_cache(maxsize=6)
def _side(resolution_mm: float, anatomy: str) -> tuple[Slabs, Floats, Floats]:
    """Water and bone of the source in slabs along x."""
    thorax = load_thorax(resolution_mm, anatomy)
    thickness = slab_of(resolution_mm)
    water, bone = (cut(volume, thorax, 0, thickness) for volume in (thorax.water, thorax.bone))
    return geometry(thorax, 0, thickness), water, bone


def frame_of(body: Body, resolution_mm: float, lateral: bool) -> tuple[Frame, Floats, Floats]:
    """How a body is looked at, with its water and bone in the view's slabs, (K, R, C)."""
    if not lateral:
        return Frame(body.slabs, body.slabs, False), body.water, body.bone
    slabs, water, bone = _side(resolution_mm, body.patient.anatomy)
    cells = Slabs(0, slabs.centres, slabs.thickness, body.slabs.rows, body.slabs.centres)
    frame = Frame(slabs, cells, True)
    source = load_body(resolution_mm, body.patient.anatomy)
    changed = [
        _refined(frame.turned(now - then), cells.columns, slabs.columns)
        for now, then in ((body.water, source.water), (body.bone, source.bone))
    ]
    # Arms are raised for a lateral film; in the source they hang beside the chest.
    trunk = (np.abs(slabs.centres) < body.marks.half_width + _BESIDE_MM)[:, None, None]
    return frame, (water + changed[0]) * trunk, (bone + changed[1]) * trunk


def _refined(volume: Floats, coarse: Floats, fine: Floats) -> Floats:
    """Columns interpolated."""
    at = np.clip((fine - coarse[0]) / (coarse[1] - coarse[0]), 0.0, len(coarse) - 1.001)
    lower = at.astype(int)
    share = (at - lower).astype(np.float32)
    made: Floats = volume[..., lower] * (1.0 - share) + volume[..., lower + 1] * share
    return made
