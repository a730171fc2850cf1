"""Every sentence that the grammar allows says its statement and nothing else."""

from collections.abc import Iterator

import numpy as np
import pytest

from syncxr.entities.extraction import default_extractor, entities_of
from syncxr.entities.lexicon import Concept, load_lexicon
from syncxr.reports.grammar import Grammar, Phrase
from syncxr.reports.wording import load_wording
from syncxr.sample import Category, Entity, Polarity

LEXICON = load_lexicon()
WORDING = load_wording()


def assert_all_say(texts: list[str], expected: set[Entity]) -> None:
    stripped = [text.strip() for text in dict.fromkeys(texts)]
    for text, mentions in zip(stripped, default_extractor().extract(stripped), strict=True):
        assert entities_of(mentions) == expected, text


def covering(phrase: Phrase) -> list[str]:
    return list(Grammar(phrase).cover(np.random.default_rng(0)))


def statements(concept: Concept) -> Iterator[Entity]:
    """Every polarity and severity of a finding, without a place and at its first one."""
    severities = ("",) if concept.scale == "none" else ("", "mild", "moderate", "severe")
    for location in ("", *LEXICON.sites[concept.sites][:1]):
        yield concept.entity(Polarity.ABSENT, location)
        for severity in severities:
            yield concept.entity(Polarity.PRESENT, location, severity)
            yield concept.entity(Polarity.UNCERTAIN, location, severity)


@pytest.mark.parametrize("name", sorted(LEXICON.concepts))
def test_every_branch_says_the_finding(name: str) -> None:
    for entity in statements(LEXICON.concepts[name]):
        assert_all_say(covering(WORDING.sentence(entity, opening=True)), {entity})
        if entity.polarity is not Polarity.ABSENT:
            assert_all_say(covering(WORDING.summary(entity)), {entity})


@pytest.mark.parametrize("sites", sorted(LEXICON.sites))
def test_every_place_can_be_said(sites: str) -> None:
    rng = np.random.default_rng(1)
    concepts = [c for c in LEXICON.concepts.values() if c.sites == sites]
    for location in LEXICON.sites[sites]:
        for concept in concepts:
            entity = concept.entity(Polarity.PRESENT, location)
            grammar = Grammar(WORDING.sentence(entity))
            assert_all_say([grammar.walk(rng) for _ in range(10)], {entity})


@pytest.mark.parametrize("name", sorted(LEXICON.anatomies))
def test_every_structure_can_be_called_normal(name: str) -> None:
    entity = Entity(name, Category.ANATOMY, Polarity.ABSENT)
    assert_all_say(covering(WORDING.sentence(entity)), {entity})


def test_every_part_of_the_lungs_can_be_called_normal() -> None:
    places = {*LEXICON.sites["lung"], *LEXICON.sites["apical"]} - {"bilateral"}
    for location in sorted(places):
        entity = Entity("lungs", Category.ANATOMY, Polarity.ABSENT, location)
        assert_all_say(covering(WORDING.sentence(entity)), {entity})


def test_denials_in_one_sentence() -> None:
    rng = np.random.default_rng(2)
    concepts = list(LEXICON.concepts.values())
    for _ in range(200):
        drawn = rng.choice(len(concepts), size=int(rng.integers(1, 4)), replace=False)
        entities = [concepts[i].entity(Polarity.ABSENT) for i in drawn]
        if not all(WORDING.joins(entity) for entity in entities):
            continue
        grammar = Grammar(WORDING.denial(entities))
        assert_all_say([grammar.walk(rng) for _ in range(5)], set(entities))


def test_normal_impressions_state_nothing() -> None:
    assert_all_say(covering(WORDING.normal_impression()), set())


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("pleural effusion", 300),
        ("pneumothorax", 150),
        ("cardiomegaly", 100),
        ("consolidation", 1000),
        ("opacity", 1000),
        ("nodule", 1000),
    ],
)
def test_there_is_something_to_choose(name: str, least: int) -> None:
    concept = LEXICON.concepts[name]
    severity = "" if concept.scale == "none" else "mild"
    location = "" if concept.sites == "none" else LEXICON.sites[concept.sites][0]
    entity = concept.entity(Polarity.PRESENT, location, severity)
    assert Grammar(WORDING.sentence(entity)).count() >= least


def test_a_finding_of_the_users_own_is_called_by_its_name() -> None:
    sentence = WORDING.sentence(Entity("dextrocardia", Category.ABNORMALITY, Polarity.PRESENT))
    assert Grammar(sentence).accepts(" There is dextrocardia.")
