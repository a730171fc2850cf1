"""Devices lie where they belong, with the measures they state."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from syncxr.images.simulation.anatomy import Patient
from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings import Change
from syncxr.images.simulation.findings.devices import DEVICES
from syncxr.images.simulation.findings.devices.surgical import WIRES
from syncxr.images.simulation.findings.devices.tubes import TIP_ABOVE_CARINA, TIP_TOO_DEEP
from syncxr.images.simulation.renderer import SimulationRenderer
from syncxr.images.simulation.shapes import Plate, Tube
from syncxr.sample import Entity

Insert = Callable[..., tuple[Change, Body]]
State = Callable[..., Entity]

CONCEPTS = [device.concept for device in DEVICES]
SIDED = [device.concept for device in DEVICES if device.sides]


def tubes(change: Change) -> list[np.ndarray]:
    return [np.asarray(shape.points) for shape in change.shapes if isinstance(shape, Tube)]


@pytest.mark.parametrize("concept", CONCEPTS)
def test_same_seed_same_device_and_another_seed_another(insert: Insert, concept: str) -> None:
    one, again, other = (insert(concept, seed=seed)[0] for seed in (1, 1, 2))
    assert one.parameters == again.parameters
    for a, b in zip(tubes(one), tubes(again), strict=True):
        assert (a == b).all()
    assert one.parameters != other.parameters or any(
        a.shape != b.shape or not np.allclose(a, b)
        for a, b in zip(tubes(one), tubes(other), strict=False)
    )
    assert json.loads(json.dumps(one.parameters)) == one.parameters


@pytest.mark.parametrize("concept", CONCEPTS)
def test_shows_on_the_film(stated: State, small: SimulationRenderer, concept: str) -> None:
    entity = stated(concept)
    for seed in (1, 2):
        film = small.render_entities([entity], seed)
        mask = film.masks.get(str(entity))
        if mask is None:
            # Small things may lie behind the spine; then they are said not to show.
            assert concept in ("surgical clips", "prosthetic heart valve")
            assert film.not_shown
            continue
        assert 0 < mask.sum() < 0.2 * mask.size


@pytest.mark.parametrize("concept", ["chest tube", "pacemaker", "port catheter"])
def test_lies_on_the_side_that_is_named(
    stated: State, small: SimulationRenderer, concept: str
) -> None:
    for side, sign in (("left", 1.0), ("right", -1.0)):
        entity = stated(concept, side)
        mask = small.render_entities([entity], 3).masks[str(entity)]
        columns = np.argwhere(mask)[:, 1]
        assert sign * (columns.mean() - 47.5) > 3.0


@pytest.mark.parametrize("concept", SIDED)
def test_both_sides_are_two(insert: Insert, concept: str) -> None:
    one, both = insert(concept, "left")[0], insert(concept, "bilateral")[0]
    assert set(both.parameters) == {"left", "right"}
    assert len(both.shapes) > len(one.shapes)


def test_places_devices_cannot_have(stated: State, small: SimulationRenderer) -> None:
    assert small.refusal(stated("endotracheal tube", "left"))
    assert small.refusal(stated("chest tube", "left apex"))
    assert not small.refusal(stated("chest tube", "left"))


def carina(body: Body) -> np.ndarray:
    return body.courses.trachea[-1]


@pytest.mark.parametrize("seed", range(5))
def test_endotracheal_tube_ends_above_the_carina_as_stated(
    stated: State, insert: Insert, seed: int
) -> None:
    change, body = insert("endotracheal tube", seed=seed)
    tip = change.parameters["device"]["tip_above_carina_mm"]
    assert TIP_ABOVE_CARINA[0] <= tip <= TIP_ABOVE_CARINA[1]
    [curve] = tubes(change)
    assert curve[-1, 2] - carina(body)[2] == pytest.approx(tip, abs=0.5)
    near = np.linalg.norm(body.courses.trachea - curve[-1], axis=1).min()
    assert near < 6.0


@pytest.mark.parametrize("seed", range(5))
def test_a_malpositioned_tube_is_too_deep(insert: Insert, seed: int) -> None:
    change, body = insert("malpositioned endotracheal tube", seed=seed)
    tip = change.parameters["device"]["tip_above_carina_mm"]
    assert TIP_TOO_DEEP[0] <= tip <= TIP_TOO_DEEP[1]
    end = tubes(change)[0][-1]
    assert end[2] < carina(body)[2] + 20.0
    if tip < -8.0:
        assert end[0] < carina(body)[0] - 3.0


@pytest.mark.parametrize("seed", range(5))
def test_gastric_tube_ends_in_the_stomach(insert: Insert, seed: int) -> None:
    change, body = insert("nasogastric tube", seed=seed)
    end = tubes(change)[-1][-1]
    assert end[2] < body.courses.oesophagus[-1, 2]
    assert abs(end[0] - body.courses.stomach[0]) < 70.0
    assert change.parameters["device"]["tip_below_junction_mm"] >= 90.0
    # Its line is broken once.
    assert [bool(s.stripe) for s in change.shapes if isinstance(s, Tube)] == [True, False, True]


@pytest.mark.parametrize("concept", ["central venous catheter", "port catheter"])
@pytest.mark.parametrize("side", ["left", "right"])
def test_venous_lines_end_in_the_cava(insert: Insert, concept: str, side: str) -> None:
    for seed in range(4):
        change, body = insert(concept, side, seed=seed)
        tip = change.parameters[side]["tip_below_carina_mm"]
        end = tubes(change)[0][-1]
        assert carina(body)[2] - end[2] == pytest.approx(tip, abs=2.0)
        cava = body.courses.vena_cava
        assert np.linalg.norm(cava - end, axis=1).min() < 25.0
        assert end[0] < carina(body)[0]


@pytest.mark.parametrize("seed", range(4))
def test_leads_end_in_the_right_ventricle(insert: Insert, seed: int) -> None:
    change, body = insert("pacemaker", "left", seed=seed)
    marks = body.marks
    end = tubes(change)[0][-1]
    assert marks.heart[0] < end[0] < marks.heart[0] + marks.heart_reach[0]
    assert end[1] > marks.heart[1]
    assert marks.heart[2] - marks.heart_reach[3] < end[2] < marks.heart[2]
    box = next(shape for shape in change.shapes if isinstance(shape, Plate))
    assert box.centre[1] < body.courses.skin(box.centre[0], box.centre[2])
    assert box.centre[2] > marks.heart[2]


def test_wires_lie_in_the_midline(insert: Insert) -> None:
    change, body = insert("sternotomy wires")
    loops = tubes(change)[::2]
    assert WIRES[0] <= len(loops) == change.parameters["device"]["wires"] <= WIRES[1]
    heights = [loop[:, 2].mean() for loop in loops]
    assert (np.diff(heights) < -5.0).all()
    for loop in loops:
        assert abs(loop[:, 0].mean() - body.courses.sternum[:, 0].mean()) < 15.0


def test_valves_lie_in_the_heart(insert: Insert) -> None:
    positions: set[Any] = set()
    for seed in range(12):
        change, body = insert("prosthetic heart valve", seed=seed)
        positions.add(change.parameters["device"]["position"])
        x, _, z = tubes(change)[0].mean(0)
        marks = body.marks
        assert marks.heart[0] - marks.heart_reach[1] < x < marks.heart[0] + marks.heart_reach[0]
        assert abs(z - marks.heart[2]) < 1.3 * marks.heart_reach[3]
    assert positions == {"aortic", "mitral"}


def test_clips_of_a_side_lie_there(insert: Insert) -> None:
    for side, sign in (("left", 1.0), ("right", -1.0)):
        for seed in range(4):
            change, _ = insert("surgical clips", side, seed=seed)
            assert sign * np.mean([line[:, 0].mean() for line in tubes(change)]) > 10.0


@pytest.fixture
def counted(insert: Insert, normal: Body) -> Callable[..., Change]:
    """A device of which the words say how many there are."""

    def put(concept: str, count: int, location: str = "") -> Change:
        body = normal.fresh(Patient())
        body.count = count
        change: Change = insert(concept, location, body=body)[0]
        return change

    return put


def test_chest_tubes_by_the_words(counted: Callable[..., Change]) -> None:
    two = counted("chest tube", 2, "left").parameters["left"]
    assert {two["aim"], two["others"][0]["aim"]} == {"apex", "base"}
    # "Bilateral chest tubes": the plural is that of the sides.
    both = counted("chest tube", 3, "bilateral").parameters
    assert [len(both[side].get("others", ())) for side in ("left", "right")] == [0, 0]
    four = counted("chest tube", 4, "bilateral").parameters
    assert [len(four[side]["others"]) for side in ("left", "right")] == [1, 1]
    entries = [one["entry_z_mm"] for one in (two, *two["others"])]
    assert abs(entries[0] - entries[1]) > 15.0


@pytest.mark.parametrize("count", [1, 3, 5, 10])
def test_electrodes_wires_and_clips_by_the_words(
    counted: Callable[..., Change], count: int
) -> None:
    leads = counted("ecg leads", count)
    assert leads.parameters["device"]["electrodes"] == count == len(tubes(leads))
    wires = counted("sternotomy wires", count)
    assert wires.parameters["device"]["wires"] == count
    assert len(tubes(wires)) == 2 * count
    clips = counted("surgical clips", count, "left")
    assert clips.parameters["left"]["clips"] == count
    assert len(tubes(clips)) == 2 * count


def test_two_valves_and_two_lines_are_one_of_each_kind(counted: Callable[..., Change]) -> None:
    valves = counted("prosthetic heart valve", 2).parameters["device"]
    assert {valves["position"], valves["other"]["position"]} == {"aortic", "mitral"}
    lines = counted("central venous catheter", 2, "right")
    access = lines.parameters["right"]
    assert {access["access"], access["other"]["access"]} == {"jugular", "subclavian"}
    assert len(tubes(lines)) == 2
