"""Bones and soft tissue."""

import json
from collections.abc import Callable

import numpy as np
import pytest

from syncxr.images.simulation.anatomy import Deformation, Patient
from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings import Change
from syncxr.images.simulation.findings.bone import BONE
from syncxr.images.simulation.findings.bone.spine import BOWS, HUNCHES
from syncxr.images.simulation.renderer import SimulationRenderer
from syncxr.images.simulation.shapes import Ellipsoid, Plate, Tube
from syncxr.sample import Entity

Insert = Callable[..., tuple[Change, Body]]
State = Callable[..., Entity]

CONCEPTS = [finding.concept for finding in BONE]


@pytest.mark.parametrize("concept", CONCEPTS)
def test_same_seed_same_finding(insert: Insert, concept: str) -> None:
    one, body = insert(concept, seed=3)
    again, other = insert(concept, seed=3)
    assert one.parameters == again.parameters
    assert (body.bone == other.bone).all()
    assert (body.water == other.water).all()
    assert json.loads(json.dumps(one.parameters)) == one.parameters


@pytest.mark.parametrize("concept", ["rib fracture", "healed rib fracture", "clavicle fracture"])
@pytest.mark.parametrize("side", ["left", "right"])
def test_fractures_lie_on_their_bone(insert: Insert, normal: Body, concept: str, side: str) -> None:
    change, body = insert(concept, side)
    sign = 1.0 if side == "left" else -1.0
    lines = {**body.courses.ribs, f"{side} clavicle": body.courses.clavicles[side]}
    broken = change.parameters["broken"]
    for name, one in [(name, one) for name, breaks in broken.items() for one in breaks]:
        line = lines[name.replace("rib ", "")]
        assert np.linalg.norm(line - np.array(one["at_mm"]), axis=1).min() < 0.1
        assert sign * one["at_mm"][0] > 0.0
    moved = np.abs(body.bone - normal.bone)
    assert moved.max() > 0.05
    # Bone is moved, not made: but for what ends beyond the cells' edge.
    assert body.bone.sum() == pytest.approx(normal.bone.sum(), rel=1e-3)
    assert float(body.bone.min()) > -0.05
    assert change.extent is not None
    cells = np.argwhere(change.extent > 0.1)
    assert (sign * body.slabs.columns[cells[:, 2]] > 0.0).all()


def test_a_fresh_fracture_has_a_gap_and_a_healed_one_a_callus(insert: Insert) -> None:
    fresh, healed = insert("rib fracture")[0], insert("healed rib fracture")[0]
    assert all(isinstance(s, Plate) and s.material.bone < 0.0 for s in fresh.shapes)
    assert all(isinstance(s, Ellipsoid) and s.material.bone > 0.0 for s in healed.shapes)


@pytest.mark.parametrize(
    ("count", "side", "ribs", "breaks"),
    [
        (3, "left", 3, 3),
        (6, "right", 6, 6),
        (8, "left", 8, 8),
        (12, "right", 8, 12),
        (5, "bilateral", 5, 5),
        (12, "bilateral", 12, 12),
    ],
)
@pytest.mark.parametrize("concept", ["rib fracture", "healed rib fracture"])
def test_as_many_breaks_as_the_words_say(
    insert: Insert, normal: Body, concept: str, count: int, side: str, ribs: int, breaks: int
) -> None:
    body = normal.fresh(Patient())
    body.count = count
    change, _ = insert(concept, side, body=body)
    broken = change.parameters["broken"]
    assert (len(broken), sum(map(len, broken.values()))) == (ribs, breaks)
    for places in broken.values():
        at = np.array([one["at_mm"] for one in places])
        assert len(at) == 1 or np.linalg.norm(at[0] - at[1]) > 36.0


@pytest.mark.parametrize("concept", ["scoliosis", "kyphosis", "osteopenia"])
def test_patient_is_asked_for_more_at_each_step(insert: Insert, concept: str) -> None:
    values = []
    for severity in ("mild", "moderate", "severe"):
        [value] = insert(concept, "", severity)[0].patient.values()
        values.append(abs(value))
    assert values == sorted(values, reverse=concept == "osteopenia")
    assert len(set(values)) == 3


@pytest.mark.parametrize(("name", "bows"), [("scoliosis", BOWS), ("kyphosis", HUNCHES)])
def test_the_most_bent_spine_does_not_fold(
    normal: Body, name: str, bows: dict[str, tuple[float, float]]
) -> None:
    grid = np.stack(
        np.meshgrid(
            np.linspace(-140, 140, 29),
            [-60.0, 0.0, 60.0],
            np.linspace(-150, 130, 57),
            indexing="ij",
        ),
        -1,
    ).astype(np.float32)
    for sign in (-1.0, 1.0) if name == "scoliosis" else (1.0,):
        patient = Patient(**{name: sign * bows["severe"][1]})
        there = Deformation.of(patient, normal.marks)(grid)
        across, upwards = np.gradient(there[..., 0], axis=0), np.gradient(there[..., 2], axis=2)
        skew = np.gradient(there[..., 0], axis=2) * np.gradient(there[..., 2], axis=0)
        assert (across * upwards - skew > 0.0).all()


def test_spurs_reach_further_at_each_step_and_lie_beside_the_spine(insert: Insert) -> None:
    reaches = []
    for severity in ("mild", "moderate", "severe"):
        change, body = insert("osteophyte", "", severity)
        spurs = [shape for shape in change.shapes if isinstance(shape, Tube)]
        middles = np.array(list(body.courses.vertebrae.values()))
        ends = np.array([spur.points[-1] for spur in spurs])
        off = [np.abs(end[0] - middles[np.abs(middles[:, 2] - end[2]).argmin(), 0]) for end in ends]
        reaches.append(float(np.mean(off)))
    assert reaches == sorted(reaches)


def test_severer_emphysema_has_the_streaks_of_the_milder(insert: Insert) -> None:
    mild, severe = (
        insert("subcutaneous emphysema", "left", severity)[0] for severity in ("mild", "severe")
    )
    assert len(severe.shapes) > 3 * len(mild.shapes)
    for a, b in zip(mild.shapes, severe.shapes, strict=False):
        assert isinstance(a, Tube)
        assert isinstance(b, Tube)
        assert (a.points == b.points).all()
        assert a.material.water < 0.0


@pytest.mark.parametrize(
    ("concept", "location"),
    [("scoliosis", ""), ("osteopenia", ""), ("subcutaneous emphysema", "left"), ("osteophyte", "")],
)
def test_severity_is_seen(
    stated: State, small: SimulationRenderer, concept: str, location: str
) -> None:
    signals = []
    for severity in ("mild", "moderate", "severe"):
        entity = stated(concept, location, severity)
        image = small.render_entities([entity], 4).image.astype(int)
        plain = small.render_entities([], 4).image.astype(int)
        signals.append(int(np.abs(image - plain).sum()))
    assert 0 < signals[0] < signals[2]


def test_emphysema_lies_on_its_side(stated: State, small: SimulationRenderer) -> None:
    for side, columns in (("left", slice(48, None)), ("right", slice(None, 48))):
        entity = stated("subcutaneous emphysema", side, "moderate")
        mask = small.render_entities([entity], 5).masks[str(entity)]
        assert mask[:, columns].sum() > 0.8 * mask.sum()


def test_osteopenia_spares_soft_tissue(stated: State, small: SimulationRenderer) -> None:
    entity = stated("osteopenia", "", "severe")
    film = small.render_entities([entity], 6)
    mask = film.masks[str(entity)]
    assert 0.05 < mask.mean() < 0.7


def test_levels_of_a_worn_spine_by_the_words(insert: Insert, normal: Body) -> None:
    def levels(concept: str, count: int) -> int:
        body = normal.fresh(Patient())
        body.count = count
        return len(insert(concept, "", "mild", body=body)[0].parameters["levels"])

    assert levels("degenerative changes", 2) == 2
    # Of osteophytes a level has several: two of them do not mean two levels.
    assert levels("osteophyte", 2) >= 4
    assert levels("degenerative changes", 12) == levels("osteophyte", 12) == 7
