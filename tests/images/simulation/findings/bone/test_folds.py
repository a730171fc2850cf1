"""Folds of skin: edges, not lines, over the side of the chest."""

from collections.abc import Callable

import numpy as np
import pytest

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings import FINDINGS, Change
from syncxr.images.simulation.reading import instructions
from syncxr.images.simulation.renderer import SimulationOptions, SimulationRenderer
from syncxr.images.simulation.shapes import Fold

Insert = Callable[..., tuple[Change, Body]]


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("seed", range(6))
def test_it_lies_on_the_back_of_its_side(
    side: str, seed: int, insert: Insert, normal: Body
) -> None:
    change, body = insert("skin fold", side, seed=seed)
    assert (body.water == normal.water).all()
    sign = 1.0 if side == "left" else -1.0
    for fold in change.shapes:
        assert isinstance(fold, Fold)
        assert (sign * fold.edge[:, 0] > 0.15 * normal.marks.half_width).all()
        assert (fold.edge[:, 1] < normal.marks.heart[1] - 40.0).all()
        fall = np.diff(fold.edge, axis=0)
        # Upright rather than level.
        assert (fall[:, 2] < 0.0).all()
        assert abs(fold.edge[-1, 0] - fold.edge[0, 0]) < 0.4 * np.ptp(fold.edge[:, 2])
        assert fold.thickness[0] < 0.3 * fold.thickness.max() > fold.thickness[-1]


def test_as_many_as_the_words_say(insert: Insert, normal: Body) -> None:
    body = normal.fresh(normal.patient)
    body.count = 2
    assert len(insert("skin fold", "left", body=body)[0].shapes) == 2


def test_drawn_where_the_words_say_and_outlined() -> None:
    renderer = SimulationRenderer(SimulationOptions(size=128))
    study = renderer.follow(instructions("Portable AP. Skin fold over the right hemithorax."), 3)
    [name] = study.film.masks
    assert name == "right skin fold"
    mask = study.film.masks[name]
    # The patient's right is on the left of the film.
    assert np.argwhere(mask)[:, 1].max() < 70
    change = study.film.image.astype(int) - study.without(study.film.shown)
    assert (np.abs(change)[mask] > 2.55).mean() >= 0.6
    assert change[mask].mean() > 3.0
    low, high = FINDINGS["skin fold"].area_cm2[""]
    assert low <= mask.sum() * study.pixel_mm**2 / 100.0 <= high
    assert study.film.parameters["nuisance"] == {}
