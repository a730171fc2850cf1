"""The real InternVL class with a few thousand weights that have learned what is true."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_internvl
import torch

from syncxr.curation import JUDGES
from syncxr.curation.judge import QUESTIONS
from syncxr.curation.local_judge import LocalJudge
from syncxr.errors import SyncxrError
from syncxr.registry import BackendSpec, build

FILMS = [
    tiny_internvl.film(bright, number, size)
    for number, size in enumerate((64, 40, 100))
    for bright in (True, False)
]


def judge(folder: Path, **options: Any) -> LocalJudge:
    chosen = {"model": str(folder), "device": "cpu", **options}
    made: LocalJudge = build("judge", JUDGES, BackendSpec(name="transformers", **chosen))
    return made


def test_yes_and_no_come_out_right(internvl: Path) -> None:
    """Another answer for each half of the questions: films and questions are both seen."""
    for film, verdict in zip(FILMS, judge(internvl).judge(FILMS), strict=True):
        truth = {question: tiny_internvl.truth(question, film) for question in QUESTIONS}
        for question, answer in verdict.answers.items():
            assert answer == pytest.approx(float(truth[question]), abs=0.05)
        assert verdict.reasons == tuple(q for q in QUESTIONS if not truth[q])


def test_probability_is_that_of_the_models_own_logits(internvl: Path) -> None:
    from transformers import AutoProcessor, InternVLForConditionalGeneration

    from syncxr.curation.questions import load_wording

    grey = np.full((64, 64), 125, np.uint8)  # Neither bright nor dark.
    [verdict] = judge(internvl).judge([grey])
    processor = AutoProcessor.from_pretrained(internvl)
    model = InternVLForConditionalGeneration.from_pretrained(internvl).eval()
    for question in QUESTIONS:
        inputs = tiny_internvl.encode(processor, [(grey, load_wording().each(question))])
        with torch.inference_mode():
            chances = model(**inputs).logits[0, -1].double().softmax(-1)
        mass = {"yes": 0.0, "no": 0.0}
        for text, id in processor.tokenizer.get_vocab().items():
            word = text.strip("Ġ ").lower()
            if word in mass:
                mass[word] += float(chances[id])
        slow = mass["yes"] / (mass["yes"] + mass["no"])
        assert verdict.answers[question] == pytest.approx(slow, abs=1e-4)


def test_a_verdict_depends_on_its_film_alone(internvl: Path) -> None:
    made = judge(internvl)
    together = made.judge(FILMS)
    assert [made.judge([film])[0] for film in FILMS] == together
    assert made.judge(FILMS[::-1]) == together[::-1]
    assert made.judge([]) == []


def test_record_names_model_and_questions(internvl: Path) -> None:
    record = judge(internvl).record
    assert record["model"] == internvl.name and len(record["sha256"]) == 64
    assert len(record["questions_sha256"]) == 64 and record["dtype"] == "float32"


def test_a_model_that_says_something_else_ends_the_run(internvl: Path, tmp_path: Path) -> None:
    from transformers import InternVLForConditionalGeneration

    shutil.copytree(internvl, tmp_path / "mute")
    model = InternVLForConditionalGeneration.from_pretrained(internvl)
    with torch.no_grad():
        model.get_input_embeddings().weight.zero_()
        model.lm_head.weight.zero_()
    model.save_pretrained(tmp_path / "mute")
    with pytest.raises(SyncxrError, match="neither yes nor no"):
        judge(tmp_path / "mute").judge(FILMS[:1])


def test_a_missing_model_shows_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(SyncxrError, match=r"holds no config\.json"):
        judge(tmp_path)
