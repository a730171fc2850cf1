"""Which pairs are kept out of training."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from syncxr.pretraining.data.store.decoded import Decoded, Rows
from syncxr.pretraining.data.store.layout import GROUP, ID, SPLIT
from syncxr.sample import derive_seed

_AT_A_TIME = 4096


def divide(decoded: Decoded, fraction: float) -> NDArray[np.bool_]:
    """Whether each pair is kept out, (N,).

    By a hash of the group (:class:`syncxr.pretraining.data.entry.Entry`: a patient, or a generated
    report), or of the id where there is none: adding pairs moves none across, and no group stands
    on both sides. A corpus's own validation split is taken instead where it has one.

    Args:
        decoded: The source.
        fraction: Share to keep out; 0 keeps out nothing.
    """
    parts = np.array_split(np.arange(len(decoded)), -(-len(decoded) // _AT_A_TIME))
    official = np.concatenate([_named(decoded, rows) for rows in parts])
    if fraction == 0 or official.any():
        # What its corpus keeps out is not trained on even where nobody looks at it.
        return official
    return np.concatenate([_drawn(decoded, rows, fraction) for rows in parts])


def _named(decoded: Decoded, rows: Rows) -> NDArray[np.bool_]:
    return np.array([split == "validate" for split in decoded.words.column(rows, SPLIT)])


def _drawn(decoded: Decoded, rows: Rows, fraction: float) -> NDArray[np.bool_]:
    groups, ids = decoded.words.column(rows, GROUP), decoded.words.column(rows, ID)
    names = (group or id for group, id in zip(groups, ids, strict=True))
    return np.array([kept_out(name, fraction) for name in names])


def kept_out(name: str, fraction: float) -> bool:
    """Whether what bears a name belongs to the validation side."""
    return derive_seed(name, "pretraining validation", 0) < fraction * 2**63
