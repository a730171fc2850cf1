"""Is the simulator's geometry and physics right?

    python benchmarks/simulator_physics.py [--json FILE]

- sphere, cylinder and slab of voxels, and analytic sphere and cylinder, against the formula; the
  error is over the longest path, pixels at the edge (3 voxels) left out;
- magnification of a sphere at three distances; fluence against the inverse square of the
  distance; a beam through water against Beer and Lambert's law with NIST's coefficients;
- path lengths of the source CT against DiffDRR's and nanodrr's through the same rays, where they
  are installed (``drr_peers.py`` says how); rays that leave at head or foot are left out.

One source CT.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from drr_peers import peers, resampled
from syncxr.images.simulation.body import load_body
from syncxr.images.simulation.cutting import stack
from syncxr.images.simulation.film.beam import MU_WATER, Matter, fluence, spectrum, transmission
from syncxr.images.simulation.projection import Pose, Rays, Slabs, cast, integrate, intersections
from syncxr.images.simulation.shapes import Material, Shape, Tube, project, sphere
from syncxr.views.console import write_json

BARS = {"path": 0.01, "magnification": 0.01, "inverse square": 0.01, "Beer-Lambert": 0.01}
BAR_PEERS = 0.02

VOXEL_MM = 2.0
SIZE = 224
AXIS = (np.arange(101, dtype=np.float32) - 50) * VOXEL_MM
POSES = {
    "PA": Pose(field=300.0),
    "PA, turned and tilted": Pose(rotation=6.0, tilt=-5.0, roll=2.0, shift_x=6.0, field=300.0),
    "AP": Pose(view="AP", distance=1000.0, gap=130.0, field=320.0),
}

Floats = NDArray[np.float64]


def voxels(inside: Any) -> NDArray[np.float32]:
    """Share of each voxel, (Y, Z, X), for which ``inside(x, y, z)`` holds, by 27 samples."""
    total = np.zeros((len(AXIS),) * 3)
    offsets = np.arange(-1, 2) / 3 * VOXEL_MM
    for oy in offsets:
        for oz in offsets:
            for ox in offsets:
                y, z, x = np.ix_(AXIS + oy, AXIS + oz, AXIS + ox)
                total += inside(x, y, z)
    return (total / 27).astype(np.float32)


def through(volume: NDArray[np.float32], pose: Pose) -> Floats:
    """Paths through a volume on the test grid, cm, (H, W)."""
    slabs = Slabs(1, AXIS, VOXEL_MM, AXIS, AXIS)
    where, lengths = intersections(slabs, cast(pose, SIZE))
    channels = torch.from_numpy(volume[:, None])
    return integrate(slabs, channels, where, lengths)[0].numpy().astype(np.float64)


def chord(rays: Rays, centre: Floats, axis: Floats | None, radius: float) -> tuple[Floats, Floats]:
    """Exact path through a sphere or endless cylinder, cm, and the distance from it, mm."""
    start, direction = rays.source.astype(float) - centre, rays.direction.astype(float)
    if axis is not None:
        start = start - (start @ axis) * axis
        direction = direction - (direction @ axis)[..., None] * axis
    a = (direction**2).sum(-1)
    b = direction @ start
    off = np.sqrt(np.maximum((start**2).sum() - b**2 / a, 0.0))
    return 2.0 * np.sqrt(np.clip(radius**2 - off**2, 0.0, None) / a) / 10.0, off


def forms() -> dict[str, float]:
    """Largest error over the longest path, over all poses."""
    centre, radius = np.array([12.0, -15.0, 9.0]), 45.0
    up = np.array([0.0, 0.0, 1.0])
    ball = voxels(
        lambda x, y, z: (
            (x - centre[0]) ** 2 + (y - centre[1]) ** 2 + (z - centre[2]) ** 2 <= radius**2
        )
    )
    rod = voxels(
        lambda x, y, z: ((x - centre[0]) ** 2 + (y - centre[1]) ** 2 <= radius**2) & (z < np.inf)
    )
    wall = np.zeros_like(ball)
    wall[30:70] = 1.0
    small = sphere((12.0, -15.0, 9.0), 8.0, Material(water=1.0))
    along = np.linspace(-120.0, 120.0, 61)
    line = np.stack([0.0 * along + 12.0, 0.0 * along - 15.0, along], 1).astype(np.float32)
    tube = Tube(line, 4.0, Material(water=1.0))
    errors: dict[str, list[float]] = {}
    for pose in POSES.values():
        narrow = Pose(**{**pose.to_dict(), "field": 190.0})  # type: ignore[arg-type]
        rays = cast(narrow, SIZE)
        for name, volume, axis in (("sphere", ball, None), ("cylinder", rod, up)):
            exact, off = chord(rays, centre, axis, radius)
            inner = off < radius - 3 * VOXEL_MM
            error = np.abs(through(volume, narrow) - exact)[inner].max() / (2 * radius / 10)
            errors.setdefault(name, []).append(float(error))
        exact = 40 * VOXEL_MM / 10 / np.abs(rays.direction[..., 1])
        error = np.abs(through(wall, narrow) - exact).max() / exact.max()
        errors.setdefault("slab", []).append(float(error))
        cases: tuple[tuple[str, Shape, Floats | None, float], ...] = (
            ("analytic sphere", small, None, 8.0),
            ("analytic cylinder", tube, up, 4.0),
        )
        for name, shape, axis, size in cases:
            errors.setdefault(name, []).append(thin(shape, axis, size, centre, narrow))
    return {name: max(values) for name, values in errors.items()}


def thin(shape: Shape, axis: Floats | None, radius: float, centre: Floats, pose: Pose) -> float:
    """Error of an analytic form over its longest path; a pixel at its edge left out."""
    rays = cast(pose, SIZE)
    slabs = Slabs(1, AXIS, VOXEL_MM, AXIS, AXIS)
    where, _ = intersections(slabs, rays)
    found = project((shape,), slabs, where, rays).path.numpy()
    exact, off = chord(rays, centre, axis, radius)
    inner = off < radius - 2.0 * pose.field / SIZE
    return float(np.abs(found - exact)[inner].max() / (2 * radius / 10))


def magnification() -> float:
    """Largest error of a sphere's width against source-detector over source-object distance."""
    ball = voxels(lambda x, y, z: x**2 + y**2 + z**2 <= 40.0**2)
    errors = []
    for distance, gap in ((1800.0, 150.0), (1000.0, 150.0), (1800.0, 400.0)):
        pose = Pose(distance=distance, gap=gap, field=240.0)
        area = float((through(ball, pose) > 1.0).sum()) * (240.0 / SIZE) ** 2
        # Rays with more than 1 cm of path pass nearer than this to the centre.
        reach = np.sqrt(40.0**2 - 5.0**2)
        shown = np.sqrt(area / np.pi) / reach
        errors.append(abs(shown / (distance / (distance - gap)) - 1.0))
    return float(max(errors))


def inverse_square() -> float:
    """Largest error of the fluence on the axis and off it, 0.8 to 2 m."""
    errors = []
    for distance in (800.0, 1000.0, 1800.0, 2000.0):
        pose = Pose(distance=distance, field=400.0)
        found = fluence(pose, SIZE)
        at = ((np.arange(SIZE) + 0.5) / SIZE - 0.5) * pose.field
        squared = distance**2 + at[:, None] ** 2 + at[None] ** 2
        exact = 1000.0**2 / squared * np.cos(np.arctan(np.sqrt(squared - distance**2) / distance))
        errors.append(float(np.abs(found / exact - 1.0).max()))
    return max(errors)


def beer_lambert() -> float:
    """Largest error of what a beam leaves behind 0 to 30 cm of water."""
    depth = torch.linspace(0.0, 30.0, 61)
    errors = []
    for hardness in (0.0, 0.5, 1.0):
        found = transmission(Matter(depth, torch.zeros_like(depth)), hardness).numpy()
        beam = zip(spectrum(hardness), MU_WATER, strict=True)
        exact = sum(share * np.exp(-mu * depth.numpy().astype(float)) for share, mu in beam)
        errors.append(float(np.abs(found / exact - 1.0).max()))
    return max(errors)


def against_peers(points: int) -> dict[str, dict[str, float]]:
    """Relative RMS by peer and pose."""
    body = load_body(2.0)
    found: dict[str, dict[str, float]] = {}
    for name, peer in peers(resampled(2.0)).items():
        if name.endswith("Siddon"):
            # Of the same renderer, with nearest voxels instead of interpolated ones.
            continue
        for view, pose in POSES.items():
            rays = cast(pose, SIZE)
            where, lengths = intersections(body.slabs, rays)
            ours = integrate(body.slabs, stack(body.water), where, lengths)[0]
            theirs = peer(rays, points)
            rows = where[..., 1]
            stays = (rows > float(body.slabs.rows[0])) & (rows < float(body.slabs.rows[-1]))
            inner = stays.all(0)
            error = (ours - theirs)[inner].square().mean().sqrt()
            relative = error / theirs[inner].square().mean().sqrt()
            found.setdefault(name, {})[view] = float(relative)
    return found


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=500, help="points a ray for the peers")
    parser.add_argument("--json", help="write the figures here; - for standard output")
    options = parser.parse_args()
    single = {
        "magnification": magnification(),
        "inverse square": inverse_square(),
        "Beer-Lambert": beer_lambert(),
    }
    result = {
        "source": "one source CT",
        "bars": {**BARS, "peers": BAR_PEERS},
        "path": forms(),
        **single,
        "peers": against_peers(options.points),
    }
    if options.json:
        write_json(result, Path(options.json))
    if options.json == "-":
        return
    for name, error in result["path"].items():
        print(f"{name}: {100 * error:.2f} % of the longest path (bar {100 * BARS['path']:.0f} %)")
    for name, error in single.items():
        print(f"{name}: {100 * error:.3f} % (bar {100 * BARS[name]:.0f} %)")
    for peer, views in result["peers"].items():
        for view, error in views.items():
            print(f"{peer}, {view}: relative RMS {100 * error:.2f} % (bar {100 * BAR_PEERS:.0f} %)")


if __name__ == "__main__":
    main()
