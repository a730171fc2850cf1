"""Volumes of the lungs, and what they are made of."""

from collections.abc import Callable

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings import Change

Insert = Callable[..., tuple[Change, Body]]


def test_domes_fall_and_tissue_goes(insert: Insert, normal: Body) -> None:
    falls, left = [], []
    for severity in ("mild", "moderate", "severe"):
        change, body = insert("emphysema", "", severity)
        falls.append(change.patient["left_dome"])
        left.append(float(body.water[normal.lungs["left"] > 0.99].mean()))
        assert change.patient["lung_volume"] > 1.0
    assert falls == sorted(falls, reverse=True)
    assert left == sorted(left, reverse=True)


def test_hyperinflation_destroys_nothing(insert: Insert, normal: Body) -> None:
    _, body = insert("hyperinflation", "", "severe")
    assert (body.water == normal.water).all()


def test_emphysema_without_hyperinflation(insert: Insert) -> None:
    denied = frozenset({"hyperinflation"})
    assert not insert("emphysema", "", "severe", denied=denied)[0].patient


def test_low_volumes_raise_the_diaphragm(insert: Insert) -> None:
    change, _ = insert("low lung volumes", "", "severe")
    assert change.patient == {"lung_volume": change.patient["lung_volume"]}
    assert change.patient["lung_volume"] < 0.8


def test_fibrosis_shrinks_lungs_unless_that_is_denied(insert: Insert) -> None:
    assert insert("pulmonary fibrosis", "", "severe")[0].patient["lung_volume"] < 0.9
    denied = frozenset({"low lung volumes"})
    assert not insert("pulmonary fibrosis", "", "severe", denied=denied)[0].patient


def test_vessels_go_with_the_tissue_and_widen_above_in_congestion(insert: Insert) -> None:
    _, body = insert("emphysema", "", "severe")
    assert body.perfusion is not None
    assert body.perfusion.min() < 0.6
    assert body.perfusion.max() <= 1.0
    _, body = insert("pulmonary congestion", "", "severe")
    assert body.perfusion is not None
    rows = body.slabs.rows
    middle = (body.marks.dome + body.marks.apex) / 2
    assert body.perfusion[:, rows > middle + 40].max() > 2.0
    assert body.perfusion[:, rows < middle - 40].max() < 1.05
