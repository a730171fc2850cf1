"""Length of a text as CLIP counts it: diffusion models cut their prompt at 77 tokens.

The merges are CLIP's own file; only the counting is done here (Radford et al., ICML 2021;
byte-pair encoding: Sennrich et al., ACL 2016).
"""

from __future__ import annotations

import gzip
import re
from functools import cache
from itertools import pairwise

from syncxr import assets

LIMIT = 77
"""Tokens that CLIP's text encoder takes, start and end included."""

_MERGES = 49152 - 256 - 2
_PIECE = re.compile(r"'(?:s|t|re|ve|m|ll|d)|[^\W\d_]+|\d|(?:[^\s\w]|_)+")
_END = "</w>"


def count_tokens(text: str) -> int:
    """Tokens of ``text``, start and end included.

    ASCII text is counted exactly; a character outside it counts as its UTF-8 bytes, which is the
    most that CLIP can make of it.
    """
    return 2 + sum(_pieces(word) for word in _PIECE.findall(text.lower()))


@cache
def _ranks() -> dict[tuple[str, str], int]:
    path = assets.fetch("clip-vocabulary") / "bpe_simple_vocab_16e6.txt.gz"
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        lines = stream.read().split("\n")[1 : _MERGES + 1]
    pairs = (line.split() for line in lines)
    return {(left, right): rank for rank, (left, right) in enumerate(pairs)}


@cache
def _pieces(word: str) -> int:
    """Tokens of one word: the best-ranked neighbouring pair is merged until none is known."""
    if not word.isascii():
        return len(word.encode())
    ranks = _ranks()
    parts = [*word[:-1], word[-1] + _END]
    while len(parts) > 1:
        pairs = list(pairwise(parts))
        best = min(pairs, key=lambda pair: ranks.get(pair, len(ranks)))
        if best not in ranks:
            break
        merged: list[str] = []
        for part in parts:
            if merged and (merged[-1], part) == best:
                merged[-1] += part
            else:
                merged.append(part)
        parts = merged
    return len(parts)
