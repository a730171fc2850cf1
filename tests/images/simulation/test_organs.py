"""Outlines of organs on simulated films."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from syncxr.images.simulation.anatomy import Deformation
from syncxr.images.simulation.body import load_body
from syncxr.images.simulation.organs import SHADOW_CM, on_film, organs_of
from syncxr.images.simulation.projection import column_of
from syncxr.images.simulation.scene import Scene, View

SIZE = 96
BODY_MM = 2.0


def scene(seed: int, view: View = "PA") -> Scene:
    return Scene.sample(seed, "train", {"PA": 1.0}, view)


@pytest.mark.parametrize("view", ["PA", "AP"])
def test_lung_fields_lie_on_their_sides_and_leave_the_heart_out(view: View) -> None:
    taken = scene(3, view)
    organs = organs_of(taken, taken.patient, SIZE, BODY_MM)
    left, right = organs.lung_fields
    # The patient's left is on the right of the film.
    assert np.argwhere(left)[:, 1].mean() > np.argwhere(right)[:, 1].mean() + SIZE / 5
    assert not ((left | right) & (organs.heart > SHADOW_CM)).any()
    assert not (left & right).any()


@pytest.mark.parametrize("seed", range(4))
def test_lung_fields_end_at_the_dome(seed: int) -> None:
    taken = scene(seed)
    organs = organs_of(taken, taken.patient, SIZE, BODY_MM)
    for field, lung in zip(organs.lung_fields, (organs.left, organs.right), strict=True):
        shadow = lung > SHADOW_CM
        assert 0.5 < field.sum() / shadow.sum() < 0.95
        # The recess behind the dome reaches lower than any lung field in the middle of the lung.
        column = round(float(np.argwhere(field)[:, 1].mean()))
        lowest = [np.flatnonzero(mask[:, column])[-1] for mask in (field, shadow)]
        assert lowest[0] < lowest[1] - 2


def test_a_mirrored_patient_has_the_left_lung_on_the_other_side() -> None:
    taken = scene(5)
    organs = organs_of(taken, replace(taken.patient, mirrored=True), SIZE, BODY_MM)
    columns = np.arange(SIZE)
    # His left lung, which the source's right one became, still lies on the right of the film.
    middles = [(lung.sum(0) * columns).sum() / lung.sum() for lung in (organs.left, organs.right)]
    assert middles[0] > middles[1]


@pytest.mark.parametrize("view", ["PA", "AP"])
def test_places_fall_where_the_projection_says(view: View) -> None:
    taken = scene(7, view)
    body = load_body(BODY_MM)
    places = np.concatenate([body.courses.trachea, body.courses.descending])
    found = on_film(taken, taken.patient, places, SIZE, BODY_MM)
    column = partial(column_of, taken.pose)
    points = Deformation.of(taken.patient, body.marks, column).inverse(places)
    pixels = (column(points) / taken.pose.field + 0.5) * SIZE - 0.5
    np.testing.assert_allclose(found[:, 1], pixels, atol=0.05)
    # Downwards in the body is downwards on the film.
    assert (np.diff(found[: len(body.courses.trachea), 0]) > 0).all()


def test_a_lateral_film_is_refused() -> None:
    taken = scene(1, "lateral")
    with pytest.raises(ValueError, match="frontal"):
        organs_of(taken, taken.patient, SIZE, BODY_MM)
