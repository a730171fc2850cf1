"""Shoulder blades that the arms turn over the lungs or out of them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import pairwise

import pytest
import torch

from syncxr.images.simulation.anatomy import Deformation, Patient
from syncxr.images.simulation.body import load_body
from syncxr.images.simulation.ct import load_thorax
from syncxr.images.simulation.film.beam import Matter
from syncxr.images.simulation.frame import Crossings, cross
from syncxr.images.simulation.girdle import scapulae_of, turned_blades
from syncxr.images.simulation.organs import organs_of
from syncxr.images.simulation.projection import cast, column_of
from syncxr.images.simulation.scene import Scene
from syncxr.images.simulation.thorax import LUNGS

SIZE, BODY_MM = 96, 2.0
POSE = replace(Scene.sample(3, "train", {"PA": 1.0}).pose, field=420.0)


def crossed(patient: Patient) -> Crossings:
    body = load_body(BODY_MM)
    deformation = Deformation.of(patient, body.marks, partial(column_of, POSE))
    return cross(body.slabs, cast(POSE, SIZE), deformation)


def change(patient: Patient) -> Matter:
    """What the arms add."""
    found = crossed(patient)
    return turned_blades(patient, found.where, found.lengths, BODY_MM)


def test_the_blade_is_bone_of_its_own() -> None:
    thorax = load_thorax(BODY_MM)
    blade = scapulae_of(thorax, load_body(BODY_MM).marks)
    x = thorax.axis("x")
    for side in (x > 0, x < 0):
        volume = float(blade[..., side].sum()) * BODY_MM**3 / 1000.0
        # A scapula with its marrow has 40 to 90 cm³.
        assert 25.0 < volume < 110.0
    assert not (blade & thorax.mask(*LUNGS)).any()
    assert not blade[..., abs(x) < 50.0].any()


@pytest.mark.parametrize("degrees", [-4.0, 9.0, 28.0])
def test_turning_moves_bone_and_makes_none(degrees: float) -> None:
    moved = change(Patient(scapulae=degrees)).bone
    assert abs(float(moved.sum())) < 0.03 * float(moved.abs().sum())
    assert float(moved.abs().sum()) > 20.0


def test_nothing_happens_at_rest() -> None:
    assert not change(Patient()).bone.any()


def test_the_farther_inwards_the_more_of_it_lies_over_the_lungs() -> None:
    scene = replace(Scene.sample(3, "train", {"PA": 1.0}), pose=POSE)
    organs = organs_of(scene, Patient(), SIZE, BODY_MM)
    lungs = [torch.from_numpy(lung > 1.0) for lung in (organs.left, organs.right)]
    over = [
        [float(change(Patient(scapulae=d)).bone[lung].sum()) for lung in lungs]
        for d in (-4.0, 8.0, 16.0, 26.0)
    ]
    for one, more in pairwise(over):
        assert more[0] > one[0] and more[1] > one[1]
    # Both sides alike.
    assert over[-1][0] == pytest.approx(over[-1][1], rel=0.6)


def test_muscle_takes_the_place_of_bone() -> None:
    moved = change(Patient(scapulae=20.0, bone_density=0.8))
    torch.testing.assert_close(moved.water, -1.04 / 0.8 * moved.bone)


@pytest.mark.parametrize(("view", "low", "high"), [("PA", -4.0, 10.0), ("AP", 6.0, 28.0)])
def test_arms_follow_the_view_and_the_far_end_is_held_out(
    view: str, low: float, high: float
) -> None:
    shares: dict[str, list[float]] = {}
    for population in ("train", "held_out"):
        scenes = [Scene.sample(s, population, {view: 1.0}, view) for s in range(60)]  # type: ignore[arg-type, dict-item]
        shares[population] = [(s.patient.scapulae - low) / (high - low) for s in scenes]
    assert min(shares["train"]) >= 0.0 and max(shares["train"]) <= 0.8
    assert 0.8 < max(shares["held_out"]) <= 1.0


def test_a_lateral_film_has_the_arms_raised() -> None:
    assert Scene.sample(1, "train", {"PA": 1.0}, "lateral").patient.scapulae == 0.0
