"""Lexicon.contradict and the places it rests on."""

from __future__ import annotations

from itertools import product

import pytest

from syncxr.entities.bank import parse_surface
from syncxr.entities.lexicon import load_lexicon
from syncxr.entities.location import Location

LEXICON = load_lexicon()


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("nodule", "no nodule", True),
        ("mild cardiomegaly", "severe cardiomegaly", True),
        ("small left pleural effusion", "large right pleural effusion", False),
        ("small left pleural effusion", "large pleural effusion", True),
        ("hyperinflation", "low lung volumes", True),
        # A denial of what the finding implies, also through a chain and a summary.
        ("consolidation", "no opacity", True),
        ("empyema", "no costophrenic angle blunting", True),
        ("opacity", "no consolidation", False),
        ("pneumothorax", "no acute cardiopulmonary disease", True),
        ("scoliosis", "no acute cardiopulmonary disease", False),
        ("no nodule", "no opacity", False),
        # Structures called normal.
        ("cardiomegaly", "heart", True),
        ("cardiomegaly", "cardiomediastinal silhouette", True),
        ("cardiomegaly", "lungs", False),
        ("no cardiomegaly", "heart", False),
        ("pleural effusion", "costophrenic angles", True),
        ("aortic aneurysm", "cardiomediastinal silhouette", True),
        ("heart", "heart", True),
        ("heart", "lungs", False),
        # Places called clear.
        ("consolidation", "left lower lobe", True),
        ("left consolidation", "left lower lobe", True),
        ("bilateral consolidation", "left lower lobe", True),
        ("left base opacity", "left lower zone", True),
        ("right consolidation", "left lower lobe", False),
        ("left upper lobe consolidation", "left lower lobe", False),
        ("left upper zone nodule", "left base", False),
        ("left pleural effusion", "left lower lobe", False),
        ("lungs", "left lower lobe", True),
        ("left upper lobe", "left lower lobe", False),
        ("left", "left lower lobe", True),
    ],
)
def test_contradiction_is_symmetric_and_as_a_radiologist_would_say(
    a: str, b: str, expected: bool
) -> None:
    first, second = parse_surface(a), parse_surface(b)
    assert LEXICON.contradict(first, second) is expected
    assert LEXICON.contradict(second, first) is expected


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("consolidation", "right upper lobe opacity", True),
        ("pneumonia", "density", True),
        ("consolidation", "nodule", False),
        ("no consolidation", "no opacity", False),
    ],
)
def test_a_finding_repeats_what_another_implies(a: str, b: str, expected: bool) -> None:
    first, second = parse_surface(a), parse_surface(b)
    assert LEXICON.repeat(first, second) is LEXICON.repeat(second, first) is expected


def test_implications_name_concepts_of_the_lexicon() -> None:
    named = {
        name
        for table in (LEXICON.implies, LEXICON.summaries)
        for key, others in table.items()
        for name in (key, *others)
    }
    assert named <= set(LEXICON.concepts)


def test_overlap_is_reflexive_and_symmetric_over_all_places() -> None:
    places = [Location.parse(where) for where in sorted({*sum(LEXICON.sites.values(), ())})]
    assert all(where.overlaps(where) for where in places)
    assert all(a.overlaps(b) == b.overlaps(a) for a, b in product(places, places))
