"""What lines the chest wall: lenses, peels, caps, plaques."""

from collections.abc import Callable

import numpy as np
import pytest

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings import Change

Insert = Callable[..., tuple[Change, Body]]


@pytest.mark.parametrize("side", ["left", "right"])
def test_loculated_fluid_lies_against_the_wall(insert: Insert, normal: Body, side: str) -> None:
    change, _ = insert("loculated effusion", side, "moderate")
    lens = change.parameters["lenses"][side]
    assert normal.wall[change.extent > 0.5].max() <= 1.3 * lens["thickness_mm"]
    heights = normal.slabs.rows[np.flatnonzero(change.extent.sum((0, 2)) > 0.5)]
    assert np.ptp(heights) < 2.4 * lens["half_height_mm"]


def test_a_cap_lies_over_the_apex(insert: Insert, normal: Body) -> None:
    change, _ = insert("pleural thickening", "bilateral apex", "moderate")
    weight = change.extent.sum((0, 2))
    assert (weight * normal.slabs.rows).sum() / weight.sum() > normal.marks.apex - 45.0


def test_a_peel_leaves_the_angle_open_where_fluid_is_denied(insert: Insert, normal: Body) -> None:
    low = (normal.slabs.rows < normal.marks.dome)[None, :, None]
    change, _ = insert("pleural thickening", "left base", "severe")
    assert (change.extent * low).sum() > 20.0
    denied = frozenset({"pleural effusion"})
    change, _ = insert("pleural thickening", "left base", "severe", denied=denied)
    assert (change.extent * low).sum() < 1.0


def test_plaques_hold_calcium_and_spare_the_apex(insert: Insert, normal: Body) -> None:
    change, body = insert("pleural plaque", "right", "severe")
    calcium = body.bone - normal.bone
    assert calcium.max() > 0.1
    assert calcium.min() >= 0.0
    assert not calcium[:, normal.slabs.rows > normal.marks.apex - 30.0].any()
    places = {plaque["at"] for plaque in change.parameters["plaques"]["right"]}
    assert places == {"diaphragm", "lateral wall", "front wall"}
    assert len(change.shapes) == 1
