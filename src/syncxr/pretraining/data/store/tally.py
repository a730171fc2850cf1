"""What of a source is no pair: counted, named where it is a fault, and not put up with for long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from syncxr.corpora import corrupt as corruption
from syncxr.pretraining.data.entry import Rejected
from syncxr.pretraining.data.store.layout import Skipped


class Tally:
    """Of one source, so far.

    Args:
        corrupt: Samples that were skipped earlier.
        left_out: Rule to the number that it left out earlier.

    Attributes:
        corrupt: Samples that should have been pairs.
        left_out: Rule to the number of samples that it leaves out; these are no faults.
    """

    def __init__(
        self, corrupt: Iterable[Skipped] = (), left_out: Mapping[str, int] | None = None
    ) -> None:
        self.corrupt = list(corrupt)
        self.left_out = Counter(left_out or {})

    def add(self, rejected: Rejected) -> None:
        """Take note of one more."""
        if rejected.corrupt:
            self.corrupt.append(Skipped(id=rejected.id, reason=rejected.reason))
        else:
            self.left_out[rejected.reason] += 1


def check(name: str, corrupt: Sequence[Skipped], seen: int, limit: float) -> None:
    """See that no more are corrupt than the user wants to do without.

    Args:
        name: The source.
        corrupt: Corrupt samples so far.
        seen: Samples read or, where that is known, all that there are.
        limit: Largest share.

    Raises:
        SyncxrError: They are more; names the first ones.
    """
    faults = [f"{item.id}: {item.reason}" for item in corrupt]
    corruption.check(name, faults, seen, limit, "pretraining.data.corrupt_limit")
