"""Cavities, scars, airways, miliary nodules: what each is made of."""

from collections.abc import Callable

import numpy as np

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings import Change

Insert = Callable[..., tuple[Change, Body]]


def test_a_cavity_holds_air_within_a_wall(insert: Insert) -> None:
    change, body = insert("cavity", "left upper zone", "severe", seed=2)
    found = change.parameters["placed"]["left"]
    centre = found["centre_mm"]
    slabs = body.slabs
    k, r, c = (
        int(np.argmin(np.abs(axis - at)))
        for axis, at in zip(
            (slabs.centres, slabs.rows, slabs.columns),
            (centre[1], centre[2], centre[0]),
            strict=True,
        )
    )
    row = body.water[k, r + 2]
    assert row[c - 2 : c + 3].max() < 0.1
    reach = round(1.3 * found["radius_mm"] / (slabs.columns[1] - slabs.columns[0]))
    assert row[c - reach : c].max() > 0.8
    assert row[c : c + reach].max() > 0.8


def test_an_abscess_has_a_level_unless_that_is_denied(insert: Insert) -> None:
    assert insert("abscess", "right", "severe")[0].parameters["placed"]["right"]["level"]
    denied = frozenset({"air-fluid level"})
    dry = insert("abscess", "right", "severe", denied=denied)[0]
    assert not dry.parameters["placed"]["right"]["level"]


def test_miliary_nodules_are_many_and_small(insert: Insert, normal: Body) -> None:
    change, body = insert("miliary pattern", "", "severe")
    counts = change.parameters["count"]
    assert min(counts.values()) > 800
    assert change.parameters["radius_mm"] <= 1.5
    cell = normal.slabs.thickness * 4.0
    volume = float(change.extent.sum()) * cell
    one = 4.0 / 3.0 * np.pi * change.parameters["radius_mm"] ** 3
    assert 0.7 < volume / (sum(counts.values()) * one) < 1.3
    assert body.water.max() <= normal.water.max() + 0.01


def test_airways_are_walls_and_not_rods(insert: Insert) -> None:
    change, _ = insert("bronchiectasis", "left lower zone", "moderate")
    rings = [tube for tube in change.shapes if len(tube.points) == 17]
    lines = [tube for tube in change.shapes if len(tube.points) != 17]
    assert rings
    assert len(lines) % 2 == 0
    for one, other in zip(lines[::2], lines[1::2], strict=True):
        apart = np.linalg.norm(one.points - other.points, axis=1)
        assert apart.std() < 0.1
        assert 5.0 < apart.mean() < 11.5


def test_bands_are_as_many_as_the_words_say(insert: Insert, normal: Body) -> None:
    from syncxr.images.simulation.anatomy import Patient

    body = normal.fresh(Patient())
    body.count = 4
    change, _ = insert("atelectasis", "right", "mild", body=body)
    assert len(change.parameters["bands"]["right"]) == 4


def test_a_film_that_denies_calcium_has_no_calcified_scars(insert: Insert) -> None:
    shapes = insert("fibronodular change", "right apex", "severe")[0].shapes
    assert any(spot.material.bone > 0 for spot in shapes)
    denied = frozenset({"calcification"})
    bare = insert("fibronodular change", "right apex", "severe", denied=denied)[0].shapes
    assert not any(spot.material.bone > 0 for spot in bare)
