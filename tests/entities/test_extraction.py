from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncxr.entities.extraction import entities_of, extract
from syncxr.entities.lexicon import Concept, load_lexicon
from syncxr.entities.location import Location
from syncxr.entities.vocabulary import load_vocabulary, plural
from syncxr.sample import Category, Entity, Polarity

LEXICON = load_lexicon()
SIZES = {"mild": "small", "moderate": "moderate", "severe": "large"}


def stated(text: str) -> set[str]:
    """Entities of a text in the words of ``str(Entity)``."""
    return {str(entity) for entity in entities_of(extract(text))}


def article(words: str) -> str:
    return f"An {words}" if words[0] in "aeiou" else f"A {words}"


def adjective(location: str) -> str:
    """A location as it stands before a noun: "right basilar"."""
    side, zone = Location.parse(location)
    return f"{side} {({'base': 'basilar', 'apex': 'apical'}).get(zone, zone)}".strip()


PREFIXED = (
    "There is {a} {severity} {place} {name}.",
    "{a} {severity} {place} {name} is seen.",
    "The findings show {a} {severity} {place} {name}, which is unchanged.",
    "{severity} {place} {name} is present.",
)
SUFFIXED = (
    "There is {a} {severity} {name} in the {zone}.",
    "{a} {severity} {name} projects over the {zone}.",
    "In the {zone} there is {a} {severity} {name}.",
    "The {zone} shows {a} {severity} {name}.",
    "{a} {severity} {name} is seen at the {zone}.",
)
DENIED = (
    "No {place} {name} is seen.",
    "There is no evidence of {place} {name}.",
    "No {place} {name}.",
    "There is no {place} {name}.",
    "{place} {name} is not identified.",
    "The previously seen {place} {name} has resolved.",
    "The study is negative for {place} {name}.",
)
HEDGED = (
    "Possible {severity} {place} {name}.",
    "A {severity} {place} {name} cannot be excluded.",
    "There may be a change suspicious for {severity} {place} {name}.",
    "Cannot exclude {severity} {place} {name}.",
)


@st.composite
def statements(draw: st.DrawFn) -> tuple[Concept, str, str]:
    """A concept with a place and a severity that it takes."""
    concept = LEXICON.concepts[draw(st.sampled_from(sorted(LEXICON.concepts)))]
    location = draw(st.sampled_from(("", *LEXICON.sites[concept.sites])))
    graded = concept.scale != "none"
    return concept, location, draw(st.sampled_from(("", *SIZES))) if graded else ""


def fill(template: str, concept: Concept, location: str, severity: str) -> str:
    grade = SIZES.get(severity, "") if concept.scale == "size" else severity
    text = template.format(
        a="a", severity=grade, place=adjective(location), zone=location, name=concept.name
    )
    text = " ".join(text.split()).replace(" .", ".")
    return text[0].upper() + text[1:]


@settings(max_examples=600, deadline=None)
@given(statements(), st.sampled_from(PREFIXED))
def test_a_present_finding_is_recovered(said: tuple[Concept, str, str], template: str) -> None:
    concept, location, severity = said
    text = fill(template, concept, location, severity)
    expected = concept.entity(Polarity.PRESENT, location, severity)
    assert entities_of(extract(text)) == {expected}, text


@settings(max_examples=400, deadline=None)
@given(statements().filter(lambda said: " " in said[1]), st.sampled_from(SUFFIXED))
def test_a_place_after_a_finding_is_recovered(
    said: tuple[Concept, str, str], template: str
) -> None:
    concept, location, severity = said
    text = fill(template, concept, location, severity)
    expected = concept.entity(Polarity.PRESENT, location, severity)
    assert entities_of(extract(text)) == {expected}, text


@settings(max_examples=400, deadline=None)
@given(statements(), st.sampled_from(DENIED))
def test_a_denied_finding_is_recovered(said: tuple[Concept, str, str], template: str) -> None:
    concept, location, _ = said
    text = fill(template, concept, location, "")
    assert entities_of(extract(text)) == {concept.entity(Polarity.ABSENT, location)}, text


@settings(max_examples=400, deadline=None)
@given(statements(), st.sampled_from(HEDGED))
def test_a_hedged_finding_is_recovered(said: tuple[Concept, str, str], template: str) -> None:
    concept, location, severity = said
    text = fill(template, concept, location, severity)
    expected = concept.entity(Polarity.UNCERTAIN, location, severity)
    assert entities_of(extract(text)) == {expected}, text


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(sorted(LEXICON.concepts)), min_size=2, max_size=4, unique=True),
    st.sampled_from(
        ("No {}.", "There is no {}.", "Appearances are stable without {}.", "No {} is seen.")
    ),
)
def test_a_denied_list_denies_every_item(names: list[str], template: str) -> None:
    listed = ", ".join(names[:-1]) + f" or {names[-1]}"
    expected = {LEXICON.concepts[name].entity(Polarity.ABSENT) for name in names}
    found = entities_of(extract(template.format(listed)))
    assert {e for e in found if e.concept in names} == expected


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(sorted(LEXICON.anatomies)),
    st.sampled_from(
        (
            "The {} appears normal.",
            "The {} is within normal limits.",
            "The {} is unremarkable.",
            "Normal {}.",
        )
    ),
)
def test_a_structure_called_normal_is_recovered(name: str, template: str) -> None:
    expected = Entity(name, Category.ANATOMY, Polarity.ABSENT)
    assert entities_of(extract(template.format(name))) == {expected}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("There is a small left pleural effusion.", {"mild left pleural effusion"}),
        ("A 9 mm nodule projects over the right upper lobe.", {"right upper lobe nodule"}),
        ("Heart size is normal.", {"normal heart"}),
        ("The left lung is clear.", {"normal left lungs"}),
        ("The right lower lobe is clear.", {"normal right lower lobe lungs"}),
        ("Both lungs are clear.", {"normal lungs"}),
        ("Both bases are clear.", {"normal bilateral base lungs"}),
        (
            "The heart, lungs and mediastinum are normal.",
            {"normal heart", "normal lungs", "normal mediastinum"},
        ),
        ("Normal heart size and clear lungs.", {"normal heart", "normal lungs"}),
        ("The cardiac silhouette is markedly enlarged.", {"severe cardiomegaly"}),
        ("The heart is not enlarged.", {"no cardiomegaly"}),
        ("Blunting of the left costophrenic angle.", {"left costophrenic angle blunting"}),
        ("The right hemidiaphragm is elevated.", {"right diaphragmatic elevation"}),
        ("The mediastinum is shifted to the right.", {"right mediastinal shift"}),
        ("Leftward shift of the mediastinum.", {"left mediastinal shift"}),
        ("Left-sided tracheal deviation.", {"left tracheal deviation"}),
        ("No mediastinal shift to the left or right.", {"no mediastinal shift"}),
        (
            "Right upper lobe collapse with mediastinal shift.",
            {"right upper lobe lobar collapse", "mediastinal shift"},
        ),
        ("Bibasilar opacities.", {"bilateral base opacity"}),
        ("Opacities in the left and right lower lobes.", {"bilateral lower lobe opacity"}),
        (
            "Small right and moderate left pleural effusions.",
            {"mild right pleural effusion", "moderate left pleural effusion"},
        ),
        ("Opacities in the left base and right apex.", {"left base opacity", "right apex opacity"}),
        ("Consolidation at the base of the left lung.", {"left base consolidation"}),
        ("On the right, there is a basilar opacity.", {"right base opacity"}),
        ("The left pleural effusion is small.", {"mild left pleural effusion"}),
        (
            "Large effusion on the left and small effusion on the right.",
            {"severe left pleural effusion", "mild right pleural effusion"},
        ),
        ("No change in the small left effusion.", {"mild left pleural effusion"}),
        ("No effusion, and the nodule is stable.", {"no pleural effusion", "nodule"}),
        ("No effusion but a nodule is seen.", {"no pleural effusion", "nodule"}),
        ("Left base opacity may represent pneumonia.", {"left base opacity", "possible pneumonia"}),
        ("No opacity suspicious for pneumonia.", {"no opacity", "no pneumonia"}),
        ("History of tuberculosis.", set()),
        ("Heart size is at the upper limits of normal.", {"normal heart"}),
        ("The heart is borderline enlarged.", {"possible cardiomegaly"}),
        (
            "No cardiomegaly with small bilateral effusions.",
            {"no cardiomegaly", "mild bilateral pleural effusion"},
        ),
        (
            "The lungs do not demonstrate infiltrate or effusion.",
            {"no infiltrate", "no pleural effusion"},
        ),
        (
            "No consolidation or effusion.. No nodule.",
            {"no consolidation", "no pleural effusion", "no nodule"},
        ),
        ("", set()),
    ],
)
def test_examples(text: str, expected: set[str]) -> None:
    assert stated(text) == expected


@pytest.mark.parametrize("name", sorted(LEXICON.concepts))
def test_every_surface_of_a_concept_is_read_as_it(name: str) -> None:
    for form in (name, *LEXICON.concepts[name].synonyms):
        for surface in (form, plural(form)):
            assert {m.entity.concept for m in extract(f"There is {surface}.")} == {name}, surface


@pytest.mark.parametrize("name", sorted(LEXICON.anatomies))
def test_every_surface_of_a_structure_can_be_called_normal(name: str) -> None:
    for surface in (name, *LEXICON.anatomies[name].synonyms):
        assert stated(f"The {surface} is normal.") == {f"normal {name}"}, surface


@pytest.mark.parametrize(("pair", "concept"), sorted(load_vocabulary().states.items()))
def test_what_is_said_of_a_structure_is_read_in_both_orders(
    pair: tuple[str, str], concept: str
) -> None:
    structure, word = pair
    for text in (f"The {structure} is {word}.", f"There is {word} {structure}."):
        assert {m.entity.concept for m in extract(text)} == {concept}, text


def test_a_hilum_is_a_place_and_a_structure() -> None:
    assert stated("The left hilum is prominent.") == {"left hilar enlargement"}
    assert stated("Opacity at the left hilum.") == {"left hilum opacity"}


def test_a_mention_marks_its_words() -> None:
    text = "Heart size is normal. There is a small left pleural effusion."
    assert [text[m.start : m.end] for m in extract(text)] == ["Heart size", "pleural effusion"]


def test_order_and_batch_do_not_matter() -> None:
    from syncxr.entities.extraction import RuleExtractor

    texts = ["No pneumothorax.", "Moderate cardiomegaly is present.", "The lungs are clear."]
    together = RuleExtractor().extract(texts)
    assert together == [extract(text) for text in texts]
