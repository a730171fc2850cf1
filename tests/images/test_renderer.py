"""The simulation as the rest of the house sees it: words in, films out."""

import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import ndimage

from syncxr.entities.lexicon import load_lexicon
from syncxr.errors import SyncxrError
from syncxr.images import RENDERERS
from syncxr.images.api import render
from syncxr.images.renderer import RenderRequest
from syncxr.images.simulation.reading import Instructions
from syncxr.images.simulation.renderer import SimulationOptions, SimulationRenderer
from syncxr.images.visibility import visible_pixels
from syncxr.registry import BackendSpec, build
from syncxr.sample import Entity, Polarity


def positive(concept: str, location: str = "", severity: str = "") -> Entity:
    return load_lexicon().concepts[concept].entity(Polarity.PRESENT, location, severity)


def test_same_request_same_bytes_in_any_batch(renderer: SimulationRenderer) -> None:
    requests = [
        RenderRequest("Small left pleural effusion.", 1),
        RenderRequest("Normal chest.", 2),
        RenderRequest("Nodule in the right upper lobe. Mild cardiomegaly.", 3),
    ]
    together = renderer.render(requests)
    again = [renderer.render([request])[0] for request in reversed(requests)][::-1]
    for a, b in zip(together, again, strict=True):
        assert a.image.tobytes() == b.image.tobytes()
        assert a.parameters == b.parameters
        assert a.masks.keys() == b.masks.keys()
        assert all((a.masks[key] == b.masks[key]).all() for key in a.masks)


def test_seed_decides_the_patient(renderer: SimulationRenderer) -> None:
    one, two = renderer.render([RenderRequest("Normal chest.", seed) for seed in (1, 2)])
    assert one.parameters["patient"] != two.parameters["patient"]
    assert np.abs(one.image.astype(int) - two.image.astype(int)).mean() > 2


@pytest.mark.parametrize(
    "concept",
    ["pleural effusion", "pneumothorax", "consolidation", "opacity", "nodule", "mass"],
)
@pytest.mark.parametrize("seed", [1, 2])
def test_left_is_on_the_right_of_the_film(
    renderer: SimulationRenderer, concept: str, seed: int
) -> None:
    for side, columns in (("left", slice(56, None)), ("right", slice(None, 56))):
        entity = positive(concept, side)
        mask = renderer.render_entities([entity], seed).masks[str(entity)]
        assert mask.any()
        assert mask[:, columns].sum() > 0.85 * mask.sum()


def test_bilateral_is_on_both_sides(renderer: SimulationRenderer) -> None:
    entity = positive("pleural effusion", "bilateral")
    mask = renderer.render_entities([entity], 4).masks[str(entity)]
    assert min(mask[:, :56].sum(), mask[:, 56:].sum()) > 0.2 * mask.sum()


def test_zones_lie_above_each_other(renderer: SimulationRenderer) -> None:
    heights = []
    for zone in ("lower zone", "mid zone", "upper zone"):
        entity = positive("consolidation", f"right {zone}")
        mask = renderer.render_entities([entity], 5).masks[str(entity)]
        heights.append(float(np.argwhere(mask)[:, 0].mean()))
    assert heights[0] > heights[1] + 8 > heights[2] + 16


def test_heart_points_to_the_patients_left(renderer: SimulationRenderer) -> None:
    entity = positive("cardiomegaly")
    for seed in range(4):
        mask = renderer.render_entities([entity], seed).masks[str(entity)]
        assert np.argwhere(mask)[:, 1].mean() > 56


@pytest.mark.parametrize(
    ("concept", "location"),
    [
        ("pleural effusion", "left"),
        ("pneumothorax", "right"),
        ("cardiomegaly", ""),
        ("nodule", "left"),
        ("mass", "right"),
        ("pulmonary edema", ""),
    ],
)
def test_severity_is_monotone(renderer: SimulationRenderer, concept: str, location: str) -> None:
    for seed in (11, 12):
        signals = []
        for severity in ("mild", "moderate", "severe"):
            entity = positive(concept, location, severity)
            study = renderer.follow(Instructions((entity,)), seed)
            changed = study.film.image.astype(int) - study.without([entity])
            signals.append(int(np.abs(changed).sum()))
        assert signals[0] > 0
        assert signals == sorted(signals)


def test_ratio_of_the_heart_is_the_one_asked_for(renderer: SimulationRenderer) -> None:
    for seed in range(6):
        film = renderer.render_entities([positive("cardiomegaly", "", "moderate")], seed)
        asked = film.parameters["findings"]["moderate cardiomegaly"]["heart_ratio"]
        assert film.parameters["heart_ratio"] == pytest.approx(asked, abs=0.035)
        assert renderer.render_entities([], seed).parameters["heart_ratio"] < 0.5


def test_negatives_and_hedges_are_not_drawn(renderer: SimulationRenderer) -> None:
    text = "No pleural effusion or pneumothorax. Possible left lower lobe consolidation."
    [film] = renderer.render([RenderRequest(text, 7)])
    [normal] = renderer.render([RenderRequest("Normal chest.", 7)])
    assert film.shown == ()
    assert film.masks == {}
    assert film.image.tobytes() == normal.image.tobytes()
    [(hedged, reason)] = film.not_shown
    assert hedged.concept == "consolidation"
    assert "uncertain" in reason


def test_what_cannot_be_drawn_is_said(renderer: SimulationRenderer) -> None:
    entity = load_lexicon().concepts["pulmonary embolism"].entity(Polarity.PRESENT)
    film = renderer.render_entities([entity], 1)
    assert not renderer.shows(entity)
    assert film.not_shown == ((entity, "the simulator has no model of this finding"),)


def test_places_a_finding_cannot_have(renderer: SimulationRenderer) -> None:
    assert not renderer.shows(positive("pleural effusion", "left apex"))
    assert not renderer.shows(positive("pneumothorax", "left base"))
    assert not renderer.shows(positive("consolidation", "left middle lobe"))
    assert renderer.shows(positive("consolidation", "right middle lobe"))


def test_a_finding_leaves_patient_and_other_findings_alone(renderer: SimulationRenderer) -> None:
    effusion, nodule = positive("pleural effusion", "left"), positive("nodule", "right")
    alone = renderer.render_entities([nodule], 8)
    both = renderer.render_entities([effusion, nodule], 8)
    assert both.parameters["patient"] == alone.parameters["patient"]
    assert (both.masks[str(nodule)] == alone.masks[str(nodule)]).all()


def test_parameters_are_json(renderer: SimulationRenderer) -> None:
    [film] = renderer.render([RenderRequest("Bilateral pleural effusions. Right mass.", 9)])
    assert json.loads(json.dumps(film.parameters))["seed"] == 9


def test_films_are_eight_bit_and_use_the_range(renderer: SimulationRenderer) -> None:
    for seed in range(4):
        image = renderer.render_entities([], seed).image
        assert image.dtype == np.uint8
        assert image.shape == (112, 112)
        assert np.ptp(np.percentile(image, [2, 98])) > 120


def test_built_by_name_and_called_by_words() -> None:
    built = build("renderer", RENDERERS, BackendSpec(name="simulation", size=96))
    film = render("Small left pleural effusion.", seed=1, size=96)
    [same] = built.render([RenderRequest("Small left pleural effusion.", 1)])
    assert film.image.tobytes() == same.image.tobytes()
    assert [str(entity) for entity in film.shown] == ["mild left pleural effusion"]
    with pytest.raises(SyncxrError, match="colour"):
        render("Normal chest.", colour=True)


def test_visible_mask_lies_where_the_film_differs(renderer: SimulationRenderer) -> None:
    for text, seed in (("Small left pleural effusion.", 1), ("Right upper lobe consolidation.", 2)):
        study = renderer.study(RenderRequest(text, seed))
        [entity] = study.film.shown
        visible = study.film.visible[str(entity)]
        read, own = (
            study.film.image.astype(int) - study.without([entity], held) for held in (False, True)
        )
        changed = visible_pixels(read, own)
        assert (visible & changed).sum() > 0.9 * max(visible.sum(), changed.sum())
        near = ndimage.binary_dilation(study.film.masks[str(entity)], iterations=2)
        assert (changed & near).sum() >= 0.9 * changed.sum()


def test_what_nobody_sees_is_no_positive(renderer: SimulationRenderer) -> None:
    entity = positive("nodule", "right", "mild")
    hidden = 0
    for seed in range(6):
        study = renderer.follow(Instructions((entity,)), seed)
        film = study.film
        if film.shown:
            continue
        hidden += 1
        [(unseen, reason)] = film.not_shown
        assert unseen == entity
        assert "not visible" in reason
        assert not film.masks and not film.visible
    # Where nothing is between finding and film, all of it is seen.
    assert hidden < 6


def test_as_many_as_the_words_say(renderer: SimulationRenderer) -> None:
    film = renderer.study(RenderRequest("Three nodules in the right lung.", 3)).film
    [parameters] = film.parameters["findings"].values()
    assert len(parameters["placed"]["right"]) == 3


@pytest.mark.parametrize("view", ["PA", "AP", "lateral"])
def test_every_view_by_request(renderer: SimulationRenderer, view: str) -> None:
    entity = positive("consolidation", "right lower lobe", "severe")
    film = renderer.render_entities([entity], 3, view)  # type: ignore[arg-type]
    assert film.parameters["pose"]["view"] == view
    assert film.shown == (entity,)
    assert (film.parameters["heart_ratio"] is None) == (view == "lateral")
    rows = np.argwhere(film.masks[str(entity)])[:, 0]
    assert rows.mean() > 50


def test_inverted_films_are_the_same_films() -> None:
    plain, inverted = (
        SimulationRenderer(SimulationOptions(size=64, inverted=share)).render_entities([], 1).image
        for share in (0.0, 1.0)
    )
    assert (inverted == 255 - plain).all()


def test_same_bytes_in_another_process(renderer: SimulationRenderer) -> None:
    text = "Small left pleural effusion. Pacemaker. Moderate cardiomegaly."
    code = (
        "from syncxr.images.api import render; import hashlib\n"
        "render('Large right mass.', seed=5, size=112)\n"
        f"film = render({text!r}, seed=9, size=112)\n"
        "print(hashlib.sha256(film.image.tobytes()).hexdigest())"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    [film] = renderer.render([RenderRequest(text, 9)])
    assert run.stdout.split()[-1] == hashlib.sha256(film.image.tobytes()).hexdigest()


def test_views_need_a_share() -> None:
    with pytest.raises(ValidationError, match="positive share"):
        SimulationOptions(views={"PA": 0.0})


def test_one_call_takes_options_that_are_lists_or_mappings() -> None:
    film = render("Clear lungs.", size=64, views={"AP": 1.0}, anatomies=["lidc"])
    assert film.parameters["pose"]["view"] == "AP"
