"""Prompt sets: what the texts say is what they are meant to say; files are checked."""

import hashlib
from pathlib import Path

import pytest

from syncxr.entities.extraction import extract
from syncxr.errors import SyncxrError
from syncxr.evaluation import prompts
from syncxr.evaluation.findings import known_findings
from syncxr.evaluation.prompts import load_prompt_set, shipped
from syncxr.evaluation.testsets import TEST_SETS
from syncxr.evaluation.testsets import test_set as sets
from syncxr.sample import Polarity

FOLDER = Path(prompts.__file__).parent
OF_THE_ISSUE = {
    "CheXpert": "atelectasis, cardiomegaly, consolidation, edema, pleural effusion",
    "ChestX-ray14": "atelectasis, cardiomegaly, consolidation, edema, emphysema, fibrosis, "
    "hiatal hernia, infiltrate, mass, nodule, pleural effusion, pleural thickening, pneumonia, "
    "pneumothorax",
    "COVIDx CXR-2": "covid-19",
}
COMMON = sorted({f for names in OF_THE_ISSUE.values() for f in names.split(", ")})
IN_THE_LEXICON = sorted({*COMMON} - {"covid-19"})


def test_four_sets_ship() -> None:
    assert shipped() == ("ensemble", "pair", "severity-location", "single")


@pytest.mark.parametrize("name", sorted(TEST_SETS))
def test_findings_of_every_test_set_have_their_names(name: str) -> None:
    assert set(sets.test_set_class(name).info.findings) <= set(known_findings())


@pytest.mark.parametrize("name", shipped())
def test_the_printed_hash_is_that_of_the_file(name: str) -> None:
    found = load_prompt_set(name)
    digest = hashlib.sha256((FOLDER / f"{name}.yaml").read_bytes()).hexdigest()
    assert found.sha256 == digest
    assert found.title == f"{name} {digest[:8]}"
    assert found.about


def test_the_pair_is_chexzeros() -> None:
    found = load_prompt_set("pair")
    assert found.prompt("pleural effusion")[:2] == (("pleural effusion",), ("no pleural effusion",))
    assert found.probabilities


def test_abbreviations_keep_their_capitals() -> None:
    for name in shipped():
        prompt = load_prompt_set(name).prompt("covid-19")
        assert any("COVID-19" in text for text in prompt.positive)
        assert not any("covid" in text for text in (*prompt.positive, *prompt.negative))


def test_a_single_text_denies_nothing() -> None:
    found = load_prompt_set("single")
    assert found.prompt("mass")[:2] == (("mass",), ())
    assert not found.probabilities


def test_severity_times_location() -> None:
    prompt = load_prompt_set("severity-location").prompt("pneumothorax")
    assert prompt.combine == "max" and prompt.negative == ()
    assert "pneumothorax" in prompt.positive
    assert "small pneumothorax at the left apex" in prompt.positive
    assert len(prompt.positive) == 5 * 5
    edema = load_prompt_set("severity-location").prompt("edema").positive
    assert "mild pulmonary edema around both hila" in edema


@pytest.mark.parametrize("finding", COMMON)
def test_the_ensemble_has_sentences_of_its_own(finding: str) -> None:
    found = load_prompt_set("ensemble")
    prompt = found.prompt(finding)
    assert finding in found.file.findings
    assert prompt.combine == "mean"
    assert len(prompt.positive) >= 4 and len(prompt.negative) >= 4
    for text in (*prompt.positive, *prompt.negative):
        assert text.endswith(".") and text[0].isupper()


@pytest.mark.parametrize("name", shipped())
def test_no_text_affirms_and_denies(name: str) -> None:
    for prompt in load_prompt_set(name).prompts(known_findings()).values():
        assert prompt.positive
        assert not set(prompt.positive) & set(prompt.negative)
        for text in (*prompt.positive, *prompt.negative):
            assert "{" not in text and "  " not in text and text.strip() == text


@pytest.mark.parametrize("finding", IN_THE_LEXICON)
@pytest.mark.parametrize("name", shipped())
def test_the_extractor_reads_them_the_same_way(name: str, finding: str) -> None:
    prompt = load_prompt_set(name).prompt(finding)
    for text in prompt.positive:
        read = {(m.entity.concept, m.entity.polarity) for m in extract(text)}
        assert (_concept(finding), Polarity.PRESENT) in read, (text, read)
        assert all(polarity is Polarity.PRESENT for _, polarity in read), (text, read)
    for text in prompt.negative:
        assert all(m.entity.polarity is not Polarity.PRESENT for m in extract(text)), text


def _concept(finding: str) -> str:
    """Name of a finding in the lexicon."""
    (mention,) = extract(f"There is {finding}.")
    return mention.entity.concept


def test_a_finding_of_ones_own_takes_the_patterns() -> None:
    prompt = load_prompt_set("ensemble").prompt("gossypiboma")
    assert "Gossypiboma is present." in prompt.positive
    assert "There is no gossypiboma." in prompt.negative


def test_ones_own_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "about: mine\naffirm: ['{finding} {where}']\ndeny: []\nwords: {where: [here]}\n"
    )
    found = load_prompt_set(str(path))
    assert found.name == "mine" and found.prompt("mass").positive == ("mass here",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("about: a\naffirm: []\ndeny: []", "affirm: .*; mend it"),
        ("about: a\naffirm: ['{finding}']", "deny: Field required"),
        ("about: a\naffirm: ['{finding}']\ndeny: []\ncolour: red", "colour: Extra inputs"),
        ("about: a\naffirm: ['{place} {finding}']\ndeny: []", "slot 'place', which has no words"),
        ("about: a\naffirm: ['{finding']\ndeny: []", "mend it"),
        ("about: a\naffirm: ['{finding}']\ndeny: []\ncombine: sum", "combine: "),
        ("about: [", "mend it"),
        ("- a", "the file: .*; mend it"),
    ],
)
def test_faults_are_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(SyncxrError, match=message) as error:
        load_prompt_set(str(path))
    assert "mine.yaml" in str(error.value) and "\n" not in str(error.value)


def test_unknown_and_missing(tmp_path: Path) -> None:
    with pytest.raises(SyncxrError, match="known: ensemble, pair, severity-location, single"):
        load_prompt_set("haiku")
    with pytest.raises(SyncxrError, match="cannot be read"):
        load_prompt_set(str(tmp_path / "none.yaml"))
