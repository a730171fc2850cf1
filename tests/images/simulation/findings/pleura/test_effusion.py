"""Fluid that lies level, climbs the wall, and brings nothing that is denied."""

from collections.abc import Callable

import numpy as np
import pytest

from syncxr.images.simulation.anatomy import Deformation, Patient
from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings import Change
from syncxr.images.simulation.findings.finding import Words
from syncxr.images.simulation.findings.lungs import affected
from syncxr.images.simulation.findings.pleura.effusion import COMPRESSION
from syncxr.images.simulation.findings.pleura.level import level_surface

Insert = Callable[..., tuple[Change, Body]]


@pytest.mark.parametrize(("dome", "mirrored"), [(-35.0, False), (10.0, False), (10.0, True)])
def test_what_is_level_in_the_patient_is_found_in_the_source(
    normal: Body, dome: float, mirrored: bool
) -> None:
    patient = Patient(right_dome=dome, breadth=0.9, size=0.95, mirrored=mirrored)
    body = normal.fresh(patient)
    [lung] = affected(body, Words(("right",), "", "", ""), np.random.default_rng(1))
    surface = level_surface(lung, -30.0, patient)
    deformation = Deformation.of(patient, body.marks)
    # Go back to the patient from a few columns of the surface.
    k, c = np.meshgrid(np.arange(6, 18, 4), np.arange(10, 50, 8), indexing="ij")
    source = np.stack([lung.x[0, 0, c], lung.y[k, 0, 0], surface[k, 0, c]], axis=-1).astype(
        np.float32
    )
    points = deformation.inverse(source)
    assert np.ptp(points[..., 2]) < 2.5
    assert np.ptp(surface[:, 0]) > 5.0


def test_the_meniscus_climbs_the_lateral_wall(insert: Insert, normal: Body) -> None:
    change, _ = insert("pleural effusion", "right", "moderate")
    heights = []
    for low, high in ((-118.0, -104.0), (-70.0, -50.0)):
        columns = (normal.slabs.columns > low) & (normal.slabs.columns < high)
        rows = np.flatnonzero((change.extent[..., columns] > 0.5).any((0, 2)))
        inner = np.flatnonzero((change.extent[8:16][..., columns] > 0.5).any((0, 2)))
        heights.append(float(normal.slabs.rows[inner[-1] if len(inner) else rows[-1]]))
    assert heights[0] > heights[1] + 8.0


@pytest.mark.parametrize("denied", COMPRESSION)
def test_lung_is_compressed_unless_that_is_denied(
    insert: Insert, normal: Body, denied: str
) -> None:
    wet, floating = insert("pleural effusion", "left", "moderate")
    dry, bare = insert("pleural effusion", "left", "moderate", denied=frozenset({denied}))
    assert wet.parameters["levels"]["left"]["passive_atelectasis"]
    assert not dry.parameters["levels"]["left"]["passive_atelectasis"]
    lost = floating.water - bare.water
    assert lost.sum() > 10.0
    # What it brings along belongs to its mask.
    for change, body in ((wet, floating), (dry, bare)):
        assert abs(((body.water - normal.water) * (change.extent == 0)).sum()) < 1e-3


def test_a_large_one_pushes_the_mediastinum_away(insert: Insert) -> None:
    for side, sign in (("left", -1.0), ("right", 1.0)):
        change, _ = insert("pleural effusion", side, "severe")
        assert sign * change.patient["shift"] >= 3.0
        assert "mass_effect" in change.parameters
    denied = frozenset({"mediastinal shift"})
    assert not insert("pleural effusion", "left", "severe", denied=denied)[0].patient
    assert not insert("pleural effusion", "left", "mild")[0].patient


def test_blunting_is_less_than_a_small_effusion(insert: Insert) -> None:
    small = insert("pleural effusion", "left", "mild")[0].extent.sum()
    assert insert("costophrenic angle blunting", "left", "severe")[0].extent.sum() < 0.8 * small
