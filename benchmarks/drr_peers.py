"""Other renderers of the same CT through the same rays: DiffDRR and nanodrr.

Neither is a dependency of the project (nanodrr states no licence). To have them beside it, install
them into an environment that sees the project's, without what they need for other things:

    python -m venv --system-site-packages peers && . peers/bin/activate
    pip install --no-deps diffdrr==0.6.1 nanodrr==0.1.7
    pip install jaxtyping roma platformdirs torchio

What is not importable is left out, and the benchmark says so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from syncxr.images.simulation.ct import load_thorax
from syncxr.images.simulation.preparation.raw import load_raw
from syncxr.images.simulation.projection import Rays

REACH_MM = 2500.0
"""Length of the rays that peers are given, from the focal spot."""

HOW = "pip install --no-deps diffdrr==0.6.1 nanodrr==0.1.7; pip install jaxtyping roma torchio"

Peer = Callable[[Rays, int], Tensor]
"""Rays and points along each, to path integrals in g/cm², (H, W)."""


class Volume(NamedTuple):
    """A CT as peers take it.

    Attributes:
        density: g/cm³, (X, Y, Z).
        origin: Place of voxel (0, 0, 0), mm.
        spacing: Size of a voxel, mm.
    """

    density: Tensor
    origin: NDArray[np.float64]
    spacing: NDArray[np.float64]


def resampled(resolution_mm: float) -> Volume:
    """The body that the simulator's films come from."""
    thorax = load_thorax(resolution_mm)
    density = torch.from_numpy(np.ascontiguousarray(thorax.water.transpose(2, 0, 1)))
    return Volume(density, np.array(thorax.origin), np.full(3, thorax.spacing))


def scanned() -> Volume:
    """The CT as it was scanned."""
    raw = load_raw()
    density = (1.0 + raw.hu.astype(np.float32) / 1000.0).clip(0.0)
    spacing = np.array(raw.spacing)
    origin = -0.5 * spacing * (np.array(density.shape) - 1)
    return Volume(torch.from_numpy(np.ascontiguousarray(density)), origin, spacing)


def peers(volume: Volume) -> dict[str, Peer]:
    """Those that are installed, by name."""
    found: dict[str, Peer] = {}
    makers = {
        "DiffDRR": lambda v: _diffdrr(v, siddon=False),
        "DiffDRR, Siddon": lambda v: _diffdrr(v, siddon=True),
        "nanodrr": _nanodrr,
    }
    for name, make in makers.items():
        try:
            found[name] = make(volume)
        except ImportError as missing:
            print(f"{name} is left out ({missing}); {HOW}")
    return found


def _ends(rays: Rays) -> tuple[Tensor, Tensor]:
    """Focal spot (1, 1, 3) and far ends (1, N, 3) of the rays, mm."""
    finish = rays.source + rays.direction.reshape(-1, 3) * np.float32(REACH_MM)
    return torch.from_numpy(rays.source)[None, None], torch.from_numpy(finish)[None]


def _diffdrr(volume: Volume, siddon: bool) -> Peer:
    from diffdrr.renderers import Siddon, Trilinear

    renderer = Siddon() if siddon else Trilinear()
    origin, spacing = (
        torch.from_numpy(a.astype(np.float32)) for a in (volume.origin, volume.spacing)
    )

    def project(rays: Rays, points: int) -> Tensor:
        source, target = ((end - origin) / spacing for end in _ends(rays))
        length = torch.full((1, 1, target.shape[1]), REACH_MM / 10.0)
        options = {} if siddon else {"n_points": points}
        with torch.inference_mode():
            film = renderer(volume.density, source, target, length, **options)
        return film.reshape(rays.direction.shape[:2])

    return project


def _nanodrr(volume: Volume) -> Peer:
    from nanodrr.data import Subject
    from nanodrr.drr.renderer import render

    eye = torch.eye(4)
    to_world = torch.diag(torch.tensor([*volume.spacing, 1.0], dtype=torch.float32))
    to_world[:3, 3] = torch.from_numpy(volume.origin.astype(np.float32))
    image = volume.density.permute(2, 1, 0)[None, None].contiguous()
    subject = Subject(
        image,
        torch.zeros_like(image),
        to_world,
        to_world.inverse(),
        Subject._make_voxel_to_grid(image.shape),
        torch.zeros(3),
        convert_to_mu=False,
    )

    def project(rays: Rays, points: int) -> Tensor:
        height, width = rays.direction.shape[:2]
        source, target = _ends(rays)
        camera = torch.eye(3)[None], eye[None], torch.ones(1)
        with torch.inference_mode():
            film = render(subject, *camera, height, width, points, src=source, tgt=target)
        return film[0, 0] / 10.0

    return project
