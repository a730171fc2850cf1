"""Which words count as the same, by which rule, and which never do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncxr.entities.lexicon import load_lexicon
from syncxr.entities.matching import (
    Comparison,
    ExactMatcher,
    Match,
    MatchingOptions,
    TermMatcher,
    build_matcher,
    normal,
)
from syncxr.entities.vocabulary import plural
from syncxr.models import ModelOptions
from syncxr.sample import Category, Entity, Polarity

A, N, D, T = Category.ABNORMALITY, Category.NON_ABNORMALITY, Category.DISEASE, Category.ANATOMY
SURFACE = TermMatcher(None, 1.0, synonyms=False)
SYNONYMS = TermMatcher(None, 1.0, synonyms=True)


def e(words: str, category: Category = A, location: str = "", severity: str = "") -> Entity:
    present = category in (Category.ABNORMALITY, Category.DISEASE)
    polarity = Polarity.PRESENT if present else Polarity.ABSENT
    return Entity(words, category, polarity, location, severity)


def same(matcher: TermMatcher, planned: Entity, found: Entity) -> str:
    """The rule that matched, or nothing; both directions must agree."""
    result = matcher.compare([planned], [planned], [found])
    assert bool(result.lacks) == bool(result.adds)
    return "" if result.lacks else result.matches[0].rule


def test_exact_compares_whole_entities() -> None:
    small, plain = e("effusion", severity="mild"), e("effusion")
    assert ExactMatcher().compare([small], [small, plain], [plain]) == Comparison((small,), ())
    assert ExactMatcher().compare([], [small], [plain]) == Comparison((), (plain,))
    assert ExactMatcher().compare([plain], [plain], [plain]) == Comparison((), ())


@pytest.mark.parametrize(
    ("planned", "found"),
    [
        ("right-sided widget", "Right sided widget"),
        ("widget", "the widget"),
        ("widget (new)", "widget new"),
    ],
)
def test_surface_forgives_case_hyphens_punctuation_and_articles(planned: str, found: str) -> None:
    assert same(SURFACE, e(planned), e(found)) == "surface"


def test_surface_forgives_nothing_else() -> None:
    assert same(SURFACE, e("pleural effusion"), e("pleural effusions")) == ""
    assert same(SURFACE, e("edema"), e("edema", N)) == ""
    assert same(SURFACE, e("edema"), e("edema", D)) == ""


@pytest.mark.parametrize(
    ("planned", "found"),
    [
        (e("pleural effusion"), e("effusions")),
        (e("pleural effusion", location="left"), e("left pleural effusion")),
        (e("pleural effusion", location="left base"), e("pleural fluid at the left lung base")),
        (e("pleural effusion", severity="mild"), e("tiny effusion")),
        (e("pleural effusion", N), e("pleural effusions", N)),
        (e("heart", T), e("cardiac silhouette", T)),
        (e("lungs", T, "left lower lobe"), e("lll", T)),
        (e("lungs", T), e("both lungs", T)),
        (e("lungs", T, "left"), e("left lung", T)),
    ],
)
def test_synonyms_are_the_lexicons(planned: Entity, found: Entity) -> None:
    assert same(SYNONYMS, planned, found) == "synonyms"
    assert same(SURFACE, planned, found) == ""


@pytest.mark.parametrize(
    ("planned", "found"),
    [
        (e("pleural effusion", location="left"), e("right pleural effusion")),
        (e("pleural effusion", severity="mild"), e("large effusion")),
        (e("pleural effusion"), e("pneumothorax")),
        (e("pleural effusion"), e("loculated effusion")),
        (e("pleural effusion"), e("pleural effusion widget")),
        (e("pleural effusion"), e("effusions", N)),
        (e("heart", T), e("cardiomegaly", T)),
        (e("lungs", T, "left lower lobe"), e("left upper lobe", T)),
    ],
)
def test_what_the_lexicon_tells_apart_stays_apart(planned: Entity, found: Entity) -> None:
    result = SYNONYMS.compare([planned], [planned], [found])
    assert result.lacks and result.adds


@given(st.data())
def test_every_synonym_of_every_concept_is_read(data: st.DataObject) -> None:
    """Unless its words name a place, a degree or another concept as well."""
    concept = data.draw(st.sampled_from(sorted(load_lexicon().concepts.values(), key=str)))
    words = data.draw(st.sampled_from((concept.name, *concept.synonyms)))
    words = data.draw(st.sampled_from((words, plural(words))))
    category = concept.category(Polarity.PRESENT)
    assert same(SYNONYMS, e(concept.name, category), e(words, category)) in ("surface", "synonyms")


def test_a_place_said_within_covers_a_place_of_its_own() -> None:
    plan = [e("pleural effusion", location="left"), e("heart", T)]
    stated = [e("left effusion"), e("heart", T)]
    result = SYNONYMS.compare(plan, plan, stated)
    assert (result.lacks, result.adds) == ((), ())
    assert set(result.matches) == {
        Match("left; pleural effusion", "left effusion", "synonyms", 1.0),
        Match("heart", "heart", "surface", 1.0),
    }


def test_an_optional_term_is_neither_lacking_nor_added() -> None:
    plan = [e("edema"), e("pneumothorax", N)]
    assert SURFACE.compare(plan[:1], plan, [plan[0]]).lacks == ()
    result = SURFACE.compare(plan[:1], plan, plan)
    assert (result.lacks, result.adds) == ((), ())
    assert [match.planned for match in result.matches] == ["edema", "no pneumothorax"]


@given(st.lists(st.sampled_from(["edema", "widgets", "left effusion"]), unique=True, max_size=3))
def test_a_text_that_says_its_plan_always_passes(drawn: list[str]) -> None:
    plan = [e(words) for words in drawn]
    for matcher in (SURFACE, SYNONYMS, ExactMatcher()):
        result = matcher.compare(plan, plan, plan)
        assert (result.lacks, result.adds) == ((), ())


@pytest.fixture(scope="module")
def embedding() -> TermMatcher:
    matcher = build_matcher(MatchingOptions(rule="embedding", threshold=0.7))
    assert isinstance(matcher, TermMatcher)
    return matcher


def test_an_encoder_matches_what_no_table_has(embedding: TermMatcher) -> None:
    planned, found = e("swollen axillary glands"), e("swollen glands of the axilla")
    (match,) = embedding.compare([planned], [planned], [found]).matches
    assert match.rule == "embedding" and 0.7 <= match.similarity < 1
    assert embedding.compare([planned], [planned], [e("coins in the pocket")]).lacks


def test_an_encoder_is_not_asked_about_sides_degrees_and_known_words(
    embedding: TermMatcher,
) -> None:
    for planned, found in [
        (e("swollen left gland"), e("swollen right gland")),
        (e("small swollen gland"), e("large swollen gland")),
        (e("gland in the upper lobe"), e("gland in the lower lobe")),
        (e("bronchiectasis"), e("bronchitis")),
        (e("pleural effusion"), e("loculated pleural effusion")),
        (e("swollen gland"), e("swollen gland", N)),
    ]:
        result = embedding.compare([planned], [planned], [found])
        assert result.lacks and result.adds, (planned, found)


def test_the_threshold_decides() -> None:
    planned, found = e("swollen axillary glands"), e("swollen glands of the axilla")
    strict = build_matcher(MatchingOptions(rule="embedding", threshold=0.999))
    assert strict.compare([planned], [planned], [found]).lacks


def test_an_encoder_by_folder_and_pooling() -> None:
    from syncxr.assets import fetch
    from syncxr.entities.embedding import SentenceEncoder

    options = ModelOptions(model=str(fetch("minilm-l6-v2")))
    texts = ["edema", "a pleural effusion on the left", "edema", ""]
    mean, first = SentenceEncoder(options), SentenceEncoder(options, "cls")
    vectors = mean.encode(texts)
    assert vectors.shape == (4, 384)
    assert (vectors[0] == vectors[2]).all() and abs((vectors**2).sum(1) - 1).max() < 1e-5
    assert abs(first.encode(texts) - vectors).max() > 0.01
    # Alone or in company, to the last bit.
    assert (SentenceEncoder(options).encode(texts[1:2])[0] == vectors[1]).all()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("The  Left-sided PE.", "left sided pe"), ("a", "a"), ("(__)", ""), ("the a x", "x")],
)
def test_normal_words(text: str, expected: str) -> None:
    assert normal(text) == expected
