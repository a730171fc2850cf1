"""What of somebody's data cannot be used: named and done without, but not for long."""

from __future__ import annotations

import math
from collections.abc import Sequence

from syncxr.errors import SyncxrError

_ALWAYS = 3
"""So many may be corrupt in any source: 1 % of a pilot set would be none."""

_SHOWN = 3


def check(name: str, faults: Sequence[str], seen: int, limit: float, option: str) -> None:
    """See that no more are corrupt than the user wants to do without.

    Args:
        name: The source.
        faults: A line for each corrupt sample so far.
        seen: Samples read or, where that is known, all that there are.
        limit: Largest share; three may be corrupt in any source.
        option: Key of the limit in the configuration.

    Raises:
        SyncxrError: They are more; names the first ones.
    """
    if len(faults) <= max(_ALWAYS, math.floor(limit * seen)):
        return
    raise SyncxrError(
        f"{name}: {len(faults):,} of {seen:,} samples cannot be used, more than "
        f"{option} = {limit:g} allows; mend them, take them out or raise the limit; "
        f"the first: {'; '.join(faults[:_SHOWN])}"
    )
