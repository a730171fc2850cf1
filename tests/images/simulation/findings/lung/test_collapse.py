"""A lobe without air: smaller, denser, with everything drawn towards it."""

from collections.abc import Callable

import pytest

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings import Change

Insert = Callable[..., tuple[Change, Body]]


@pytest.mark.parametrize(
    "lobe",
    [
        "right upper lobe",
        "right middle lobe",
        "right lower lobe",
        "left upper lobe",
        "left lower lobe",
    ],
)
def test_volume_goes_as_density_comes(insert: Insert, normal: Body, lobe: str) -> None:
    volumes, densities = [], []
    for severity in ("mild", "moderate", "severe"):
        change, body = insert("lobar collapse", lobe, severity)
        volumes.append(float(change.extent.sum()))
        densities.append(float(body.water[change.extent > 0.95].mean()))
    whole = normal.lobes[
        next(key for key in normal.lobes if key.name.lower().replace("_", " ") == lobe)
    ]
    assert whole.sum() > volumes[0] > volumes[1] > volumes[2] > 0
    assert densities == sorted(densities)
    assert densities[2] > 0.85


def test_mediastinum_and_diaphragm_follow(insert: Insert) -> None:
    left = insert("lobar collapse", "left lower lobe", "severe")[0].patient
    right = insert("lobar collapse", "right lower lobe", "severe")[0].patient
    assert left["shift"] > 3.0
    assert left["left_dome"] > 8.0
    assert right["shift"] < -3.0
    assert right["right_dome"] > 8.0
    upper = insert("lobar collapse", "right upper lobe", "severe")[0].patient
    assert upper["upper_shift"] < -4.0


def test_nothing_that_is_denied_moves(insert: Insert) -> None:
    lobe = "left lower lobe"
    still = insert("lobar collapse", lobe, "severe", denied=frozenset({"volume loss"}))[0]
    assert not still.patient
    upright = insert("lobar collapse", lobe, "severe", denied=frozenset({"mediastinal shift"}))[0]
    assert set(upright.patient) == {"left_dome"}
