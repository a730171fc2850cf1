"""Sources as they are named on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from syncxr.errors import SyncxrError
from syncxr.pretraining.data.options import SourceOptions
from syncxr.pretraining.data.sources.opening import takes


def named_sources(
    names: Sequence[str],
    images: Path | None = None,
    reports: Path | None = None,
    weights: str | None = None,
) -> tuple[SourceOptions, ...]:
    """What to train on.

    Args:
        names: Paths, URLs or ``openi``.
        images: Folder of films; goes to the one source that takes one.
        reports: Of MIMIC-CXR.
        weights: Shares of an epoch in the order of ``names``, divided by ``:`` ("1:3").

    Raises:
        SyncxrError: A folder goes with none of the sources or with several, or the weights are not
            as many as the sources.
    """
    shares = _shares(weights, len(names))
    of = {
        option: _taker(names, option)
        for option, given in (("images", images), ("reports", reports))
        if given is not None
    }
    return tuple(
        SourceOptions(
            path=name,
            images=images if of.get("images") == place else None,
            reports=reports if of.get("reports") == place else None,
            weight=share,
        )
        for place, (name, share) in enumerate(zip(names, shares, strict=True))
    )


def _taker(names: Sequence[str], option: str) -> int:
    """Place of the source that an option is for."""
    places = [place for place, name in enumerate(names) if option in takes(name)]
    if len(places) != 1:
        which = "several of the sources" if places else "none of the sources"
        raise SyncxrError(
            f"--{option} fits {which}; name it beside its path in the configuration, under "
            "pretraining.data.sources"
        )
    return places[0]


def _shares(weights: str | None, count: int) -> list[float | None]:
    if weights is None:
        return [None] * count
    try:
        found: list[float | None] = [float(share) for share in weights.split(":")]
    except ValueError:
        found = []
    if len(found) != count or any(share is None or not 0 < share < 1e9 for share in found):
        raise SyncxrError(
            f"--weights {weights} does not fit {count} sources; give a number above 0 for each, "
            "such as 1:3"
        )
    return found
