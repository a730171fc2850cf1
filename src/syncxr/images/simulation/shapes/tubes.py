"""Path lengths through tubes, catheters and wires."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from syncxr.images.simulation.shapes.forms import Material, Tube
from syncxr.images.simulation.shapes.patches import Deposit, deposit, groups, offsets
from syncxr.images.simulation.shapes.placing import View, place

_LONGEST = 8.0
"""Pixels that a piece of a tube may be long: longer ones would need large squares."""

_NARROWEST = 0.08
"""Least width of a pixel's shadow along a line: keeps the quotient below finite."""

_CAP = 1.73
"""Width of the box that stands for a disc of radius 1: of equal spread is √3."""

_CORNER = 0.75
"""From a pixel's centre to its corner, with a margin."""


@dataclass(frozen=True)
class _Pieces:
    """Straight pieces of one layer each, in pixels.

    Attributes:
        start: Row and column, (N, 2).
        end: Row and column, (N, 2).
        length: In the patient, mm, (N,).
        radius: (N,).
        shift: Of the layer across the tube, (N,).
        blunt: Length over which an end fades, (N,): that of its round cap, seen aslant.
        amounts: Path, water, bone and metal a cm, (N, 4).
    """

    start: Tensor
    end: Tensor
    length: Tensor
    radius: Tensor
    shift: Tensor
    blunt: Tensor
    amounts: Tensor


def add_tubes(total: Tensor, view: View, tubes: Sequence[Tube]) -> None:
    """Add tubes to ``total``: path, water, bone, metal, (4, H, W).

    Across a straight piece the chord 2 √(r² - d²) / sin φ, with φ between tube and ray, is
    integrated over the square pixel in closed form: a wire thinner than a pixel keeps its mass
    wherever it lies.
    """
    if not tubes:
        return
    pieces = _cut(view, tubes)
    middle = 0.5 * (pieces.start + pieces.end)
    reach = 0.5 * (pieces.end - pieces.start).norm(dim=1) + pieces.radius + pieces.shift.abs() + 1.0
    reach = reach + 0.5 * pieces.blunt
    for which, side in groups(reach):
        rows, columns = offsets(middle[which], side)
        part = _pick(pieces, which)
        deposit(total, _chords(part, rows, columns), part.amounts)


def _layers(tube: Tube) -> list[tuple[float, float, float, Material, float]]:
    """Share of the radius, shift across as a share of it, path, material and its sign."""
    layers = [(1.0, 0.0, 1.0, tube.material, 1.0)]
    if tube.lumen > 0.0:
        layers.append((tube.lumen, 0.0, 0.0, tube.material, -1.0))
    if tube.stripe is not None:
        layers.append((tube.stripe.width, tube.stripe.at, 0.0, tube.stripe.material, 1.0))
    return layers


def _cut(view: View, tubes: Sequence[Tube]) -> _Pieces:
    """All tubes as straight pieces, one a layer."""
    device = view.where.device
    points = np.concatenate([np.asarray(tube.points, np.float32) for tube in tubes])
    counts = [len(tube.points) for tube in tubes]
    radii = np.concatenate(
        [
            np.broadcast_to(np.asarray(t.radius, np.float32), n)
            for t, n in zip(tubes, counts, strict=True)
        ]
    )
    placed = place(view, torch.as_tensor(points, device=device))
    firsts, layers = [], []
    begin = 0
    for tube, count in zip(tubes, counts, strict=True):
        for share, shift, path, material, sign in _layers(tube):
            row = (
                share,
                shift,
                path,
                *(sign * a for a in (material.water, material.bone, material.metal)),
            )
            firsts.append(np.arange(begin, begin + count - 1))
            layers.append(np.broadcast_to(np.array(row, np.float32), (count - 1, 6)))
        begin += count
    first = torch.as_tensor(np.concatenate(firsts), device=device)
    layer = torch.as_tensor(np.concatenate(layers), device=device)
    radius = torch.as_tensor(radii, device=device) / placed.pitch
    radius = 0.5 * (radius[first] + radius[first + 1])
    length = (placed.position[first + 1] - placed.position[first]).norm(dim=1)
    pitch = 0.5 * (placed.pitch[first] + placed.pitch[first + 1])
    flat = (placed.pixel[first + 1] - placed.pixel[first]).norm(dim=1) * pitch
    aslant = (1.0 - (flat / length.clamp_min(1e-6)).clamp(max=1.0).square()).sqrt()
    whole = _Pieces(
        placed.pixel[first],
        placed.pixel[first + 1],
        length,
        radius * layer[:, 0],
        radius * layer[:, 1],
        # From 30 degrees on: less would only tell joints of a long tube from its ends.
        _CAP * radius * layer[:, 0] * (2.0 * aslant - 1.0).clamp_min(0.0),
        layer[:, 2:],
    )
    return _split(_on_film(whole, view.where.shape[1:3]))


def _on_film(pieces: _Pieces, size: Sequence[int]) -> _Pieces:
    """Without what lies off the film."""
    margin = (pieces.radius + pieces.shift.abs() + 2.0)[:, None]
    limits = torch.tensor(list(size), dtype=margin.dtype, device=margin.device)
    low, high = torch.minimum(pieces.start, pieces.end), torch.maximum(pieces.start, pieces.end)
    return _pick(pieces, ((high > -margin) & (low < limits + margin)).all(1))


def _pick(pieces: _Pieces, which: Tensor) -> _Pieces:
    return _Pieces(*(getattr(pieces, name)[which] for name in _Pieces.__dataclass_fields__))


def _split(pieces: _Pieces) -> _Pieces:
    """Long pieces as several."""
    span = (pieces.end - pieces.start).norm(dim=1)
    parts = (span / _LONGEST).ceil().clamp_min(1.0).long()
    which = torch.repeat_interleave(torch.arange(len(parts), device=span.device), parts)
    before = torch.cumsum(parts, 0) - parts
    share = (torch.arange(len(which), device=span.device) - before[which]).to(span.dtype)
    long = _pick(pieces, which)
    step = (long.end - long.start) / parts[which, None]
    start = long.start + share[:, None] * step
    length = long.length / parts[which]
    return replace(long, start=start, end=start + step, length=length)


def _chords(part: _Pieces, rows: Tensor, columns: Tensor) -> Deposit:
    """Mean path over each pixel that a piece covers."""
    span = (part.end - part.start).norm(dim=1).clamp_min(1e-3)
    run, rise = ((part.end - part.start) / span[:, None]).unbind(1)
    down = rows - part.start[:, 0, None, None]
    right = columns - part.start[:, 1, None, None]
    at = down * run[:, None, None] + right * rise[:, None, None]
    off = right * run[:, None, None] - down * rise[:, None, None] - part.shift[:, None, None]
    near = off.abs() < (part.radius + _CORNER)[:, None, None]
    half = 0.5 * (span + part.blunt) + _CORNER
    near &= (at - 0.5 * span[:, None, None]).abs() < half[:, None, None]
    piece, row, column = near.nonzero(as_tuple=True)
    # Differences of second integrals: single precision would show.
    at, off = at[piece, row, column].double(), off[piece, row, column].double()
    long, radius = span[piece].double(), part.radius[piece].double()
    # A square pixel's shadow along any direction is two boxes one upon the other.
    wide, narrow = (w.abs().clamp_min(_NARROWEST).double()[piece] for w in (run, rise))
    across = _boxed(lambda d: _twice_integrated(d, radius), off, wide, narrow)
    fade = torch.maximum(narrow, part.blunt[piece].double())
    covered = _boxed(_ramp, at, wide, fade) - _boxed(_ramp, at - long, wide, fade)
    slant = part.length[piece] / long
    return Deposit(rows[piece, row, 0], columns[piece, 0, column], across * covered * slant, piece)


def _boxed(twice: Callable[[Tensor], Tensor], at: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Mean over boxes of widths ``a`` and ``b`` of what ``twice`` is the second integral of."""
    outer, inner = 0.5 * (a + b), 0.5 * (a - b)
    sums = twice(at + outer) - twice(at + inner) - twice(at - inner) + twice(at - outer)
    return sums / (a * b)


def _twice_integrated(d: Tensor, radius: Tensor) -> Tensor:
    """Second integral of the chord 2 √(r² - d²) from the left."""
    inside = torch.minimum(torch.maximum(d, -radius), radius)
    root = (radius.square() - inside.square()).clamp_min(0.0).sqrt()
    squared = radius.square()
    turned: Tensor = torch.asin(inside / radius) + 0.5 * torch.pi
    within = squared * (inside * turned + root) - root**3 / 3.0
    return within + torch.pi * squared * (d - radius).clamp_min(0.0)


def _ramp(s: Tensor) -> Tensor:
    """Second integral of a step."""
    return 0.5 * s.clamp_min(0.0).square()
