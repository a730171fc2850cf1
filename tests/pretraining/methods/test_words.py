"""Word pieces to words, against a loop."""

from pathlib import Path

import torch
from hypothesis import given
from hypothesis import strategies as st

from syncxr.pretraining.encoders.features import TextFeatures
from syncxr.pretraining.encoders.text import build_text_encoder
from syncxr.pretraining.methods.words import pool_words
from syncxr.pretraining.options import TextEncoderOptions


def text_features(tokens: torch.Tensor, words: torch.Tensor) -> TextFeatures:
    return TextFeatures(tokens.mean(1), tokens, (words >= 0).long(), words)


@st.composite
def texts(draw: st.DrawFn) -> torch.Tensor:
    """Rows of word numbers: rising, with pieces, then special tokens and padding."""
    rows = []
    length = draw(st.integers(1, 9))
    for _ in range(draw(st.integers(1, 4))):
        used = draw(st.integers(1, length))
        row, word = [], 0
        for _ in range(used):
            row.append(word)
            word += draw(st.integers(0, 1))
        rows.append(row + [-1] * (length - used))
    return torch.tensor(rows)


@given(texts())
def test_equals_the_slow_loop(words: torch.Tensor) -> None:
    tokens = torch.arange(words.numel() * 3, dtype=torch.float64).reshape(*words.shape, 3)
    found, exists = pool_words(text_features(tokens, words))
    for text in range(len(words)):
        for word in range(words.shape[1]):
            pieces = [tokens[text, t] for t in range(words.shape[1]) if words[text, t] == word]
            assert bool(exists[text, word]) == bool(pieces)
            assert torch.equal(found[text, word], sum(pieces, torch.zeros(3, dtype=torch.float64)))


def test_the_tokenizer_says_which_pieces_are_one_word(tmp_path: Path) -> None:
    encoder, _ = build_text_encoder(TextEncoderOptions(last_layers=4, frozen_layers=0))
    row = encoder.tokenise("No pneumothorax.")
    pieces = encoder.tokenizer.convert_ids_to_tokens(list(row.ids))
    assert pieces[0] == "[CLS]" and pieces[-1] == "[SEP]" and "##" in "".join(pieces)
    expected, word = [], 0
    for piece in pieces[:-1]:
        word += not piece.startswith("##")
        expected.append(word - 1)
    assert list(row.words) == [*expected, -1]
    features = encoder.eval()(encoder.collate([row, encoder.tokenise("Clear.")]))
    _, exists = pool_words(features)
    assert exists.sum(1).tolist() == [max(expected) + 1, 3]


def test_gradient_reaches_every_piece_of_a_word_and_no_other_token() -> None:
    tokens = torch.zeros(1, 4, 2, requires_grad=True)
    found, _ = pool_words(text_features(tokens, torch.tensor([[0, 1, 1, -1]])))
    found[0, 1].sum().backward()
    assert tokens.grad is not None
    assert tokens.grad[0].tolist() == [[0, 0], [1, 1], [1, 1], [0, 0]]
