"""Which pairs an epoch takes from which source, and in what order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from syncxr.sample import derive_seed

Numbers = NDArray[np.int64]


def quotas(counts: Sequence[int], weights: Sequence[float] | None) -> list[int]:
    """Pairs that an epoch takes from each source; together as many as there are.

    Without weights, every pair once. With weights, the shares hold to the pair: what is left after
    rounding down goes to the largest remainders.

    Args:
        counts: Pairs of each source.
        weights: Relative shares, all above 0, or ``None``.
    """
    if weights is None:
        return list(counts)
    total = sum(counts)
    exact = [total * weight / sum(weights) for weight in weights]
    found = [int(share) for share in exact]
    by_remainder = sorted(range(len(exact)), key=lambda i: (found[i] - exact[i], i))
    for i in by_remainder[: total - sum(found)]:
        found[i] += 1
    return found


def take(count: int, quota: int, seed: int, epoch: int, source: int) -> Numbers:
    """Rows of one source that an epoch takes, (quota,).

    A source is read in passes of its own, each in a new order: an epoch goes on where the last one
    stopped. So of a source larger than its quota every pair comes in its turn, and one smaller is
    gone through again, no pair twice before all others once.

    Args:
        count: Pairs of the source, at least one where ``quota`` is above 0.
        quota: How many to take.
        seed: Of the run.
        epoch: Number of the epoch, from 0.
        source: Number of the source.
    """
    first, parts, left = epoch * quota, [], quota
    while left:
        number, begin = divmod(first, count)
        order = np.random.default_rng(
            derive_seed(f"{seed} {source}", "pretraining pass", number)
        ).permutation(count)
        parts.append(order[begin : begin + left])
        first, left = first + len(parts[-1]), left - len(parts[-1])
    return np.concatenate(parts).astype(np.int64) if parts else np.zeros(0, np.int64)


def epoch_order(
    counts: Sequence[int], shares: Sequence[int], seed: int, epoch: int
) -> tuple[Numbers, Numbers]:
    """Source and row of every pair of an epoch, shuffled over all sources at once.

    An exact shuffle, for rows of a memory-mapped array can be read in any order: 16 bytes a pair
    for as long as the epoch lasts, where a shuffle buffer would hold films and mix only neighbours.

    Args:
        counts: Pairs of each source.
        shares: As :func:`quotas` gives them.
        seed: Of the run.
        epoch: Number of the epoch, from 0.

    Returns:
        Sources and rows, both (sum of shares,).
    """
    rows = [
        take(n, share, seed, epoch, i)
        for i, (n, share) in enumerate(zip(counts, shares, strict=True))
    ]
    sources = np.repeat(np.arange(len(counts)), shares)
    order = np.random.default_rng(derive_seed(str(seed), "pretraining order", epoch)).permutation(
        len(sources)
    )
    return sources[order], np.concatenate(rows)[order]
