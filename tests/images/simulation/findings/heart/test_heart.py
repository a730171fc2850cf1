"""Heart and mediastinum."""

import json
from collections.abc import Callable

import numpy as np
import pytest

from syncxr.entities.lexicon import load_lexicon
from syncxr.images.renderer import RenderRequest
from syncxr.images.simulation.anatomy import Deformation, Patient
from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings import Change
from syncxr.images.simulation.findings.heart import HEART
from syncxr.images.simulation.findings.heart.aorta import ANEURYSMS, BOWS
from syncxr.images.simulation.findings.heart.lumps import Lump, border, grow
from syncxr.images.simulation.findings.levels import level_through
from syncxr.images.simulation.renderer import SimulationOptions, SimulationRenderer
from syncxr.images.simulation.shapes import Tube
from syncxr.sample import Entity

Insert = Callable[..., tuple[Change, Body]]
State = Callable[..., Entity]

CONCEPTS = [finding.concept for finding in HEART]
GRADED = [c for c in CONCEPTS if load_lexicon().concepts[c].scale != "none"]


@pytest.mark.parametrize("concept", CONCEPTS)
def test_same_seed_same_finding(insert: Insert, concept: str) -> None:
    one, body = insert(concept, seed=3)
    again, other = insert(concept, seed=3)
    assert one.parameters == again.parameters
    assert one.patient == again.patient
    assert (body.water == other.water).all()
    assert json.loads(json.dumps(one.parameters)) == one.parameters


@pytest.mark.parametrize("concept", GRADED)
def test_a_step_more_is_more(insert: Insert, normal: Body, concept: str) -> None:
    for seed in (1, 2):
        amounts = []
        for severity in ("mild", "moderate", "severe"):
            change, body = insert(concept, "", severity, seed=seed)
            asked = sum(abs(value) for value in change.patient.values())
            cells = float(np.abs(body.water - normal.water).sum())
            amounts.append((cells, asked, len(change.shapes)))
        first, last = amounts[0], amounts[2]
        assert all(a <= b for a, b in zip(first, last, strict=True))
        assert first != last


@pytest.mark.parametrize("concept", [c for c in CONCEPTS if "calcification" not in c])
def test_shows_on_the_film(stated: State, small: SimulationRenderer, concept: str) -> None:
    severity = "severe" if concept in GRADED else ""
    entity = stated(concept, "", severity)
    film = small.render_entities([entity], 2)
    if concept == "calcified lymph node" and film.not_shown:
        return
    assert film.masks[str(entity)].any(), film.not_shown


@pytest.mark.parametrize("concept", ["hilar enlargement", "hilar mass", "lymphadenopathy"])
@pytest.mark.parametrize(("side", "sign"), [("left", 1.0), ("right", -1.0)])
def test_hila_have_sides(insert: Insert, concept: str, side: str, sign: float) -> None:
    change, body = insert(concept, side, "moderate")
    assert change.extent is not None
    cells = np.argwhere(change.extent > 0.5)
    assert len(cells) > 20
    assert (sign * (body.slabs.columns[cells[:, 2]] - body.marks.carina[0]) > 0.0).all()
    heights = body.slabs.rows[cells[:, 1]]
    assert abs(float(heights.mean()) - body.marks.carina[2]) < 45.0


@pytest.mark.parametrize(
    "concept", ["mediastinal widening", "mediastinal mass", "pericardial effusion", "hilar mass"]
)
def test_tissue_takes_the_room_of_lung(insert: Insert, normal: Body, concept: str) -> None:
    change, body = insert(concept, "", "severe")
    assert change.extent is not None
    lungs = normal.lungs["left"] + normal.lungs["right"]
    assert (change.extent <= lungs + 1e-5).all()
    full = change.extent > 0.95
    assert full.sum() > 50
    assert np.abs(body.water[full] - 1.03).max() < 0.06
    assert np.abs(body.water - normal.water)[change.extent == 0.0].max() == 0.0


def test_a_hernia_lies_behind_the_heart_with_gas_over_fluid(insert: Insert, normal: Body) -> None:
    change, body = insert("hiatal hernia", "", "severe")
    assert change.extent is not None
    cells = np.argwhere(change.extent > 0.5)
    middle = cells.mean(0).astype(int)
    assert body.slabs.centres[middle[0]] < body.marks.heart[1]
    assert abs(body.slabs.columns[middle[2]] - body.marks.carina[0]) < 50.0
    column = body.water[middle[0], :, middle[2]]
    inside = change.extent[middle[0], :, middle[2]] > 0.5
    gas, rest = column[inside] < 0.1, column[inside] > 0.3
    assert gas.sum() > 3
    heights = body.slabs.rows[inside]
    if rest.any():
        assert heights[gas].mean() > heights[rest].mean()


def test_what_is_level_in_the_patient_stays_so(normal: Body) -> None:
    patient = Patient(breadth=0.85, scoliosis=7.0, heart_ratio=0.48, left_dome=-20.0)
    body = normal.fresh(patient)
    place = (10.0, -20.0, -30.0)
    x = np.linspace(-30.0, 50.0, 9).astype(np.float32)
    z = level_through(body, place)(x)
    assert float(np.interp(10.0, x, z)) == pytest.approx(-30.0, abs=1.0)
    deformation = Deformation.of(patient, body.marks)
    source = np.stack([x, np.full_like(x, -20.0), z], 1)
    points = source.copy()
    for _ in range(12):
        points += source - deformation(points)
    assert np.ptp(points[:, 2]) < 1.5


def test_the_border_lies_beside_the_heart_and_the_vessels(normal: Body) -> None:
    marks = normal.marks
    for side, sign, reach in (("left", 1.0, 0), ("right", -1.0, 1)):
        z, x = border(normal, side, marks.heart[1])
        assert (np.diff(z) > 0.0).all()
        beside = (z > marks.heart[2]) & (z < marks.heart[2] + 25.0)
        off = sign * (x[beside] - marks.heart[0])
        assert np.median(off) == pytest.approx(marks.heart_reach[reach], abs=18.0)
        z, x = border(normal, side, marks.carina[1] + 30.0)
        upper = (z > marks.carina[2] + 10.0) & (z < marks.apex - 35.0)
        off = sign * (x[upper] - marks.carina[0])
        assert (off > 8.0).all()
        assert (off < 60.0).all()


def test_lumps_take_nothing_but_lung(normal: Body) -> None:
    body = normal.fresh(Patient())
    extent = grow(body, [Lump((60.0, 0.0, 20.0), (20.0, 20.0, 20.0))])
    assert extent.max() > 0.9
    assert (extent <= body.lungs["left"] + body.lungs["right"] + 1e-5).all()
    assert any(claim is extent for claim in body.claims)


def test_air_in_the_mediastinum_reaches_the_neck(insert: Insert) -> None:
    change, body = insert("pneumomediastinum")
    gas = [s for s in change.shapes if isinstance(s, Tube) and s.material.water < 0.0]
    heights = [float(np.asarray(tube.points)[:, 2].max()) for tube in gas]
    assert max(heights) > body.marks.apex
    assert any(s.material.water > 0.0 for s in change.shapes)


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_trachea_goes_where_it_is_told(insert: Insert, side: str) -> None:
    for concept in ("tracheal deviation", "mediastinal shift"):
        [amount] = insert(concept, side)[0].patient.values()
        assert amount > 0.0 if side == "left" else amount < 0.0


def test_a_goiter_leaves_a_trachea_that_is_said_to_be_straight(insert: Insert) -> None:
    assert insert("thyroid goiter")[0].patient
    denied = frozenset({"tracheal deviation"})
    assert not insert("thyroid goiter", denied=denied)[0].patient


@pytest.mark.parametrize(
    ("name", "value"),
    [("aorta_tortuosity", BOWS["severe"][1]), ("aorta_width", ANEURYSMS["severe"][1])],
)
def test_the_widest_aorta_does_not_fold(normal: Body, name: str, value: float) -> None:
    grid = np.stack(
        np.meshgrid(
            np.linspace(-90, 90, 46),
            [-50.0, -20.0, 10.0, 40.0],
            np.linspace(-90, 120, 71),
            indexing="ij",
        ),
        -1,
    ).astype(np.float32)
    there = Deformation.of(Patient(**{name: value}), normal.marks)(grid)
    across, upwards = np.gradient(there[..., 0], axis=0), np.gradient(there[..., 2], axis=2)
    skew = np.gradient(there[..., 0], axis=2) * np.gradient(there[..., 2], axis=0)
    assert (across * upwards - skew > 0.0).all()


@pytest.fixture(scope="module")
def sharp() -> SimulationRenderer:
    """Fine enough to measure widths."""
    return SimulationRenderer(SimulationOptions(size=224, views={"PA": 1.0}))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_fluid_is_a_part_of_the_enlarged_silhouette(
    stated: State, sharp: SimulationRenderer, seed: int
) -> None:
    large = stated("cardiomegaly", "", "severe")
    fluid = stated("pericardial effusion", "", "moderate")
    film = sharp.render_entities([fluid, large], seed).parameters
    asked = film["findings"][str(large)]["heart_ratio"]
    assert film["silhouette_ratio"] == pytest.approx(asked, abs=0.025)
    assert 0.45 < film["heart_ratio"] < asked - 0.05
    alone = sharp.render_entities([large], seed).parameters
    assert alone["heart_ratio"] == alone["silhouette_ratio"] == pytest.approx(asked, abs=0.025)
    # Without an enlarged heart fluid comes on top of a normal one.
    plain = sharp.render_entities([], seed).parameters
    wet = sharp.render_entities([fluid], seed).parameters
    assert wet["heart_ratio"] == plain["heart_ratio"]
    assert wet["silhouette_ratio"] > plain["silhouette_ratio"] + 0.06
    assert not wet["findings"][str(fluid)]["displaces"]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_small_effusion_leaves_a_heart_that_the_text_calls_normal(
    sharp: SimulationRenderer, seed: int
) -> None:
    text = "Heart size is normal. Small pericardial effusion."
    study = sharp.study(RenderRequest(text, seed))
    assert study.heart_ratio is not None and study.heart_ratio <= 0.5
