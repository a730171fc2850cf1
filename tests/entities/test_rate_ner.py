"""RaTE-NER reads what it learnt, at the right characters, however texts are put together."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_rate_ner import EXAMPLES, joined, plain

from syncxr.entities import EXTRACTORS
from syncxr.entities.extraction import Mention
from syncxr.entities.rate_ner import RateNer, RateNerOptions, entity, sentence_bounds
from syncxr.errors import SyncxrError
from syncxr.registry import BackendSpec, build
from syncxr.sample import Category, Entity, Polarity


@pytest.fixture(scope="module")
def ner(rate_ner_folder: Path) -> RateNer:
    return RateNer(RateNerOptions(model=str(rate_ner_folder)))


def spans(mentions: list[Mention]) -> list[tuple[int, int, Category]]:
    return [(m.start, m.end, m.entity.category) for m in mentions]


def test_every_example_comes_back_to_the_character(ner: RateNer) -> None:
    texts = [plain(example) for example in EXAMPLES]
    found = ner.extract([text for text, _ in texts])
    assert [spans(mentions) for mentions in found] == [expected for _, expected in texts]


def test_what_a_label_becomes(ner: RateNer) -> None:
    (found,) = ner.extract(["Cardiomegaly and pulmonary edema, no pneumonia."])
    assert found == [
        Mention(Entity("cardiomegaly", Category.ABNORMALITY, Polarity.PRESENT), 0, 12),
        Mention(Entity("pulmonary edema", Category.ABNORMALITY, Polarity.PRESENT), 17, 32),
        Mention(Entity("pneumonia", Category.NON_DISEASE, Polarity.ABSENT), 37, 46),
    ]


@pytest.mark.parametrize(
    ("label", "polarity"),
    [
        ("ABNORMALITY", Polarity.PRESENT),
        ("NON-ABNORMALITY", Polarity.ABSENT),
        ("DISEASE", Polarity.PRESENT),
        ("NON-DISEASE", Polarity.ABSENT),
        ("ANATOMY", Polarity.ABSENT),
    ],
)
def test_the_table_of_the_docstring(label: str, polarity: Polarity) -> None:
    assert entity("Left\n  Lung", label) == Entity("left lung", Category(label), polarity)


@settings(max_examples=15)
@given(
    st.lists(st.sampled_from(EXAMPLES), min_size=1, max_size=6),
    st.sampled_from([" ", "\n\n", "  \n", "\n"]),
)
def test_offsets_count_in_the_whole_text(ner: RateNer, drawn: list[str], gap: str) -> None:
    text, expected = "  ", []
    for example in drawn:
        words, own = plain(example)
        expected += [(len(text) + a, len(text) + b, c) for a, b, c in own]
        text += words + gap
    (found,) = ner.extract([text])
    assert spans(found) == expected


def test_company_and_batch_size_change_nothing(rate_ner_folder: Path, ner: RateNer) -> None:
    texts = [plain(example)[0] for example in EXAMPLES] + ["", "  ", "."]
    alone = [ner.extract([text])[0] for text in texts]
    for size in (2, 7):
        batched = RateNer(RateNerOptions(model=str(rate_ner_folder), batch_size=size))
        assert batched.extract(texts) == alone
        assert batched.extract(texts[::-1]) == alone[::-1]
    assert alone[-3:] == [[], [], []]


def test_long_sentences_are_read_in_windows(rate_ner_folder: Path, ner: RateNer) -> None:
    """A window's edge falls into every part of every word, and nothing is lost or found twice."""
    text, expected = plain(joined(EXAMPLES))
    pieces = len(ner._network.tokenizer(text)["input_ids"])
    for window in (120, 121, 127, 150, pieces - 1, pieces, pieces + 1):
        cut = RateNer(RateNerOptions(model=str(rate_ner_folder), window=window, overlap=59))
        windows = list(cut._windows([text]))
        assert (len(windows) > 1) == (window < pieces)
        kept = [place for w in windows for place in w.offsets[w.kept]]
        assert kept == next(iter(ner._windows([text]))).offsets[1:-1]
        (found,) = cut.extract([text])
        assert spans(found) == expected, window


def test_windows_of_no_overlap_cover_each_token_once(rate_ner_folder: Path) -> None:
    text = " ".join(plain(example)[0].rstrip(".") for example in EXAMPLES)
    one = RateNer(RateNerOptions(model=str(rate_ner_folder)))
    all_tokens = next(iter(one._windows([text]))).offsets[1:-1]
    for window, overlap in ((8, 0), (8, 3), (9, 2), (33, 15)):
        cut = RateNer(RateNerOptions(model=str(rate_ner_folder), window=window, overlap=overlap))
        kept = [place for w in cut._windows([text, text]) for place in w.offsets[w.kept]]
        assert kept == all_tokens * 2


def test_labels_may_be_spelt_otherwise(rate_ner_folder: Path, tmp_path: Path, ner: RateNer) -> None:
    other = relabelled(rate_ner_folder, tmp_path, lambda label: label.replace("NON-", "Non_"))
    text = "No pneumothorax or pleural effusion."
    assert RateNer(RateNerOptions(model=str(other))).extract([text]) == ner.extract([text])


def test_other_labels_are_refused(rate_ner_folder: Path, tmp_path: Path) -> None:
    other = relabelled(rate_ner_folder, tmp_path, lambda label: label.replace("DISEASE", "DRUG"))
    with pytest.raises(SyncxrError, match="label 'B-DRUG'; needed are O, and B- and I- of"):
        RateNer(RateNerOptions(model=str(other)))


def relabelled(folder: Path, target: Path, spell) -> Path:  # type: ignore[no-untyped-def]
    shutil.copytree(folder, target / "model")
    path = target / "model" / "config.json"
    config = json.loads(path.read_text())
    config["id2label"] = {i: spell(label) for i, label in config["id2label"].items()}
    config["label2id"] = {spell(label): i for label, i in config["label2id"].items()}
    path.write_text(json.dumps(config))
    return target / "model"


def test_it_is_built_by_name_and_says_what_it_is(rate_ner_folder: Path) -> None:
    spec = BackendSpec.model_validate({"name": "rate-ner", "model": str(rate_ner_folder)})
    built = build("extractor", EXTRACTORS, spec)
    assert isinstance(built, RateNer)
    made_by = built.provenance()
    assert made_by["name"] == "rate-ner" and len(made_by["sha256"]) == 64
    json.dumps(made_by)


def test_faults_are_one_line(tmp_path: Path, rate_ner_folder: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    damaged = tmp_path / "damaged"
    shutil.copytree(rate_ner_folder, damaged)
    (damaged / "model.safetensors").write_bytes(b"no weights")
    for model, message in [
        (empty, "holds no config.json"),
        (damaged, "the weights of model .* are damaged"),
        ("owner/name", "pin it with revision"),
    ]:
        with pytest.raises(SyncxrError, match=message) as raised:
            RateNer(RateNerOptions(model=str(model)))
        assert "\n" not in str(raised.value)
    spec = BackendSpec.model_validate({"name": "rate-ner", "window": 16, "overlap": 8})
    with pytest.raises(SyncxrError, match="overlap 8 is more than half of window 16"):
        build("extractor", EXTRACTORS, spec)


def test_bounds_of_sentences() -> None:
    text = " One 2.5 cm nodule. Two!\nThree\nlines here\n \nFour? "
    assert [text[a:b].strip() for a, b in sentence_bounds(text)] == [
        "One 2.5 cm nodule.",
        "Two!",
        "Three\nlines here",
        "Four?",
    ]
    assert list(sentence_bounds(" \n ")) == []


def test_half_precision_finds_the_same(rate_ner_folder: Path, ner: RateNer) -> None:
    half = RateNer(RateNerOptions(model=str(rate_ner_folder), dtype="bfloat16"))
    assert half._network.model.dtype is torch.bfloat16
    texts = [plain(example)[0] for example in EXAMPLES]
    assert half.extract(texts) == ner.extract(texts)
