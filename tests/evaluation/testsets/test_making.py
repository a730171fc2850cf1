"""The held-out simulated test set: other words, other patients, balanced, true to the renderer."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from syncxr.dataset.reader import read
from syncxr.entities.extraction import extract
from syncxr.evaluation.testsets.making import SimulatedOptions, make, plan, wording
from syncxr.evaluation.testsets.simulated import shown
from syncxr.reports.grammar import Grammar, parse
from syncxr.reports.wording import load_wording
from syncxr.sample import Polarity, Sample

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


def _shown(film: Sample) -> set[str]:
    return shown(film.entities, film.provenance)
