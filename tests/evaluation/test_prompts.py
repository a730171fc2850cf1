"""Prompt sets: what the texts say is what they are meant to say."""

import pytest

from syncxr.entities.extraction import extract
from syncxr.errors import SyncxrError
from syncxr.evaluation.prompts import load_prompts
from syncxr.sample import Polarity

BOOK = load_prompts()
KNOWN = sorted(BOOK.findings)


def test_the_pair_is_chexzeros() -> None:
    prompt = BOOK.prompts("pair", ["pleural effusion"])["pleural effusion"]
    assert prompt == (("pleural effusion",), ("no pleural effusion",))


@pytest.mark.parametrize("name", sorted(BOOK.sets))
@pytest.mark.parametrize("finding", KNOWN)
def test_no_text_affirms_and_denies(name: str, finding: str) -> None:
    prompt = BOOK.prompts(name, [finding])[finding]
    assert prompt.positive and prompt.negative
    assert not set(prompt.positive) & set(prompt.negative)
    for text in (*prompt.positive, *prompt.negative):
        assert "<" not in text
        assert not text.endswith(".") or text[0].isupper()


@pytest.mark.parametrize(
    "finding",
    ["pleural effusion", "pneumothorax", "cardiomegaly", "consolidation", "opacity", "nodule"],
)
@pytest.mark.parametrize("name", sorted(BOOK.sets))
def test_the_extractor_reads_them_the_same_way(name: str, finding: str) -> None:
    prompt = BOOK.prompts(name, [finding])[finding]
    for text in prompt.positive:
        read = {(m.entity.concept, m.entity.polarity) for m in extract(text)}
        assert read == {(finding, Polarity.PRESENT)}, text
    for text in prompt.negative:
        assert all(m.entity.polarity is not Polarity.PRESENT for m in extract(text)), text


def test_articles() -> None:
    prompt = BOOK.prompts("sentences", ["cardiomegaly"])["cardiomegaly"]
    assert "There is an enlarged heart." in prompt.positive
    assert "There is no enlarged heart." in prompt.negative
    assert "The heart is normal in size." in prompt.negative


def test_labels_of_public_sets() -> None:
    labels = "Atelectasis Cardiomegaly Effusion Infiltration Mass Nodule Pneumonia Pneumothorax"
    labels += " Consolidation Edema Emphysema Fibrosis Pleural_Thickening Hernia"
    assert all(BOOK.finding(label) for label in labels.split())
    assert BOOK.finding("No Finding") == ""
    assert BOOK.finding("Pleural Effusion") == BOOK.finding("Effusion") == "pleural effusion"
    assert BOOK.finding("Sunburn") is None


def test_unknown_set() -> None:
    with pytest.raises(SyncxrError, match="known: pair, sentences"):
        BOOK.prompts("haiku", ["nodule"])


def test_a_finding_of_ones_own() -> None:
    prompt = BOOK.prompts("sentences", ["pneumomediastinum"])["pneumomediastinum"]
    assert "No pneumomediastinum." in prompt.negative
