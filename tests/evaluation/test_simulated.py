"""The held-out simulated test set: other words, other patients, balanced, true to the renderer."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from syncxr.dataset.reader import read
from syncxr.entities.extraction import extract
from syncxr.evaluation.simulated import SimulatedOptions, evaluate, make, plan, wording
from syncxr.evaluation.testsets.simulated import shown
from syncxr.pretraining.prompt import Prompt
from syncxr.reports.grammar import Grammar, parse
from syncxr.reports.wording import load_wording
from syncxr.sample import Image, Polarity, Sample

SENTENCES = [
    (finding, sentence)
    for finding, patterns in wording().items()
    for pattern in patterns
    for sentence in Grammar(parse(pattern)).cover(np.random.default_rng(0))
]


@pytest.mark.parametrize(("finding", "sentence"), SENTENCES)
def test_each_sentence_says_one_thing_in_words_of_its_own(finding: str, sentence: str) -> None:
    entities = {mention.entity for mention in extract(sentence)}
    assert [(e.concept, e.polarity) for e in entities] == [(finding, Polarity.PRESENT)], sentence
    (entity,) = entities
    trained = load_wording()
    assert not Grammar(trained.sentence(entity)).accepts(sentence)
    assert not Grammar(trained.summary(entity)).accepts(sentence)


def test_balanced_and_deterministic() -> None:
    options = SimulatedOptions(films=240)
    films = plan(options)
    assert [f.findings for f in films] == [f.findings for f in plan(options)]
    counts = Counter(len(film.entities) for film in films)
    assert counts == {0: 60, 1: 120, 2: 60}
    findings = Counter(entity.concept for film in films for entity in film.entities)
    assert set(findings) == set(wording())
    assert max(findings.values()) - min(findings.values()) <= 1
    for film in films:
        assert {"consolidation", "opacity"} - {entity.concept for entity in film.entities}
    assert len({film.id for film in films}) == 240


def test_more_films_keep_the_first_ones() -> None:
    few, many = (plan(SimulatedOptions(films=count)) for count in (20, 40))
    assert [film.findings for film in many[:20]] == [film.findings for film in few]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(SimulatedOptions(films=16), tmp_path_factory.mktemp("simulated"))


def test_films_are_of_held_out_patients_with_masks(films: Path) -> None:
    made = list(read(films))
    assert len(made) == 16
    for film in made:
        assert film.provenance["film"]["parameters"]["population"] == "held_out"
        assert set(film.masks) <= {str(entity) for entity in film.entities}
        assert _shown(film) == {entity.concept for entity in film.entities}


def test_made_once(films: Path) -> None:
    shard = next(films.rglob("*.parquet"))
    before = shard.stat().st_mtime_ns
    make(SimulatedOptions(films=16), films.parent)
    assert shard.stat().st_mtime_ns == before


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
