import numpy as np
import pytest

from syncxr.curation.judge import QUESTIONS
from syncxr.curation.labelled_films.families import (
    FAMILIES,
    FAULTY,
    GOOD,
    HELD_OUT,
    TRAINED,
    Family,
)
from syncxr.curation.labelled_films.stock import Stock


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES.keys())
def test_the_generator_decides_the_film(family: Family, stock: Stock) -> None:
    first, again, other = (family(stock, np.random.default_rng(seed), 0.5) for seed in (1, 1, 2))
    assert first.dtype == np.uint8
    assert first.ndim == 2
    np.testing.assert_array_equal(first, again)
    assert first.shape != other.shape or (first != other).any()


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_question_has_trained_and_held_out_faults(question: str) -> None:
    assert any(question in family.fails for family in TRAINED)
    assert any(question in family.fails for family in HELD_OUT)


def test_families_are_either_trained_or_held_out() -> None:
    trained, held_out, faulty, good = (
        {family.name for family in group} for group in (TRAINED, HELD_OUT, FAULTY, GOOD)
    )
    assert not trained & held_out
    assert trained | held_out == faulty
    assert faulty | good == set(FAMILIES)
    assert all(set(family.answers) <= set(QUESTIONS) for family in FAMILIES.values())


def test_good_films_claim_only_yes() -> None:
    assert FAMILIES["good"].answers == dict.fromkeys(QUESTIONS, True)
    assert all(family.fails == () for family in GOOD)
