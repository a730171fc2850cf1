"""What several findings ask of one patient."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncxr.images.simulation.anatomy import Patient, combined

SAMPLED = Patient(
    shift=1.0,
    upper_shift=-2.0,
    left_dome=-6.0,
    right_dome=-20.0,
    lung_volume=0.97,
    heart_ratio=0.46,
    scoliosis=2.0,
)


def together(*asks: dict[str, float]) -> Patient:
    return replace(SAMPLED, **combined(SAMPLED, asks))


def test_one_finding_gets_what_it_asks_for() -> None:
    asked = {"shift": -11.0, "left_dome": 9.0, "heart_ratio": 0.6, "lung_volume": 1.1}
    assert combined(SAMPLED, [asked]) == pytest.approx(asked)
    assert combined(SAMPLED, []) == {}


def test_shifts_add_up_and_opposite_ones_cancel() -> None:
    assert together({"shift": 9.0}, {"shift": 5.0}).shift == pytest.approx(13.0)
    assert together({"shift": 11.0}, {"shift": -9.0}).shift == pytest.approx(1.0)
    assert abs(together(*[{"shift": -25.0}] * 3).shift) <= 40.0


def test_each_dome_is_its_own_side_s() -> None:
    both = together({"left_dome": 10.0}, {"right_dome": -30.0})
    assert (both.left_dome, both.right_dome) == pytest.approx((10.0, -30.0))
    # Two lobes raise it twice; what presses it flat does so once.
    assert together({"left_dome": 4.0}, {"left_dome": 0.0}).left_dome == pytest.approx(10.0)
    assert together({"left_dome": -30.0}, {"left_dome": -26.0}).left_dome == pytest.approx(-30.0)


def test_fibrosis_takes_back_what_emphysema_adds() -> None:
    volume = together({"lung_volume": 1.09}, {"lung_volume": 0.87}).lung_volume
    assert volume == pytest.approx(0.99)
    twice = together({"lung_volume": 1.09}, {"lung_volume": 1.05}).lung_volume
    assert twice == pytest.approx(1.09)


def test_an_enlarged_heart_stays_so_beside_emphysema() -> None:
    assert together({"heart_ratio": 0.38}, {"heart_ratio": 0.53}).heart_ratio == 0.53


FIELDS = ("shift", "upper_shift", "left_dome", "right_dome", "lung_volume", "scoliosis")


@given(
    st.lists(
        st.dictionaries(st.sampled_from(FIELDS), st.floats(-30.0, 30.0), min_size=1),
        min_size=1,
        max_size=4,
    )
)
def test_order_does_not_matter(asks: list[dict[str, float]]) -> None:
    expected = combined(SAMPLED, asks)
    assert all(combined(SAMPLED, order) == expected for order in permutations(asks))
