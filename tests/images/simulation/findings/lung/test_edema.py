"""Fluid about the hila, septal lines at the bases."""

from collections.abc import Callable

import numpy as np

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings import Change

Insert = Callable[..., tuple[Change, Body]]


def test_it_fades_from_the_hilum(insert: Insert, normal: Body) -> None:
    change, _ = insert("pulmonary edema", "", "severe")
    lung = normal.lungs["right"] > 0.99
    inner, outer = lung & (normal.wall > 45.0), lung & (normal.wall < 12.0)
    assert change.extent[inner].mean() > 3.0 * change.extent[outer].mean()


def test_septal_lines_are_short_level_and_at_the_wall(insert: Insert, normal: Body) -> None:
    change, _ = insert("pulmonary edema", "", "moderate")
    lines = [np.asarray(tube.points) for tube in change.shapes if len(tube.points) == 4]
    assert len(lines) >= 8
    for line in lines:
        length, rise = abs(line[-1, 0] - line[0, 0]), abs(line[-1, 2] - line[0, 2])
        assert 8.0 < length < 20.0
        assert rise < 0.2 * length
        assert abs(line[0, 0]) > 70.0


def test_what_is_denied_is_left_out(insert: Insert) -> None:
    change, _ = insert("pulmonary edema", "", "severe")
    wet = change.extent.max()
    denied = frozenset({"consolidation", "bronchial wall thickening"})
    dry, _ = insert("pulmonary edema", "", "severe", denied=denied)
    assert dry.extent.max() < 0.75 < wet
    assert len(dry.shapes) < len(change.shapes)


def test_congestion_has_no_septal_lines(insert: Insert) -> None:
    change, _ = insert("pulmonary congestion", "", "severe")
    assert not [tube for tube in change.shapes if len(tube.points) == 4]
