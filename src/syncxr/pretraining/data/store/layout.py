"""The folder that a decoded source is on disk.

========== ==================================================================================
films.u8    films, uint8, (N, S, S) in C order
text.utf8   strings of all pairs, one after the other
text.i64    where each string begins in text.utf8 and the last ends, int64 (bytes)
pairs.i64   which string is the first of each pair, and how many there are, int64, (N + 1,)
hashes.bin  sha256 of each pair's words and of its film as it lay in the source, 32 bytes each
index.json  :class:`Index`; written last, it says that the rest is whole
========== ==================================================================================

The strings of a pair are id, group, split, FINDINGS, IMPRESSION, then the sentences that the
caption mode ``sentence`` draws from.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from syncxr.assets import cache_folder
from syncxr.corpora.terms import Terms

FILMS, TEXT, TEXT_BOUNDS, PAIR_BOUNDS, HASHES = (
    "films.u8",
    "text.utf8",
    "text.i64",
    "pairs.i64",
    "hashes.bin",
)
FILES = (FILMS, TEXT, TEXT_BOUNDS, PAIR_BOUNDS, HASHES)
INDEX = "index.json"

ID, GROUP, SPLIT, FINDINGS, IMPRESSION, SENTENCES = range(6)
"""Place of a string among those of its pair; sentences go on from the last."""

VERSION = 2
"""Of this layout, of how words are cut into sentences, and of what is a group; part of the key."""


def default_cache() -> Path:
    """Folder of decoded sources where no other is named."""
    return cache_folder() / "pretraining"


class Skipped(BaseModel):
    """A corrupt sample.

    Attributes:
        id: Name within its source.
        reason: What is wrong with it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    reason: str


class Index(BaseModel):
    """What a decoded source holds.

    Attributes:
        name: The source.
        key: Hash of the state of the source and of the preprocessing.
        count: Pairs.
        size: Side of the films in pixels.
        fingerprint: Hash of :data:`HASHES`: of words and films as they lay in the source, whatever
            they are resized to.
        seen: Entries read, corrupt ones among them.
        skipped: Corrupt samples by name.
        left_out: Rule to how many samples it leaves out; these are no faults.
        state: Of the source, when it was read.
        preprocessing: How films were prepared.
        terms: Under what terms the source, and what is derived from it, may be used.
        version: Of the layout.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    key: str
    count: int
    size: int
    fingerprint: str
    seen: int
    skipped: tuple[Skipped, ...]
    left_out: dict[str, int]
    state: dict[str, Any]
    preprocessing: dict[str, Any]
    terms: Terms | None = None
    version: int = VERSION
