"""One lung in its box: the same cells as in the body, places where they are asked for."""

import numpy as np
import pytest

from syncxr.images.simulation.anatomy import Patient
from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.finding import ZONES, Words, lung_share, zone_limits
from syncxr.images.simulation.findings.lungs import Lung, affected


@pytest.fixture
def lung(normal: Body) -> Lung:
    [lung] = affected(
        normal.fresh(Patient()), Words(("left",), "", "", "mild"), np.random.default_rng(1)
    )
    return lung


def test_the_box_holds_the_whole_lung(lung: Lung) -> None:
    assert lung.share.sum() == pytest.approx(lung.body.lungs["left"].sum())


def test_chance_of_a_side_does_not_depend_on_the_other(normal: Body) -> None:
    alone = list(affected(normal, Words(("right",), "", "", ""), np.random.default_rng(2)))
    both = list(affected(normal, Words(("left", "right"), "", "", ""), np.random.default_rng(2)))
    assert alone[0].chance.random() == both[1].chance.random()
    assert both[0].chance.random() != alone[0].chance.random()


@pytest.mark.parametrize("zone", [zone for zone in ZONES if zone])
def test_places_lie_in_their_zone_and_lung(lung: Lung, zone: str) -> None:
    low, high = zone_limits(lung.body, zone)
    points = np.array(lung.picks(lung.share, zone, 5.0, 0.5, 40), np.float32)
    assert (points[:, 2] >= low).all()
    assert (points[:, 2] <= high).all()
    assert (lung.at(lung.share, points) > 0.7).all()


def test_a_smaller_box_shows_the_same_cells(lung: Lung) -> None:
    small = lung.around((71.0, 4.0, 40.0), (20.0, 16.0, 10.0))
    assert small.share.size < lung.share.size / 8
    point = np.array([[71.0, 4.0, 40.0]], np.float32)
    assert small.at(small.water, point) == lung.at(lung.water, point)
    small.fill(small.share, 1.0, np.zeros_like(lung.body.water))
    inside = small.share > 0.99
    assert small.water[inside] == pytest.approx(1.0, abs=0.01)


def test_looking_where_a_cell_is_finds_it(lung: Lung) -> None:
    z, x = lung.z[0, :, 0], lung.x[0, 0]
    same = lung.look_up(lung.share, z[:, None], x[None, :])
    assert same == pytest.approx(lung.share, abs=1e-4)
    beyond = lung.look_up(lung.share, z[:, None] + 1000.0, x[None, :])
    assert not beyond.any()


def test_a_lung_without_a_middle_lobe_lends_its_upper_one(normal: Body) -> None:
    """What the words call the right middle lobe of a mirrored patient lies in the source's left."""
    upper = lung_share(normal, "left", "upper lobe")
    assert lung_share(normal, "left", "middle lobe") is upper
    [lung] = affected(normal, Words(("left",), "", "", ""), np.random.default_rng(1))
    assert np.array_equal(lung.lobe("middle lobe"), upper[lung.box])
    assert not np.array_equal(lung_share(normal, "right", "middle lobe"), upper)
