from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from syncxr.curation.judge import (
    HALF,
    QUESTIONS,
    SIMILAR,
    UNANSWERED,
    Verdict,
    VerdictOptions,
    checked,
    record_of,
)
from syncxr.errors import SyncxrError

GOOD = dict.fromkeys(QUESTIONS, 0.9)


def verdict(answers: dict[str, float], similarity: float | None = 0.1, **options: Any) -> Verdict:
    return VerdictOptions(**options).verdict(answers, HALF, similarity, 0.5)


def test_every_question_and_the_similarity_decide() -> None:
    assert verdict(GOOD).passed
    for question in QUESTIONS:
        assert verdict(GOOD | {question: 0.4999}).reasons == (question,)
        assert verdict(GOOD | {question: 0.5}).passed
    assert verdict(GOOD, 0.5).passed and verdict(GOOD, 0.501).reasons == (SIMILAR,)


def test_only_what_decides_refuses_and_all_is_kept() -> None:
    poor = dict.fromkeys(QUESTIONS, 0.1) | {"chest": 0.8}
    found = verdict(poor, 0.9, deciding=("chest", "human"))
    assert found.reasons == ("human",)
    assert found.scores == {**poor, "similarity_to_bad": 0.9}


def test_thresholds_of_the_options_come_first() -> None:
    assert verdict(GOOD, thresholds={"frontal": 0.95}).reasons == ("frontal",)
    assert verdict(GOOD | {"frontal": 0.2}, thresholds={"frontal": 0.1}).passed


def test_a_missing_answer_never_passes_unless_it_decides_nothing() -> None:
    silent = {name: value for name, value in GOOD.items() if name != "quality"}
    assert verdict(silent).reasons == (UNANSWERED,)
    assert verdict(silent | {"chest": 0.1}).reasons == ("chest", UNANSWERED)
    assert verdict(silent, deciding=("chest", SIMILAR)).passed
    assert "quality" not in verdict(silent).scores


def test_films_that_were_not_compared_have_no_similarity() -> None:
    assert verdict(GOOD, None).passed and verdict(GOOD, None).scores == GOOD


def test_answers_stand_in_the_order_of_the_questions() -> None:
    assert list(verdict(dict(reversed(GOOD.items()))).answers) == list(QUESTIONS)


@pytest.mark.parametrize(
    "options",
    [
        {"deciding": ()},
        {"deciding": ("beauty",)},
        {"deciding": (UNANSWERED,)},
        {"thresholds": {"beauty": 0.5}},
        {"thresholds": {"chest": 1.5}},
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        VerdictOptions(**options)


def test_only_grey_films_are_looked_at() -> None:
    film = np.zeros((16, 16), np.uint8)
    assert checked(film, 0) is film
    with pytest.raises(SyncxrError, match="image 3: expected greyscale uint8"):
        checked(film.astype(np.float32), 3)  # type: ignore[arg-type]


def test_a_judge_need_not_keep_a_record() -> None:
    class Plain:
        name = "plain"

        def judge(self, images: Any) -> list[Verdict]:
            return []

    assert record_of(Plain()) == {}
