"""The body as a view sees it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from syncxr.images.simulation.anatomy import Deformation, Patient, sample_patient
from syncxr.images.simulation.body import load_body
from syncxr.images.simulation.frame import cross, frame_of
from syncxr.images.simulation.projection import Pose, Rays, Slabs, cast, integrate
from syncxr.images.simulation.thorax import Floats

CENTRE, RADIUS = np.array([24.0, 30.0, -12.0], np.float32), 46.0
SLAB, CELL, SIZE = 8.0, 2.0, 40
ACROSS = np.arange(-90.0, 91.0, CELL, dtype=np.float32)
ALONG = np.arange(-92.0, 93.0, SLAB, dtype=np.float32)


def ball(points: Floats) -> Floats:
    """Whether points (..., 3) of the source body lie within it."""
    return (np.linalg.norm(points - CENTRE, axis=-1) < RADIUS).astype(np.float32)


def rod(points: Floats) -> Floats:
    """The same of a cylinder along the body."""
    off = np.linalg.norm((points - CENTRE)[..., :2], axis=-1)
    return ((off < 0.6 * RADIUS) & (np.abs(points[..., 2] - CENTRE[2]) < 70.0)).astype(np.float32)


def slab_paths(solid: object, axis: int, rays: Rays, deformation: Deformation) -> Floats:
    """Paths as films are made, cm."""
    fine = (np.arange(8) + 0.5) / 8 * SLAB - SLAB / 2
    cells = np.zeros((len(ALONG), len(ACROSS), len(ACROSS)), np.float32)
    z, across = np.meshgrid(ACROSS, ACROSS, indexing="ij")
    for index, middle in enumerate(ALONG):
        for offset in fine:
            deep = np.full_like(z, middle + offset)
            points = np.stack([across, deep, z] if axis == 1 else [deep, across, z], -1)
            cells[index] += solid(points) / len(fine)  # type: ignore[operator]
    crossed = cross(Slabs(axis, ALONG, SLAB, ACROSS, ACROSS), rays, deformation)
    channels = torch.from_numpy(cells[:, None])
    found: Floats = integrate(crossed.slabs, channels, crossed.where, crossed.lengths)[0].numpy()
    return found


def marched_paths(solid: object, rays: Rays, deformation: Deformation, gap: float) -> Floats:
    """The slow way: where does each step of each ray come from? cm."""
    step = 1.0
    paths = np.zeros(rays.direction.shape[:2], np.float32)
    for far in np.arange(gap - 170.0, gap + 170.0, step, dtype=np.float32):
        source = deformation(rays.source + far * rays.direction)
        paths += solid(source) * step / 10.0  # type: ignore[operator]
    return paths


@pytest.mark.parametrize("solid", [ball, rod])
@pytest.mark.parametrize(
    ("view", "mirrored"),
    [("PA", False), ("AP", False), ("AP", True), ("lateral", False), ("lateral", True)],
)
def test_paths_in_a_patient_are_those_of_small_steps(
    solid: object, view: str, mirrored: bool
) -> None:
    marks = load_body(4.0).marks
    drawn = sample_patient(np.random.default_rng(5), "held_out")
    if view == "lateral":
        # What bends the body along the beam is left out; from the side that is much.
        drawn = Patient(heart_ratio=marks.heart_width / marks.thorax_width, left_dome=9.0)
        marks = replace(marks, heart_edge=marks.heart_edge[:0])
    patient = replace(drawn, size=0.92, depth=1.15, breadth=0.82, kyphosis=0.0, mirrored=mirrored)
    pose = Pose(view=view, rotation=3.0, tilt=4.0, distance=1000.0, gap=150.0, field=230.0)
    rays = cast(pose, SIZE)
    deformation = Deformation.of(patient, marks)
    found = slab_paths(solid, 0 if view == "lateral" else 1, rays, deformation)
    exact = marched_paths(solid, rays, deformation, pose.distance - pose.gap)
    inner = exact > 0.5 * exact.max()
    assert found[inner].sum() / exact[inner].sum() == pytest.approx(1.0, abs=0.01)
    assert np.median(np.abs(found - exact)[inner]) < 0.01 * exact.max()


@pytest.mark.parametrize("axis", [0, 1])
def test_a_patient_is_as_long_along_the_beam_as_his_scales_say(axis: int) -> None:
    patient = Patient(size=0.9, depth=1.1, breadth=0.81)
    rays = cast(Pose(view="lateral" if axis == 0 else "PA"), 16)
    slabs = Slabs(axis, ALONG, SLAB, ACROSS, ACROSS)
    long = cross(slabs, rays, Deformation.of(patient, load_body(4.0).marks)).lengths
    plain = cross(slabs, rays, Deformation.of(Patient(), load_body(4.0).marks)).lengths
    expected = 0.9 * (1.1 if axis == 1 else 0.9)
    torch.testing.assert_close(long, plain * expected)


def test_arms_that_hang_beside_the_chest_are_left_out_of_lateral_views() -> None:
    body = load_body(2.0).fresh(Patient())
    beside = np.abs(body.slabs.columns) > body.marks.half_width + 40.0
    assert body.bone[..., beside].max() > 0.5
    frame, water, bone = frame_of(body, 2.0, lateral=True)
    outside = np.abs(frame.slabs.centres) > body.marks.half_width + 30.0
    assert outside.any()
    assert not water[outside].any()
    assert not bone[outside].any()
    assert water[~outside].max() > 0.5
