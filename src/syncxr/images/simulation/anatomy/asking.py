"""What several findings ask of one patient, made one, whatever their order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from syncxr.images.simulation.anatomy.patient import Patient

Asked = Mapping[str, Any]
"""Fields of a patient as one finding alone would have them."""

_FARTHEST = {"shift": 40.0, "upper_shift": 20.0}
"""Of heart and mediastinum to either side, mm: to there no lung is folded (tested)."""


def _total(changes: Sequence[float]) -> float:
    """Pushes and pulls add up; opposite ones cancel."""
    return sum(changes)


def _stacked(changes: Sequence[float]) -> float:
    """A dome: every loss of volume above it raises it; it can be pressed flat but once."""
    return sum(change for change in changes if change > 0) + min(0.0, *changes)


def _offset(changes: Sequence[float]) -> float:
    """The greatest gain against the greatest loss: fibrosis hides what emphysema does."""
    return max(0.0, *changes) + min(0.0, *changes)


def _greatest(changes: Sequence[float]) -> float:
    """An enlarged heart stays so beside whatever narrows others."""
    return max(changes)


def _farthest(changes: Sequence[float]) -> float:
    """What says the same twice, or says more of it."""
    return max(changes, key=lambda change: (abs(change), change))


_RULES: dict[str, Callable[[Sequence[float]], float]] = {
    "shift": _total,
    "upper_shift": _total,
    "left_dome": _stacked,
    "right_dome": _stacked,
    "lung_volume": _offset,
    "heart_ratio": _greatest,
}
"""How changes of a field go together; :func:`_farthest` for all others."""


def combined(sampled: Patient, asks: Iterable[Asked]) -> dict[str, Any]:
    """Fields of a patient whom several findings change.

    Args:
        sampled: Without any of them.
        asks: What each of them asks for.
    """
    changes: dict[str, list[float]] = {}
    for asked in asks:
        for name, value in asked.items():
            changes.setdefault(name, []).append(value - getattr(sampled, name))
    fields: dict[str, Any] = {}
    for name, several in changes.items():
        # In one order, so that sums are the same to the last bit.
        rule = _RULES.get(name, _farthest)
        fields[name] = float(getattr(sampled, name) + rule(sorted(several)))
    for name, most in _FARTHEST.items():
        if name in fields:
            fields[name] = min(max(fields[name], -most), most)
    return fields
