"""A check that can fail: liars are caught, honest films pass."""

from dataclasses import replace

import numpy as np
import pytest

from syncxr.images.faithfulness import Rate, faithfulness
from syncxr.images.renderer import RenderRequest
from syncxr.images.simulation.renderer import SimulationRenderer
from syncxr.images.simulation.study import SimulatedStudy
from syncxr.images.visibility import noise_level, visible


class Liar:
    """Films of one text passed off as those of another."""

    def __init__(self, honest: SimulationRenderer, text: str) -> None:
        self.honest, self.text = honest, text

    def shows(self, entity: object) -> bool:
        return self.honest.shows(entity)  # type: ignore[arg-type]

    def study(self, request: RenderRequest) -> SimulatedStudy:
        """The claimed film's findings over the image of another text."""
        claimed = self.honest.study(request)
        image = self.honest.study(RenderRequest(self.text, request.seed))
        film = replace(claimed.film, image=image.film.image)
        return replace(claimed, film=film, heart_ratio=image.heart_ratio, developed=image.developed)


def test_honest_films_pass(renderer: SimulationRenderer) -> None:
    texts = [
        "Small left pleural effusion. No pneumothorax.",
        "Moderate cardiomegaly. No focal consolidation.",
        "Right upper lobe consolidation. Heart size is normal.",
        "No pleural effusion or pneumothorax. Heart size is normal. Lungs are clear.",
    ]
    found = faithfulness([RenderRequest(t, i) for i, t in enumerate(texts)], renderer)
    assert found.positives.n == found.positives.hits == 3
    assert found.negatives.n == found.negatives.hits
    assert found.negatives_measured.n >= 5
    assert not found.failures


def test_a_positive_that_is_not_in_the_film_fails(renderer: SimulationRenderer) -> None:
    liar = Liar(renderer, "Normal chest.")
    found = faithfulness([RenderRequest("Moderate left pleural effusion.", 3)], liar)
    assert found.positives.hits == 0
    assert found.failures[0].entity.concept == "pleural effusion"


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("No pleural effusion.", "Moderate left pleural effusion."),
        ("No pneumothorax.", "Moderate right pneumothorax."),
        ("Heart size is normal.", "Severe cardiomegaly."),
    ],
)
def test_a_negative_that_the_film_belies_fails(
    renderer: SimulationRenderer, text: str, truth: str
) -> None:
    found = faithfulness([RenderRequest(text, 4)], Liar(renderer, truth))
    assert found.negatives.n >= 1
    assert found.negatives.hits < found.negatives.n


def test_what_cannot_be_drawn_counts_as_unseen(renderer: SimulationRenderer) -> None:
    found = faithfulness([RenderRequest("Pulmonary embolism.", 5)], renderer)
    assert found.positives.n == 1
    assert found.positives.hits == 0


def test_noise_is_not_visible() -> None:
    rng = np.random.default_rng(0)
    clean = np.full((64, 64), 120.0)
    noisy = (clean + rng.normal(0, 12, clean.shape)).astype(np.uint8)
    faint = (noisy + 3.0 * (np.hypot(*np.ogrid[-32:32, -32:32]) < 10)).astype(np.uint8)
    mask = np.hypot(*np.ogrid[-32:32, -32:32]) < 10
    assert noise_level(noisy) == pytest.approx(12.0, rel=0.15)
    assert not visible(faint, noisy, mask, 1.5)[0]
    assert visible(np.where(mask, noisy + 20, noisy).astype(np.uint8), noisy, mask, 1.5)[0]


def test_wilson_interval() -> None:
    rate = Rate.of([True] * 95 + [False] * 5)
    assert (rate.low, rate.high) == pytest.approx((0.8882, 0.9785), abs=1e-3)
    assert Rate.of([]).n == 0
