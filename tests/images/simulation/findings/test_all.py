"""What holds for every finding of lung and pleura."""

import json
from collections.abc import Callable

import numpy as np
import pytest

from syncxr.entities.lexicon import load_lexicon
from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings import FINDINGS, Change
from syncxr.images.simulation.findings.lung import LUNG
from syncxr.images.simulation.findings.lung.nodule import NODULES
from syncxr.images.simulation.findings.pleura import PLEURA
from syncxr.images.simulation.reading import Instructions
from syncxr.images.simulation.renderer import SimulationRenderer
from syncxr.images.simulation.shapes import Ellipsoid, Plate, Shape, Tube
from syncxr.sample import Entity, Polarity

Insert = Callable[..., tuple[Change, Body]]

CONCEPTS = [finding.concept for finding in (*LUNG, *PLEURA) if finding not in NODULES]
BOTH_LUNGS = {"hyperinflation", "low lung volumes", "pulmonary congestion"}
"""Said of no side."""
ONE_SIDED = [
    concept
    for concept in CONCEPTS
    if concept not in BOTH_LUNGS | {"chronic obstructive pulmonary disease"}
]
PLACED = [
    "consolidation",
    "pneumonia",
    "infiltrate",
    "opacity",
    "atelectasis",
    "mass",
    "cavity",
    "scarring",
    "miliary pattern",
    "interstitial opacity",
]


def positive(concept: str, location: str = "", severity: str = "") -> Entity:
    return load_lexicon().concepts[concept].entity(Polarity.PRESENT, location, severity)


def middle(shape: Shape) -> np.ndarray:
    if isinstance(shape, Tube):
        return np.asarray(shape.points).mean(0)
    assert isinstance(shape, Ellipsoid | Plate)
    return np.array(shape.centre)


def amount(change: Change, body: Body, normal: Body) -> float:
    """How much a finding changed, in cubic centimetres of tissue or millimetres of patient."""
    cells = np.abs(body.water - normal.water).sum() + np.abs(body.bone - normal.bone).sum()
    return float(cells) + 3.0 * len(change.shapes)


def test_concepts_are_those_of_the_lexicon() -> None:
    assert set(CONCEPTS) <= set(load_lexicon().concepts)
    assert len(set(CONCEPTS)) == len(CONCEPTS)


@pytest.mark.parametrize("concept", CONCEPTS)
def test_same_chance_same_change(concept: str, insert: Insert) -> None:
    (one, a), (two, b) = insert(concept, seed=3), insert(concept, seed=3)
    assert a.water.tobytes() == b.water.tobytes()
    assert one.parameters == two.parameters
    assert json.loads(json.dumps(one.parameters)) == one.parameters
    assert insert(concept, seed=4)[0].parameters != one.parameters


@pytest.mark.parametrize("concept", ONE_SIDED)
@pytest.mark.parametrize("side", ["left", "right"])
def test_it_lies_on_its_side(concept: str, side: str, insert: Insert, normal: Body) -> None:
    change, body = insert(concept, side, seed=5)
    other = normal.boxes["right" if side == "left" else "left"]
    untouched = normal.lungs["right" if side == "left" else "left"][other] > 0
    assert (np.abs(body.water - normal.water)[other] * untouched).max() < 1e-5
    sign = 1.0 if side == "left" else -1.0
    assert all(sign * middle(shape)[0] > 0 for shape in change.shapes)
    if change.extent is not None:
        assert change.extent[normal.boxes[side]].max() > 0.05


@pytest.mark.parametrize("concept", PLACED)
def test_zones_lie_above_each_other(concept: str, insert: Insert, normal: Body) -> None:
    heights = []
    for zone in ("lower zone", "mid zone", "upper zone"):
        change, _ = insert(concept, f"right {zone}", "moderate", seed=6)
        assert change.extent is not None
        weight = change.extent.sum((0, 2))
        heights.append(float((weight * normal.slabs.rows).sum() / weight.sum()))
    assert heights[0] + 5 < heights[1] < heights[2] - 5


@pytest.mark.parametrize("concept", PLACED)
def test_it_keeps_to_its_lobe(concept: str, insert: Insert, normal: Body) -> None:
    change, _ = insert(concept, "right middle lobe", "moderate", seed=7)
    assert change.extent is not None
    lobe = normal.lobes[next(lobe for lobe in normal.lobes if lobe.name == "RIGHT_MIDDLE_LOBE")]
    assert change.extent[lobe == 0].sum() < 0.04 * change.extent.sum()


@pytest.mark.parametrize("concept", sorted({*CONCEPTS} - {"lobar collapse"}))
def test_severity_is_monotone(concept: str, insert: Insert, normal: Body) -> None:
    amounts, shifts = [], []
    for severity in ("mild", "moderate", "severe"):
        change, body = insert(concept, "", severity, seed=8)
        amounts.append(amount(change, body, normal))
        volume = change.patient.get("lung_volume", 1.0) - 1.0
        shifts.append(abs(volume))
    grows = amounts == sorted(amounts) and amounts[0] < amounts[2]
    assert grows or (shifts == sorted(shifts) and shifts[0] < shifts[2])


@pytest.mark.parametrize("concept", CONCEPTS)
def test_it_shows_where_its_mask_is(concept: str, renderer: SimulationRenderer) -> None:
    entity = positive(concept, "", "severe")
    study = renderer.follow(Instructions((entity,), view="PA"), 11)
    assert study.film.shown == (entity,)
    mask = study.film.masks[str(entity)]
    changed = np.abs(study.film.image.astype(int) - study.without([entity]))
    assert (changed[mask] > 0.01 * 255).mean() >= 0.6
    sides = len(study.film.parameters["findings"][str(entity)].get("sides", "1"))
    low, high = FINDINGS[concept].area_cm2["severe"]  # type: ignore[attr-defined]
    assert low <= mask.sum() * study.pixel_mm**2 / 100.0 / sides <= high


@pytest.mark.parametrize(
    ("concept", "denied", "displaces"),
    [
        ("cardiomegaly", "", True),
        ("kyphosis", "", True),
        ("hyperinflation", "", True),
        ("pulmonary artery enlargement", "", True),
        ("thyroid goiter", "", True),
        ("thyroid goiter", "tracheal deviation", False),
        ("pleural effusion", "", True),
        ("pleural effusion", "mediastinal shift", False),
        ("osteopenia", "", False),
        ("mediastinal widening", "", False),
        ("consolidation", "", False),
    ],
)
def test_what_moves_organs_says_so(
    concept: str, denied: str, displaces: bool, insert: Insert
) -> None:
    change, _ = insert(concept, "", "severe", denied=frozenset({denied}))
    assert change.to_dict()["displaces"] is displaces


def test_what_comes_later_takes_room_from_what_was_there(insert: Insert) -> None:
    first, body = insert("consolidation", "left lower lobe", "moderate")
    assert first.extent is not None
    before = first.extent.copy()
    insert("pleural effusion", "left", "severe", body=body)
    assert first.extent.sum() < 0.4 * before.sum()
    assert (first.extent <= before).all()
