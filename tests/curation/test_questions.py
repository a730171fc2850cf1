from pathlib import Path

import pytest

from syncxr.curation.judge import QUESTIONS
from syncxr.curation.questions import WORDING, load_wording
from syncxr.errors import SyncxrError


def test_every_question_is_put_in_both_ways() -> None:
    wording = load_wording()
    assert list(wording.questions) == list(QUESTIONS)
    for name, words in wording.questions.items():
        assert wording.each(name).startswith(words) and "yes or no" in wording.each(name)
        assert f"{name}: {words}" in wording.all() and f'"{name}"' in wording.all()


def test_another_word_is_another_wording(tmp_path: Path) -> None:
    changed = tmp_path / "mine.yaml"
    changed.write_text(WORDING.read_text().replace("a chest X-ray", "a chest radiograph"))
    mine = load_wording(changed)
    assert mine.sha256 != load_wording().sha256
    assert "a chest radiograph" in mine.each("chest")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("each: x", "holds no questions"),
        ("each: a\nall: b\nquestions: {chest: c}", "must ask exactly"),
        (WORDING.read_text().replace("{question}", "it"), "needs {question}"),
    ],
)
def test_an_unfit_file_is_named(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(SyncxrError, match=reason) as raised:
        load_wording(path)
    assert "mine.yaml" in str(raised.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SyncxrError, match=r"none\.yaml"):
        load_wording(tmp_path / "none.yaml")
