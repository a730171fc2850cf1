"""Curves through the source body that devices and fractures follow."""

import numpy as np
import pytest

from syncxr.images.simulation.body import Body, load_body
from syncxr.images.simulation.courses.curve import even
from syncxr.images.simulation.findings.curves import at_height, between, through


@pytest.fixture(scope="module")
def body() -> Body:
    return load_body(2.0)


def test_airway_and_gullet_lie_as_they_do(body: Body) -> None:
    courses = body.courses
    carina = courses.trachea[-1]
    assert courses.trachea[0, 2] > carina[2] + 60.0
    assert np.abs(carina - body.marks.carina).max() < 12.0
    assert courses.bronchi["left"][-1, 0] > carina[0] + 10.0
    assert courses.bronchi["right"][-1, 0] < carina[0]
    # The gullet runs behind the trachea and ends left of it, below the diaphragm's dome.
    assert at_height(courses.oesophagus, float(carina[2]) + 30.0)[1] < carina[1] + 25.0
    assert courses.oesophagus[-1, 0] > carina[0] + 15.0
    assert courses.stomach[2] < body.marks.dome


def test_vessels_lie_on_their_sides(body: Body) -> None:
    courses = body.courses
    assert (courses.vena_cava[:, 0] < courses.trachea[-1, 0] - 5.0).all()
    assert courses.brachiocephalic[0, 0] > courses.brachiocephalic[-1, 0] + 20.0
    assert courses.descending[:, 1].mean() < courses.ascending[:, 1].mean() - 30.0
    assert courses.arch[:, 2].max() > max(courses.ascending[-1, 2], courses.descending[0, 2])


def test_ribs_run_from_the_spine_to_the_front(body: Body) -> None:
    courses = body.courses
    assert len(courses.ribs) >= 22
    for side, sign in (("left", 1.0), ("right", -1.0)):
        for number in range(3, 9):
            rib = courses.ribs[f"{side} {number}"]
            assert (sign * rib[:, 0] > 0.0).all()
            assert abs(rib[0, 0]) < 65.0
            assert rib[-1, 1] > rib[0, 1] + 60.0
            assert rib[-1, 2] < rib[0, 2]
        clavicle = courses.clavicles[side]
        assert abs(clavicle[-1, 0]) > abs(clavicle[0, 0]) + 40.0


def test_bodies_are_in_order(body: Body) -> None:
    names = [f"T{n}" for n in range(3, 13)]
    heights = [body.courses.vertebrae[name][2] for name in names]
    assert (np.diff(heights) < -10.0).all()
    for name in names:
        width, depth, height = body.courses.vertebra_size[name]
        assert 18.0 < width < 45.0
        assert 10.0 < depth < 40.0
        assert 12.0 < height < 32.0


def test_skin_is_in_front_of_and_behind_the_lungs(body: Body) -> None:
    assert body.courses.skin(60.0, 20.0) > body.marks.front - 5.0
    assert body.courses.skin(60.0, 20.0, front=False) < body.marks.back + 5.0
    assert np.isfinite(body.courses.skin(500.0, 20.0))


def test_even_curves() -> None:
    bent = np.array([(0, 0, 0), (0, 0, 30), (40, 0, 30)], float)
    curve = even(bent, 5.0)
    steps = np.linalg.norm(np.diff(curve, axis=0), axis=1)
    assert steps.max() < 5.1
    assert curve[0] == pytest.approx(bent[0])
    assert curve[-1] == pytest.approx(bent[-1])


def test_curves_pass_their_places() -> None:
    places = [(0, 0, 100), (5, 2, 60), (5, 2, 60.2), (-8, 0, 20)]
    curve = through(places)
    for place in places:
        assert np.linalg.norm(curve - np.array(place), axis=1).min() < 3.0
    assert at_height(curve, 40.0)[2] == 40.0
    assert between(curve, 30.0, 70.0)[:, 2].max() <= 70.0
