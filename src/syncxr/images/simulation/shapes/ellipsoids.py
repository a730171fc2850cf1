"""Path lengths through ellipsoids."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from syncxr.images.simulation.shapes.forms import Ellipsoid
from syncxr.images.simulation.shapes.patches import deposit, groups, offsets, squares
from syncxr.images.simulation.shapes.placing import Placed, View, place

_SAMPLES = 6.0
"""Rays a radius, at least; what is smaller than a pixel is sampled within it."""

_MOST = 8
"""Rays a pixel's side, at most."""

_LEAST_RADIUS = 0.5
"""Pixels: what is smaller is spread over as much, so that no ray misses it."""


def add_ellipsoids(total: Tensor, view: View, shapes: Sequence[Ellipsoid]) -> None:
    """Add ellipsoids to ``total``: path, water, bone, metal, (4, H, W).

    The chord of each ray is exact; the sum over pixels is brought to the ellipsoid's volume, so
    that mass does not depend on where a small one lies among the pixels.
    """
    if not shapes:
        return
    tensor = {"dtype": torch.float32, "device": total.device}
    centres = torch.tensor([s.centre for s in shapes], **tensor)  # type: ignore[arg-type]
    radii = torch.tensor([s.radii for s in shapes], **tensor)  # type: ignore[arg-type]
    turn = torch.deg2rad(torch.tensor([s.turn for s in shapes], **tensor))  # type: ignore[arg-type]
    amounts = torch.tensor(
        [(1.0, s.material.water, s.material.bone, s.material.metal) for s in shapes],
        **tensor,  # type: ignore[arg-type]
    )
    placed = place(view, centres)
    volume = 4.0 / 3.0 * torch.pi * radii.prod(1)
    radii = torch.maximum(radii, _LEAST_RADIUS * placed.pitch[:, None])
    whiten = _whiten(radii, turn)
    steps = torch.stack([placed.down.norm(dim=1), placed.right.norm(dim=1)], 1).amin(1)
    for which, side in groups(radii.amax(1) / steps + 0.5):
        smallest = float((radii[which].amin(1) / placed.pitch[which]).amin())
        samples = min(_MOST, max(1, int(-(-_SAMPLES // smallest))))
        rows, columns = offsets(placed.pixel[which], side)
        path = _chords(placed, which, whiten[which], rows, columns, samples)
        found = path.sum((1, 2)) * placed.pitch[which] ** 2
        path = path * (volume[which] / found.clamp_min(1e-9))[:, None, None]
        deposit(total, squares(path, rows, columns), amounts[which])


def _whiten(radii: Tensor, turn: Tensor) -> Tensor:
    """Matrices (N, 3, 3) that make unit spheres of ellipsoids."""
    cosine, sine = torch.cos(turn), torch.sin(turn)
    zero, one = torch.zeros_like(turn), torch.ones_like(turn)
    rows = [(cosine, zero, sine), (zero, one, zero), (-sine, zero, cosine)]
    rotation = torch.stack([torch.stack(row, 1) for row in rows], 1)
    return rotation / radii[:, :, None]


def _chords(
    placed: Placed, which: Tensor, whiten: Tensor, rows: Tensor, columns: Tensor, samples: int
) -> Tensor:
    """Mean chord over each pixel, mm, (N, S, S)."""
    pixel = placed.pixel[which]
    # Rays near a small thing are parallel to the one through its centre but for a slope that
    # changes by a thousandth a pixel; its effect on the chord is of second order.
    a, b, c = (
        (whiten @ vector[which][:, :, None]).squeeze(-1)[:, None, None]
        for vector in (placed.ray, placed.down, placed.right)
    )
    total = torch.zeros(
        (len(which), rows.shape[1], columns.shape[2]), dtype=pixel.dtype, device=pixel.device
    )
    for i in range(samples):
        down = rows - pixel[:, 0, None, None] + ((i + 0.5) / samples - 0.5)
        for j in range(samples):
            right = columns - pixel[:, 1, None, None] + ((j + 0.5) / samples - 0.5)
            offset = down[..., None] * b + right[..., None] * c
            squared = a.square().sum(-1)
            along = (a * offset).sum(-1)
            root = along.square() - squared * (offset.square().sum(-1) - 1.0)
            total += 2.0 * root.clamp_min(0.0).sqrt() / squared
    return total / samples**2
