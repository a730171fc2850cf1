"""Cavities, scars, airways, miliary nodules: what each is made of."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import ndimage

from syncxr.images.renderer import RenderRequest
from syncxr.images.simulation.anatomy import Patient
from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings import Change
from syncxr.images.simulation.renderer import SimulationRenderer

Insert = Callable[..., tuple[Change, Body]]


def test_a_cavity_holds_air_within_a_wall(insert: Insert) -> None:
    change, body = insert("cavity", "left upper zone", "severe", seed=2)
    [found] = change.parameters["placed"]["left"]
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
    assert insert("abscess", "right", "severe")[0].parameters["placed"]["right"][0]["level"]
    denied = frozenset({"air-fluid level"})
    dry = insert("abscess", "right", "severe", denied=denied)[0]
    assert not dry.parameters["placed"]["right"][0]["level"]


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


def counted(change: Change, normal: Body) -> dict[str, int]:
    """Pieces that a frontal view shows on each side."""
    assert change.extent is not None
    found = {}
    for side in ("left", "right"):
        path = 0.1 * normal.slabs.thickness * (change.extent * normal.lungs[side]).sum(0)
        pieces, count = ndimage.label(path > change.least_path)
        found[side] = int((np.bincount(pieces.ravel())[1:] > 20).sum()) if count else 0
    return found


@pytest.mark.parametrize("concept", ["mass", "cavity", "bulla"])
@pytest.mark.parametrize(
    ("location", "count", "expected"),
    [
        ("right", 1, {"left": 0, "right": 1}),
        ("right", 2, {"left": 0, "right": 2}),
        ("left", 3, {"left": 3, "right": 0}),
        ("bilateral", 3, {"left": 2, "right": 1}),
    ],
)
def test_there_are_as_many_as_the_words_say(
    concept: str,
    location: str,
    count: int,
    expected: dict[str, int],
    insert: Insert,
    normal: Body,
) -> None:
    body = normal.fresh(Patient())
    body.count = count
    change, _ = insert(concept, location, "mild", seed=6, body=body)
    assert counted(change, normal) == expected


def test_all_of_them_are_what_the_words_count(insert: Insert, normal: Body) -> None:
    for count, expected in ((2, (1, 1)), (3, (2, 1)), (5, (3, 2)), (None, (1, 1))):
        body = normal.fresh(Patient())
        body.count = count
        placed = insert("nodule", "bilateral", "mild", body=body)[0].parameters["placed"]
        assert (len(placed["left"]), len(placed["right"])) == expected
        bands = insert("atelectasis", "bilateral", "mild", body=body)[0].parameters["bands"]
        assert (len(bands["left"]), len(bands["right"])) == expected
    body.count = 3
    nodes = insert("calcified lymph node", "bilateral", body=body)[0].parameters["nodes_mm"]
    assert len(nodes) == 3


def test_three_masses_in_words_are_three_on_the_film(small: SimulationRenderer) -> None:
    study = small.study(RenderRequest("Three small masses in the right lung.", 12))
    [mask] = study.film.masks.values()
    assert ndimage.label(mask)[1] == 3


def test_a_film_that_denies_calcium_has_no_calcified_scars(insert: Insert) -> None:
    shapes = insert("fibronodular change", "right apex", "severe")[0].shapes
    assert any(spot.material.bone > 0 for spot in shapes)
    denied = frozenset({"calcification"})
    bare = insert("fibronodular change", "right apex", "severe", denied=denied)[0].shapes
    assert not any(spot.material.bone > 0 for spot in bare)


@pytest.mark.parametrize("concept", ["scarring", "fibronodular change", "pulmonary fibrosis"])
def test_all_that_changes_lies_in_the_extent(concept: str, insert: Insert, normal: Body) -> None:
    change, body = insert(concept, "right lower zone", "severe", seed=3)
    assert change.extent is not None
    changed = np.abs(body.water - normal.water) > 1e-4
    assert changed.any()
    assert (change.extent[changed] > 0).all()
