"""How many corrupt samples a source may have."""

from __future__ import annotations

import math
from collections.abc import Sequence

from syncxr.errors import SyncxrError
from syncxr.pretraining.data.store.layout import Skipped

_ALWAYS = 3
"""So many may be corrupt in any source: 1 % of a pilot set would be none."""

_SHOWN = 3


def check(name: str, skipped: Sequence[Skipped], seen: int, limit: float) -> None:
    """See that no more are corrupt than the user wants to do without.

    Args:
        name: The source.
        skipped: Corrupt samples so far.
        seen: Samples read or, where that is known, all that there are.
        limit: Largest share.

    Raises:
        SyncxrError: They are more; names the first ones.
    """
    if len(skipped) <= max(_ALWAYS, math.floor(limit * seen)):
        return
    first = "; ".join(f"{item.id}: {item.reason}" for item in skipped[:_SHOWN])
    raise SyncxrError(
        f"{name}: {len(skipped):,} of {seen:,} samples cannot be used, more than "
        f"data.corrupt_limit = {limit:g} allows; mend them, take them out or raise the limit; "
        f"the first: {first}"
    )
