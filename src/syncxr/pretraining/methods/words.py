"""Word pieces to words: a text's units as people read them."""

from __future__ import annotations

import torch
from torch import Tensor

from syncxr.pretraining.encoders.features import TextFeatures


def pool_words(texts: TextFeatures) -> tuple[Tensor, Tensor]:
    """Sum the pieces of each word, as GLoRIA does.

    One scatter for the whole batch: no loop over texts and nothing that makes a GPU wait.

    Returns:
        Words (N, W, D) and which of them exist (N, W), bool. W is the number of tokens, the
        most words there can be; word 0 is the first special token ([CLS]).
    """
    count, length, width = texts.tokens.shape
    # Tokens of no word go to a spare row that is cut off.
    place = torch.where(texts.words < 0, length, texts.words)
    row = torch.arange(count, device=place.device).unsqueeze(1) * (length + 1)
    flat = (row + place).reshape(-1)
    sums = texts.tokens.new_zeros(count * (length + 1), width)
    sums = sums.index_add(0, flat, texts.tokens.reshape(-1, width))
    found = torch.zeros(count * (length + 1), dtype=torch.bool, device=place.device)
    found = found.index_fill(0, flat, True).reshape(count, length + 1)
    return sums.reshape(count, length + 1, width)[:, :length], found[:, :length]
