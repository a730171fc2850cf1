"""Scores on the held-out simulated films."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from syncxr.dataset.reader import read
from syncxr.evaluation.suites import running
from syncxr.evaluation.suites.held_out import SimulatedResult, evaluate
from syncxr.evaluation.testsets.making import SimulatedOptions, make
from syncxr.evaluation.testsets.simulated import shown
from syncxr.pretraining.preprocessing import Preprocessing
from syncxr.sample import Image, Sample


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(SimulatedOptions(films=16), tmp_path_factory.mktemp("simulated"))


class Knows:
    """Answers from a table of the films' pixels; ``sign`` −1 lies, 0 guesses."""

    preprocessing = Preprocessing(size=64)

    def __init__(self, films: Path, seen: nn.Module, sign: float = 1.0) -> None:
        self.made = {
            image.tobytes(): film
            for film in read(films)
            for image in (film.image, self.preprocessing.apply(film.image))
        }
        self.image_encoder, self.sign = seen, sign
        self.generator = np.random.default_rng(0)

    def ask(self, texts: Sequence[str]) -> Callable[[Tensor], Tensor]:
        def logit(shown: set[str], text: str) -> float:
            if not self.sign:
                return float(self.generator.normal())
            return self.sign * (float(text.removeprefix("no ") in shown) - 0.5)

        def of(seen: Tensor) -> Tensor:
            films = (seen[:, 0] * 255).round().to(torch.uint8).numpy()
            found = [_shown(self.made[film.tobytes()]) for film in films]
            signs = [-1 if text.startswith("no ") else 1 for text in texts]
            pairs = list(zip(texts, signs, strict=True))
            return torch.tensor([[sign * logit(f, text) for text, sign in pairs] for f in found])

        return of

    def pointer(self, phrases: Sequence[str]) -> Callable:
        return lambda image: lambda phrase: self.ground(image, phrase)

    def ground(self, image: Image, phrase: str) -> np.ndarray:
        if not self.sign:
            return self.generator.random(image.shape, np.float32)
        film = self.made[image.tobytes()]
        own = [film.masks[str(e)] for e in film.entities if e.concept == phrase]
        heat = np.any(own, axis=0).astype(np.float32)
        return heat if self.sign > 0 else 1 - heat


def _shown(film: Sample) -> set[str]:
    return shown(film.entities, film.provenance)


@pytest.fixture
def scored(
    films: Path, tower: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[float], SimulatedResult]:
    def found(sign: float) -> SimulatedResult:
        model = Knows(films, tower(), sign)
        about = SimpleNamespace(weights_sha256=str(sign), preprocessing=model.preprocessing)
        monkeypatch.setattr(running, "describe", lambda _: about)
        monkeypatch.setattr(running, "load", lambda _: model)
        return evaluate(Path("checkpoint"), films, tmp_path, samples=100)

    return found


def test_oracle_opposite_and_chance(scored: Callable[[float], SimulatedResult]) -> None:
    right, wrong, guess = (scored(sign) for sign in (1, -1, 0))
    assert right.classification.mean == right.grounding.mean == 1.0
    assert wrong.classification.mean == wrong.grounding.mean == 0.0
    assert guess.classification.low < 0.5 < guess.classification.high


def test_the_output_says_one_source_ct(scored: Callable[[float], SimulatedResult]) -> None:
    found = scored(0)
    assert any("one source CT" in note for note in found.classification.notes)
    assert any("one source CT" in note for note in found.grounding.notes)
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_shadow_with_two_names_is_no_negative_for_either(
    films: Path, scored: Callable[[float], SimulatedResult]
) -> None:
    found = scored(0).classification
    seen = [_shown(film) for film in read(films)]
    for finding, other in (("consolidation", "opacity"), ("opacity", "consolidation")):
        row = next(row for row in found.rows if row.finding == finding)
        assert row.negatives == sum(not {finding, other} & found_here for found_here in seen)
