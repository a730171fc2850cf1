"""What chance puts on films unasked."""

from dataclasses import replace

import numpy as np
import pytest

from syncxr.images.simulation.body import load_body
from syncxr.images.simulation.nuisance import FOLDED, nuisance_of
from syncxr.images.simulation.reading import instructions
from syncxr.images.simulation.renderer import SimulationOptions, SimulationRenderer
from syncxr.images.simulation.scene import Scene


@pytest.mark.parametrize("supine", [True, False])
def test_folds_come_in_their_share_on_ap_films_alone(supine: bool) -> None:
    body = load_body(2.0)
    scene = replace(Scene.sample(0, "train", {"AP": 1.0}, "AP"), supine=supine)
    upright = Scene.sample(0, "train", {"PA": 1.0}, "PA")
    many = [nuisance_of(scene, body, set(), seed) for seed in range(1000)]
    share = np.mean([bool(one.shapes) for one in many])
    assert share == pytest.approx(FOLDED[supine], abs=0.035)
    assert {side for one in many for side in one.parameters.get("skin fold", {})} == {
        "left",
        "right",
    }
    seed = next(seed for seed, one in enumerate(many) if one.shapes)
    assert not nuisance_of(upright, body, set(), seed).shapes
    assert not nuisance_of(scene, body, {"skin fold"}, seed).shapes


def test_it_is_on_the_film_and_in_provenance_and_no_finding() -> None:
    renderer = SimulationRenderer(SimulationOptions(size=64))
    wanted = instructions("Portable AP, supine. Right pleural effusion.")
    body = load_body(2.0)
    scenes = {seed: renderer_scene(seed) for seed in range(80)}
    seed = next(s for s in scenes if nuisance_of(scenes[s], body, set(), s).shapes)
    film = renderer.film_of(scenes[seed], wanted, seed).film
    assert "skin fold" in film.parameters["nuisance"]
    assert not any(entity.concept == "skin fold" for entity in film.shown)
    assert not any("skin fold" in name for name in film.masks)
    denied = instructions("Portable AP, supine. Right pleural effusion. No skin fold.")
    without = renderer.film_of(scenes[seed], denied, seed).film
    assert without.parameters["nuisance"] == {}
    assert (without.image != film.image).any()


def renderer_scene(seed: int) -> Scene:
    return replace(Scene.sample(seed, "train", {"AP": 1.0}, "AP"), supine=True)
