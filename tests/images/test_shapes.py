"""Path lengths through shapes against what geometry says."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from syncxr.images.simulation.projection import Pose, Rays, Slabs, cast, intersections
from syncxr.images.simulation.shapes import (
    Ellipsoid,
    Fold,
    Material,
    Plate,
    Projected,
    Shape,
    Stripe,
    Tube,
    project,
    sphere,
)
from syncxr.images.simulation.thorax import Floats

AXIS = (np.arange(31, dtype=np.float32) - 15) * 8.0
SLABS = {axis: Slabs(axis, AXIS, 8.0, AXIS, AXIS) for axis in (0, 1)}
SOLID = Material(water=1.0)
POSES = [
    Pose(field=260.0),
    Pose(field=260.0, rotation=8.0, tilt=-6.0, roll=3.0, shift_x=7.0, shift_z=-5.0),
    Pose(view="AP", distance=1000.0, field=260.0),
    Pose(view="lateral", field=260.0),
]


def seen(shapes: list[Shape], pose: Pose, size: int = 128) -> tuple[Projected, Rays]:
    slabs = SLABS[0 if pose.view == "lateral" else 1]
    rays = cast(pose, size)
    where, _ = intersections(slabs, rays)
    return project(shapes, slabs, where, rays), rays


def line(start: tuple[float, float, float], end: tuple[float, float, float], n: int = 2) -> Floats:
    share = np.linspace(0.0, 1.0, n)[:, None]
    return ((1 - share) * np.array(start) + share * np.array(end)).astype(np.float32)


def mass(path: torch.Tensor, rays: Rays, at: tuple[float, float, float]) -> float:
    """Volume, mm³, of a small thing at a place of the patient, from its paths in cm."""
    centre = np.array(at) - rays.source
    h, w = np.unravel_index(np.argmax(rays.direction @ centre), rays.direction.shape[:2])
    h, w = min(h, rays.direction.shape[0] - 2), min(w, rays.direction.shape[1] - 2)
    d = rays.direction.astype(float)
    solid = np.linalg.norm(np.cross(d[h + 1, w] - d[h, w], d[h, w + 1] - d[h, w]))
    return float(path.double().sum()) * 10.0 * solid * float(centre @ centre)


@pytest.mark.parametrize("pose", POSES)
@pytest.mark.parametrize("radius", [8.0, 30.0])
def test_sphere_within_one_percent_of_its_diameter(pose: Pose, radius: float) -> None:
    centre = (15.0, -20.0, 10.0)
    found, rays = seen([sphere(centre, radius, SOLID)], pose)
    to_centre = np.array(centre) - rays.source.astype(float)
    along = rays.direction.astype(float) @ to_centre
    off = np.sqrt(np.maximum((to_centre**2).sum() - along**2, 0.0))
    exact = 2.0 * np.sqrt(np.clip(radius**2 - off**2, 0.0, None)) / 10.0
    clear = np.abs(off - radius) > 2.0 * pose.field / 128
    error = np.abs(found.path.numpy() - exact)
    assert error[clear].max() < 0.01 * 2 * radius / 10.0


@pytest.mark.parametrize("pose", POSES)
@pytest.mark.parametrize("ends", [((-60, 10, -45), (55, -30, 50)), ((20, 0, -50), (20, 0, 50))])
def test_cylinder_within_one_percent_of_its_longest_path(
    pose: Pose, ends: tuple[tuple[float, float, float], tuple[float, float, float]]
) -> None:
    radius = 12.0
    found, rays = seen([Tube(line(*ends, 25), radius, SOLID)], pose)
    start, end = np.array(ends[0], float), np.array(ends[1], float)
    axis = (end - start) / np.linalg.norm(end - start)
    source, ray = rays.source.astype(float), rays.direction.astype(float)
    # Distance of ray and axis, and where along the axis they are closest.
    normal = np.cross(ray, axis)
    sine = np.linalg.norm(normal, axis=-1)
    off = np.abs((normal @ (source - start)) / sine)
    exact = 2.0 * np.sqrt(np.clip(radius**2 - off**2, 0.0, None)) / sine / 10.0
    gap = source - start
    along = ((gap @ axis) - (ray @ gap) * (ray @ axis)) / (1.0 - (ray @ axis) ** 2)
    margin = 2.0 * pose.field / 128
    reach = radius * np.abs(ray @ axis) / sine + margin
    inside = (along > reach) & (along < np.linalg.norm(end - start) - reach)
    clear = inside & (np.abs(off - radius) > margin)
    error = np.abs(found.path.numpy() - exact)
    assert clear.sum() > 300
    assert error[clear].max() < 0.01 * exact[clear].max()


@pytest.mark.parametrize("pose", POSES[:3])
def test_plate_within_one_percent_of_its_path(pose: Pose) -> None:
    outline = np.array([(-30, -20), (30, -20), (30, 20), (-30, 20)], np.float32)
    found, rays = seen([Plate((10.0, 5.0, -8.0), outline, 9.0, SOLID)], pose)
    share = (5.0 - rays.source[1]) / rays.direction[..., 1]
    at = rays.source + share[..., None] * rays.direction
    reach = np.maximum(np.abs(at[..., 0] - 10.0) - 30.0, np.abs(at[..., 2] + 8.0) - 20.0)
    exact = np.where(reach < 0.0, 9.0 / np.abs(rays.direction[..., 1]), 0.0) / 10.0
    clear = np.abs(reach) > 2.0 * pose.field / 128
    assert np.abs(found.path.numpy() - exact)[clear].max() < 0.01 * exact.max()


@settings(max_examples=40, deadline=None)
@given(
    radius=st.floats(0.05, 6.0),
    x=st.floats(-20.0, 20.0),
    z=st.floats(-20.0, 20.0),
    angle=st.floats(0.0, 180.0),
    slope=st.floats(-0.6, 0.6),
)
def test_a_wire_keeps_its_mass_wherever_it_lies(
    radius: float, x: float, z: float, angle: float, slope: float
) -> None:
    half = 40.0 * np.array([np.cos(np.deg2rad(angle)), slope, np.sin(np.deg2rad(angle))])
    middle = np.array([x, 0.0, z])
    points = line(tuple(middle - half), tuple(middle + half), 9)
    found, rays = seen([Tube(points, radius, SOLID)], Pose(field=260.0), 96)
    exact = np.pi * radius**2 * 2.0 * np.linalg.norm(half)
    assert mass(found.path, rays, (x, 0.0, z)) == pytest.approx(exact, rel=0.015)
    assert float(found.water.min()) > -1e-6


@settings(max_examples=40, deadline=None)
@given(
    radius=st.floats(0.1, 12.0),
    x=st.floats(-40.0, 40.0),
    y=st.floats(-50.0, 50.0),
    z=st.floats(-40.0, 40.0),
)
def test_a_sphere_keeps_its_mass_wherever_it_lies(
    radius: float, x: float, y: float, z: float
) -> None:
    found, rays = seen([sphere((x, y, z), radius, SOLID)], Pose(field=260.0, rotation=4.0), 96)
    exact = 4.0 / 3.0 * np.pi * radius**3
    assert mass(found.path, rays, (x, y, z)) == pytest.approx(exact, rel=0.01)


def test_a_moved_wire_is_the_same_wire() -> None:
    # Pixels of 2 mm: by steps of an eighth, sums over columns stay.
    sums = []
    for x in np.arange(0.0, 2.0, 0.25):
        points = line((x, 0, -90), (x + 11, 0, 90), 40)
        found, _ = seen([Tube(points, 0.3, SOLID)], Pose(field=256.0))
        sums.append(found.path.numpy()[50:78].sum(1))
    assert np.ptp(sums) < 0.005 * np.mean(sums)


def test_a_lumen_is_empty_and_a_stripe_lies_at_the_edge() -> None:
    points = line((0, 0, -80), (0, 0, 80), 30)
    iron = Material(metal=5.0)
    tube = Tube(points, 12.0, SOLID, lumen=0.75, stripe=Stripe(iron, 0.1, 0.6))
    found, _ = seen([tube], Pose(field=256.0), 256)
    across = found.water.numpy()[120:136].mean(0)
    path = found.path.numpy()[120:136].mean(0)
    assert path[128] == pytest.approx(2.4, rel=0.01)
    assert across[128] == pytest.approx(0.25 * 2.4, rel=0.02)
    assert across.max() > 1.2 * across[128]
    metal = found.metal.numpy()[120:136].mean(0)
    off = (np.abs(metal) * (np.arange(256) - 127.5)).sum() / metal.sum()
    assert abs(off) == pytest.approx(0.6 * 12.0 * 1800 / 1650, rel=0.05)


def test_materials_add_up_by_their_own_measure() -> None:
    body = Material(water=-0.5, bone=0.4, metal=2.0)
    found, _ = seen([sphere((0.0, 0.0, 0.0), 20.0, body)], Pose(field=260.0))
    path = found.path.numpy()
    for amount, measure in ((-0.5, found.water), (0.4, found.bone), (2.0, found.metal)):
        assert measure.numpy() == pytest.approx(amount * path, abs=1e-5)


def test_shapes_move_with_the_deformation_and_keep_their_size() -> None:
    def displace(points: Floats) -> Floats:
        moved = points * np.float32(1.25)
        moved[..., 0] += 6.0 * np.sin(points[..., 2] / 40.0)
        return moved.astype(np.float32)

    rays = cast(Pose(field=260.0), 128)
    where, _ = intersections(SLABS[1], rays, displace)
    places = [(-40.0, 20.0, 35.0), (50.0, -30.0, -45.0)]
    found = project([sphere(p, 9.0, SOLID) for p in places], SLABS[1], where, rays)
    path = found.path.numpy()
    assert path.max() == pytest.approx(1.8, rel=0.02)
    for place, half in zip(places, (slice(0, 64), slice(64, 128)), strict=True):
        columns = np.argwhere(path[:, half] > 1.0) + np.array([0, half.start])
        row, column = columns.mean(0)
        slab = int(np.argmin(np.abs(SLABS[1].centres - place[1])))
        at = where[slab, round(row), round(column)].numpy()
        assert at == pytest.approx([place[0], place[2]], abs=3.0)


@pytest.mark.parametrize("pose", [POSES[0], POSES[2]])
@pytest.mark.parametrize("inwards", [-1.0, 1.0])
def test_a_fold_ends_at_its_edge_and_fades_to_its_foot(pose: Pose, inwards: float) -> None:
    edge, foot = (line((x, -20, 60), (x, -20, -60), 5) for x in (10.0, 10.0 + inwards * 40.0))
    thickness = np.full(5, 12.0, np.float32)
    found, rays = seen([Fold(edge, foot, thickness, SOLID)], pose, 256)
    row = found.path[128].numpy()
    # Where the ray of each column meets the fold's plane.
    ray = rays.direction[128].astype(float)
    x = rays.source[0] + ray[:, 0] / ray[:, 1] * (-20.0 - rays.source[1])
    share = inwards * (x - 10.0) / 40.0
    exact = np.where((share > 0) & (share < 1), 1.2 * (1.0 - share.clip(0, 1)) ** 2, 0.0)
    clear = np.abs(share) > 0.03
    assert np.abs(row - exact)[clear].max() < 0.012
    assert row[(share > 0.02) & (share < 0.06)].min() > 1.0
    assert found.water.numpy() == pytest.approx(found.path.numpy(), abs=1e-5)
    # Its mass: a third of thickness times width, as long as it is.
    assert mass(found.path, rays, (10.0, -20.0, 0.0)) == pytest.approx(12 * 40 * 120 / 3, rel=0.03)


def test_places_off_the_film_do_no_harm() -> None:
    shapes: list[Shape] = [
        sphere((400.0, 0.0, 0.0), 10.0, SOLID),
        Tube(line((0, 0, 0), (0, 0, 400), 60), 3.0, SOLID),
        Plate((-300.0, 0.0, 90.0), np.eye(3, 2, dtype=np.float32) * 9, 2.0, SOLID),
        Ellipsoid((0.0, 0.0, -500.0), (5.0, 9.0, 3.0), SOLID, turn=20.0),
    ]
    found, _ = seen(shapes, Pose(field=260.0))
    path = found.path.numpy()
    assert np.isfinite(path).all()
    assert path[:60].max() > 0.3
    assert path[70:].max() == 0.0


def test_without_shapes_nothing_is_added() -> None:
    found, _ = seen([], Pose())
    assert all(float(part.abs().max()) == 0.0 for part in found)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_the_same_on_a_gpu() -> None:
    shapes: list[Shape] = [
        sphere((20.0, 0.0, 30.0), 9.0, SOLID),
        Tube(line((-50, 20, -60), (60, -20, 70), 40), 2.5, SOLID, lumen=0.7),
        Plate((-30.0, 10.0, 30.0), 20 * np.eye(3, 2, dtype=np.float32), 2.0, SOLID),
    ]
    rays = cast(Pose(field=260.0), 128)
    where, _ = intersections(SLABS[1], rays)
    here = project(shapes, SLABS[1], where, rays)
    there = project(shapes, SLABS[1], where.cuda(), rays)
    for a, b in zip(here, there, strict=True):
        assert b.is_cuda
        assert a.numpy() == pytest.approx(b.cpu().numpy(), abs=1e-4)
