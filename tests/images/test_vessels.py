"""Vessel trees: shape, place, and what they add to a film."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from syncxr.images.simulation.anatomy import Deformation, Patient, sample_patient
from syncxr.images.simulation.body import load_body
from syncxr.images.simulation.ct import load_thorax
from syncxr.images.simulation.projection import Pose, cast, column_of, intersections
from syncxr.images.simulation.thorax import LUNGS
from syncxr.images.simulation.vessels import tree
from syncxr.images.simulation.vessels.projecting import Seen, lay


def film(patient: Patient, size: int = 112, fluid: float = 0.0) -> torch.Tensor:
    """Mass of the patient's vessels, g/cm²; ``fluid``: share of the lungs filled."""
    body = load_body(2.0).fresh(patient)
    for lung in body.lungs.values():
        body.water += fluid * lung * (1.0 - body.water)
    pose = Pose()
    rays = cast(pose, size)
    deformation = Deformation.of(patient, body.marks, partial(column_of, pose))
    where, _ = intersections(body.slabs, rays, deformation)
    laid = lay(2.0, patient.vessels)
    return Seen.of(laid, body.slabs, where, rays, pose.field / size).project(body)


def test_tree_fills_the_lungs_and_follows_murray() -> None:
    thorax = load_thorax(2.0)
    grown = tree.grow(thorax, load_body(2.0).marks, 0)
    index = np.rint((grown.points - np.array(thorax.origin)) / thorax.spacing).astype(int)
    inside = thorax.mask(*LUNGS)[index[:, 1], index[:, 2], index[:, 0]]
    assert inside.mean() > 0.9
    assert grown.radii.min() > 0.3 and grown.radii.max() <= 2.001
    # Some 100 ml of blood are in the vessels of both lungs that are thin enough to be grown.
    volume = float((np.pi * grown.radii**2 * grown.lengths).sum()) / 1000.0
    assert 10.0 < volume < 120.0
    parents = np.array([0, 0, 1, 1, 2])
    radii = tree._radii(parents)
    ends = tree._END_RADIUS**3
    # Node 1 carries itself, 2, 3 and 4.
    assert radii[1] ** 3 == pytest.approx(4 * ends)
    assert radii[2] ** 3 == pytest.approx(2 * ends)


def test_variants_differ_and_populations_share_none() -> None:
    one, other = film(Patient(vessels=0)), film(Patient(vessels=1))
    assert np.corrcoef(one.flatten(), other.flatten())[0, 1] < 0.9
    for population, allowed in (("train", range(9)), ("held_out", range(9, 12))):
        drawn = {
            sample_patient(np.random.default_rng(s), population).vessels  # type: ignore[arg-type]
            for s in range(60)
        }
        assert drawn == set(allowed)


def test_mass_is_kept_whatever_the_pixel() -> None:
    coarse, fine = film(Patient(), 112), film(Patient(), 224)
    assert float(fine.sum()) / 4 == pytest.approx(float(coarse.sum()), rel=0.02)


def test_vessels_drown_in_fluid() -> None:
    clear, filled = film(Patient()), film(Patient(), fluid=1.0)
    assert float(filled.sum()) < 0.15 * float(clear.sum())


def test_vessels_move_with_the_patient() -> None:
    """A body twice mirrored is itself; once mirrored its vessels are on the other side."""
    plain, mirrored = film(Patient()), film(replace(Patient(), mirrored=True))
    flipped = mirrored.flip(1)
    assert np.corrcoef(plain.flatten(), flipped.flatten())[0, 1] > 0.95


def test_what_a_finding_does_to_vessels_is_its_own() -> None:
    """Taken off again, drowned and thinned vessels are back."""
    patient = Patient()
    clear, body = load_body(2.0).fresh(patient), load_body(2.0).fresh(patient)
    water = (0.8 * body.lungs["left"]).astype(np.float32)
    perfusion = 1.0 + 0.5 * body.lungs["right"]
    body.water += water
    body.perfusion = perfusion.copy()
    pose = Pose()
    rays = cast(pose, 112)
    deformation = Deformation.of(patient, body.marks, partial(column_of, pose))
    where, _ = intersections(body.slabs, rays, deformation)
    seen = Seen.of(lay(2.0, 0), body.slabs, where, rays, pose.field / 112)
    whole, without = seen.project(body), seen.project(clear)
    change = seen.change(body, water, perfusion)
    assert change is not None
    assert float(change.min()) < -0.01 and float(change.max()) > 0.01
    assert float((whole - change - without).abs().max()) < 1e-4
    assert seen.change(body, None, None) is None
    assert seen.change(body, np.zeros_like(water), None) is None
