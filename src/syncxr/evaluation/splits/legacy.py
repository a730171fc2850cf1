"""Leaky splits as published, to compare with numbers that were measured on them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

SIIM_TEST_SHARE = 0.15


def rows_of_siim(rows: int, held_out: float = SIIM_TEST_SHARE) -> dict[str, list[int]]:
    """The split of SIIM-ACR in the public code of GLoRIA and MGCA: by row of the table.

    They call scikit-learn's ``train_test_split`` with ``random_state=0`` on rows, once for 30 %
    and once to halve these. A film with several mask rows so lands in several parts. The same
    numbers are drawn here with numpy's legacy generator, which scikit-learn uses.

    Args:
        rows: Rows of ``train-rle.csv``.
        held_out: Share of validation, and of test.

    Returns:
        Row numbers from 0 of ``legacy-train``, ``legacy-valid`` and ``legacy-test``.
    """
    train, rest = _halves(range(rows), held_out * 2)
    test, valid = _halves(rest, 0.5)
    return {"legacy-train": train, "legacy-valid": valid, "legacy-test": test}


def _halves(rows: Sequence[int], second: float) -> tuple[list[int], list[int]]:
    """First and second part of ``train_test_split(rows, test_size=second, random_state=0)``."""
    order = np.random.RandomState(0).permutation(len(rows))
    cut = math.ceil(second * len(rows))
    return [rows[place] for place in order[cut:]], [rows[place] for place in order[:cut]]
