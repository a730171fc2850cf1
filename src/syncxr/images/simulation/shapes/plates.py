"""Path lengths through flat things."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from syncxr.images.simulation.shapes.forms import Plate
from syncxr.images.simulation.shapes.patches import deposit, groups, offsets, squares
from syncxr.images.simulation.shapes.placing import Placed, View, place


def add_plates(total: Tensor, view: View, plates: Sequence[Plate]) -> None:
    """Add plates to ``total``: path, water, bone, metal, (4, H, W)."""
    if not plates:
        return
    device = total.device
    centres = torch.tensor([p.centre for p in plates], dtype=torch.float32, device=device)
    placed = place(view, centres)
    for number, plate in enumerate(plates):
        corners, path = _seen(placed, number, plate)
        pixel = placed.pixel[number]
        reach = corners.norm(dim=1).amax().reshape(1) + 1.0
        [(_, side)] = list(groups(reach))
        rows, columns = offsets(pixel[None], side)
        down, right = rows[0] - pixel[0], columns[0] - pixel[1]
        offset = torch.stack([down.expand(side, side), right.expand(side, side)], -1)
        covered = (0.5 - _signed_distance(offset, corners)).clamp(0.0, 1.0)
        material = plate.material
        amounts = torch.tensor(
            [(1.0, material.water, material.bone, material.metal)], device=device
        )
        deposit(total, squares((path * covered)[None], rows, columns), amounts)


def _seen(placed: Placed, number: int, plate: Plate) -> tuple[Tensor, Tensor]:
    """Corners round the centre on the film, pixels, (N, 2), and the path through the plate, mm."""
    device = placed.pixel.device
    normal = np.asarray(plate.facing, np.float64)
    normal /= np.linalg.norm(normal)
    first = np.cross(normal, (0.0, 0.0, 1.0))
    first /= np.linalg.norm(first)
    second = np.cross(first, normal)
    cosine, sine = np.cos(np.deg2rad(plate.turn)), np.sin(np.deg2rad(plate.turn))
    frame = np.stack([cosine * first + sine * second, cosine * second - sine * first])
    world = torch.as_tensor(
        (np.asarray(plate.outline, np.float64) @ frame).astype(np.float32), device=device
    )
    ray, down, right = placed.ray[number], placed.down[number], placed.right[number]
    across = world - (world @ ray)[:, None] * ray
    steps = torch.stack([down, right])
    # The two steps are all but square to each other; the small rest is solved for.
    corners = across @ steps.T @ torch.linalg.inv(steps @ steps.T)
    facing = torch.as_tensor(normal.astype(np.float32), device=device)
    return corners, plate.thickness / (facing @ ray).abs().clamp_min(0.15)


def _signed_distance(points: Tensor, corners: Tensor) -> Tensor:
    """Distance of ``points`` (S, S, 2) to a polygon's outline, negative inside."""
    start, end = corners, corners.roll(-1, 0)
    edge = end - start
    offset = points[..., None, :] - start
    share = ((offset * edge).sum(-1) / edge.square().sum(-1).clamp_min(1e-9)).clamp(0.0, 1.0)
    distance = (offset - share[..., None] * edge).norm(dim=-1).amin(-1)
    row, column = points[..., None, 0], points[..., None, 1]
    straddles = (start[:, 0] > row) != (end[:, 0] > row)
    rise = torch.where(edge[:, 0] == 0.0, torch.ones_like(edge[:, 0]), edge[:, 0])
    meets = start[:, 1] + (row - start[:, 0]) / rise * edge[:, 1]
    inside = ((straddles & (column < meets)).sum(-1) % 2).bool()
    return torch.where(inside, -distance, distance)
