"""What a person is told of the data of a run before it begins."""

from __future__ import annotations

from syncxr.pretraining.data.opening import Data
from syncxr.pretraining.data.record import SourceRecord

_SHOWN = 3


def lines(data: Data) -> list[str]:
    """A line a source, with what of it is not trained on; all names are in the run's record."""
    return [line for source in data.sources for line in _of(source)]


def _of(source: SourceRecord) -> list[str]:
    kept = f"{source.training:,} pairs to train on, {source.validation:,} kept out"
    drawn = f", {source.per_epoch:,} an epoch" if source.weight is not None else ""
    told = [f"{source.name}: {kept}{drawn}"]
    if source.left_out:
        rules = sorted(source.left_out.items(), key=lambda rule: -rule[1])
        told.append("  left out: " + ", ".join(f"{count:,} {rule}" for rule, count in rules))
    if source.skipped:
        first = "; ".join(f"{item.id} ({item.reason})" for item in source.skipped[:_SHOWN])
        more = "; …" if len(source.skipped) > _SHOWN else ""
        told.append(f"  skipped {len(source.skipped):,} that cannot be used: {first}{more}")
    return told
