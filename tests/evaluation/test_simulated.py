"""The held-out simulated test set: other words, other patients, balanced, true to the renderer."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from syncxr.dataset.reader import read
from syncxr.entities.extraction import extract
from syncxr.evaluation import simulated
from syncxr.evaluation.simulated import SimulatedOptions, evaluate, make, plan, wording
from syncxr.reports.grammar import Grammar, parse
from syncxr.reports.wording import load_wording
from syncxr.sample import Polarity

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
        assert simulated._shown(film) == {entity.concept for entity in film.entities}


def test_made_once(films: Path) -> None:
    shard = next(films.rglob("*.parquet"))
    before = shard.stat().st_mtime_ns
    make(SimulatedOptions(films=16), films.parent)
    assert shard.stat().st_mtime_ns == before


def test_oracle_opposite_and_chance(films: Path, oracle: Callable, dice: object) -> None:
    truth = {film.image.tobytes(): frozenset(simulated._shown(film)) for film in read(films)}
    assert evaluate(oracle(truth), films).classification.mean == 1.0
    assert evaluate(oracle(truth, -1), films).classification.mean == 0.0
    guess = evaluate(dice, films).classification
    assert guess.low < 0.5 < guess.high


def test_what_was_not_shown_is_no_positive(films: Path) -> None:
    film = next(film for film in read(films) if film.entities)
    film.provenance["film"]["shown"] = []
    assert simulated._shown(film) == set()


def test_the_output_says_one_source_ct(films: Path, dice: object) -> None:
    found = evaluate(dice, films)
    assert any("one source CT" in note for note in found.classification.notes)
    assert any("one source CT" in note for note in found.grounding.notes)


def test_a_shadow_with_two_names_is_no_negative_for_either(films: Path, dice: object) -> None:
    found = evaluate(dice, films).classification
    shown = [simulated._shown(film) for film in read(films)]
    for finding, other in (("consolidation", "opacity"), ("opacity", "consolidation")):
        row = next(row for row in found.rows if row.finding == finding)
        assert row.negatives == sum(not {finding, other} & found_here for found_here in shown)
