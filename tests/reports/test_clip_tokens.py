"""CLIP's own counts, known from its tokenizer."""

import pytest

from syncxr.reports.clip_tokens import count_tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 2),
        ("a photo of a cat", 7),
        ("A PHOTO  OF\na cat", 7),
        ("a photo of a cat.", 8),
        ("hello world!", 5),
        ("don't", 4),
        ("2024", 6),
    ],
)
def test_known_counts(text: str, tokens: int) -> None:
    assert count_tokens(text) == tokens


def test_long_words_are_cut_and_foreign_ones_bounded() -> None:
    assert 4 <= count_tokens("pneumonoultramicroscopicsilicovolcanoconiosis") < 30
    assert count_tokens("é") == 2 + 2
