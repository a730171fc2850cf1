"""What goes into the two towers and what comes out."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Channels(NamedTuple):
    """Widths of the features that a method connects: C, C' and D below."""

    pooled: int
    local: int
    text: int


class ImageFeatures(NamedTuple):
    """What the image tower gives.

    Attributes:
        pooled: Mean of ``spatial``, (N, C).
        spatial: The last map, (N, C, h, w).
        local: The map of the stage before, finer and less abstract, (N, C', h', w'); a network
            of one resolution gives its last but one block.
    """

    pooled: Tensor
    spatial: Tensor
    local: Tensor


class TokenRow(NamedTuple):
    """One tokenised text: token numbers, and the word that each token is a piece of.

    The first token (BERT's [CLS]) is word 0, the words of the text follow from 1 on, and any
    other special token is of no word: -1.
    """

    ids: tuple[int, ...]
    words: tuple[int, ...]


class Tokens(NamedTuple):
    """A batch of tokenised texts, each (N, T): ``mask`` is 1 where there is a token."""

    ids: Tensor
    mask: Tensor
    words: Tensor


class TextFeatures(NamedTuple):
    """What the text tower gives.

    Attributes:
        pooled: Mean over the tokens, (N, D).
        tokens: Sum of the last layers that the options name, (N, T, D).
        mask: 1 where there is a token, (N, T).
        words: Word that each token is a piece of, as in :class:`TokenRow`, (N, T).
    """

    pooled: Tensor
    tokens: Tensor
    mask: Tensor
    words: Tensor
