"""Scores on the held-out simulated films."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from syncxr.dataset.reader import read
from syncxr.evaluation.testsets.making import SimulatedOptions, make
from syncxr.evaluation.testsets.simulated import shown
from syncxr.evaluation.zero_shot.held_out import evaluate
from syncxr.pretraining.prompt import Prompt
from syncxr.sample import Image, Sample


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(SimulatedOptions(films=16), tmp_path_factory.mktemp("simulated"))


class Knows:
    """Answers from a table of the films' pixels; ``sign`` −1 lies."""

    def __init__(self, films: Path, sign: float = 1.0) -> None:
        self.made = {film.image.tobytes(): film for film in read(films)}
        self.sign = sign

    def zero_shot(self, images: Sequence[Image], prompts: Mapping[str, Prompt]) -> np.ndarray:
        shown = [_shown(self.made[image.tobytes()]) for image in images]
        right = np.array([[finding in found for finding in prompts] for found in shown], float)
        return (0.5 + self.sign * (right - 0.5) * 0.8).astype(np.float32)

    def ground(self, image: Image, phrase: str) -> np.ndarray:
        film = self.made[image.tobytes()]
        own = [film.masks[str(e)] for e in film.entities if e.concept == phrase]
        heat = np.any(own, axis=0).astype(np.float32)
        return heat if self.sign > 0 else 1 - heat


class Guesses:
    """Knows nothing."""

    def __init__(self) -> None:
        self.generator = np.random.default_rng(0)

    def zero_shot(self, images: Sequence[Image], prompts: Mapping[str, Prompt]) -> np.ndarray:
        return self.generator.random((len(images), len(prompts)), np.float32)

    def ground(self, image: Image, phrase: str) -> np.ndarray:
        return self.generator.random(image.shape, np.float32)


def _shown(film: Sample) -> set[str]:
    return shown(film.entities, film.provenance)


def test_oracle_opposite_and_chance(films: Path) -> None:
    right, wrong, guess = (evaluate(m, films) for m in (Knows(films), Knows(films, -1), Guesses()))
    assert right.classification.mean == right.grounding.mean == 1.0
    assert wrong.classification.mean == wrong.grounding.mean == 0.0
    assert guess.classification.low < 0.5 < guess.classification.high


def test_the_output_says_one_source_ct(films: Path) -> None:
    found = evaluate(Guesses(), films, samples=20)
    assert any("one source CT" in note for note in found.classification.notes)
    assert any("one source CT" in note for note in found.grounding.notes)
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_shadow_with_two_names_is_no_negative_for_either(films: Path) -> None:
    found = evaluate(Guesses(), films, samples=20).classification
    seen = [_shown(film) for film in read(films)]
    for finding, other in (("consolidation", "opacity"), ("opacity", "consolidation")):
        row = next(row for row in found.rows if row.finding == finding)
        assert row.negatives == sum(not {finding, other} & found_here for found_here in seen)
