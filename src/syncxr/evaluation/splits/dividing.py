"""Splits and label fractions by patient: stratified, seeded, nested, the same everywhere.

The recipe, which needs no file: patients (films, where no patient is named) are sorted by their
rarest findings, then by their number of films, then by a hash of seed and name. The golden-ratio
sequence (Weyl 1916; the three-distance theorem bounds its discrepancy) is laid over that order,
and patients are ranked by it. So every beginning of the ranking takes its share of every stratum,
and the 1 % lies inside the 10 % by construction. The ranking depends on names and labels alone:
not on the order of files, on a library's generator, or on the machine.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from syncxr.errors import SyncxrError

if TYPE_CHECKING:
    from syncxr.evaluation.testsets.test_set import Item, TestSet

_GOLDEN = (math.sqrt(5) - 1) / 2


def ranking(items: Sequence[Item], seed: int, purpose: str) -> list[str]:
    """Units (:attr:`Item.unit`) so ordered that every beginning is stratified.

    Args:
        items: Films with labels.
        seed: Of the draw.
        purpose: What the ranking is for; other purposes draw independently.
    """
    films: Counter[str] = Counter(item.unit for item in items)
    positive: defaultdict[str, set[str]] = defaultdict(set)
    for item in items:
        positive[item.unit] |= {name for name, value in item.labels.items() if value == 1}
    carriers = Counter(finding for found in positive.values() for finding in found)
    rarity = {
        name: place for place, name in enumerate(sorted(carriers, key=lambda n: (carriers[n], n)))
    }

    def stratum(unit: str) -> tuple[object, ...]:
        found = tuple(sorted(rarity[name] for name in positive[unit]))
        return (not found, found, films[unit].bit_length(), _hash(seed, purpose, unit))

    start = int(_hash(seed, purpose, ""), 16) / 16**64
    places = enumerate(sorted(films, key=stratum))
    return [
        unit for _, unit in sorted(((start + place * _GOLDEN) % 1, unit) for place, unit in places)
    ]


def divide(
    items: Sequence[Item], shares: Mapping[str, float], seed: int, purpose: str = "split"
) -> dict[str, tuple[Item, ...]]:
    """Cut items into parts that share no patient.

    Args:
        items: Films with labels; kept in this order within a part.
        shares: Name of a part to its share of the patients; together 1.
        seed: Of the draw.
        purpose: Other purposes draw independently.

    Raises:
        SyncxrError: There are fewer patients than parts.
    """
    order = ranking(items, seed, purpose)
    if len(order) < len(shares):
        raise SyncxrError(
            f"{len(order)} patients or films cannot be cut into {', '.join(shares)}; give more"
        )
    part_of: dict[str, str] = {}
    start, share = 0, 0.0
    for number, (name, own) in enumerate(shares.items(), start=1):
        share += own
        left = len(shares) - number
        # Every part gets at least one, and the last one whatever rounding left over.
        end = (
            len(order)
            if not left
            else min(max(round(share * len(order)), start + 1), len(order) - left)
        )
        part_of |= dict.fromkeys(order[start:end], name)
        start = end
    return {name: tuple(item for item in items if part_of[item.unit] == name) for name in shares}


def fraction(test_set: TestSet, share: float, seed: int = 0) -> TestSet:
    """The labelled part of a training split: ``share`` of its patients, at least one.

    Smaller shares of the same seed lie inside greater ones.

    Args:
        test_set: A training split.
        share: In (0, 1].
        seed: Of the draw.

    Raises:
        SyncxrError: The share is not in (0, 1], or the split is empty.
    """
    if not 0 < share <= 1:
        raise SyncxrError(f"a label fraction of {share} is not in (0, 1]; give e.g. 0.01")
    if not test_set.items:
        raise SyncxrError(f"{test_set.name}, split {test_set.split}, is empty; no fraction of it")
    if share == 1:
        return test_set
    order = ranking(test_set.items, seed, "fraction")
    kept = set(order[: max(1, round(share * len(order)))])
    return test_set.subset(
        [item for item in test_set.items if item.unit in kept],
        fraction_name(test_set.split, share, seed),
    )


def fraction_name(split: str, share: float, seed: int) -> str:
    """What a label fraction is called: ``"train, 1 % of the labels, seed 0"``."""
    return f"{split}, {100 * share:g} % of the labels, seed {seed}"


def _hash(seed: int, purpose: str, unit: str) -> str:
    return hashlib.sha256(f"{seed}\0{purpose}\0{unit}".encode()).hexdigest()
