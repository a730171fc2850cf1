"""Patients drawn at random, and the ranges kept from training."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from syncxr.images.simulation.anatomy.patient import Patient

Population = Literal["train", "held_out"]

RANGES: dict[str, tuple[float, float]] = {
    "size": (0.92, 1.06),
    "breadth": (0.82, 0.98),
    "depth": (0.88, 1.15),
    "heart_ratio": (0.40, 0.48),
    "left_dome": (-20.0, 14.0),
    "right_dome": (-38.0, 2.0),
    "mediastinum": (0.92, 1.12),
    "heart_position": (-16.0, -2.0),
    "aorta_tortuosity": (4.0, 12.0),
    "scoliosis": (-7.0, 7.0),
    "rib_slope": (-0.08, 0.08),
    "bone_density": (0.75, 1.3),
    "markings": (0.8, 1.35),
    "soft_tissue": (0.0, 4.0),
}
"""Range of every deformation parameter; units stand at :class:`Patient`.

The source lies on a table: upright, with breath held, the domes stand lower and the chest is
narrower for its height. Its bones are poor in mineral; most of the range lies above.
"""

HELD_OUT: tuple[str, ...] = ("breadth", "left_dome", "right_dome", "rib_slope", "soft_tissue")
"""Parameters whose extremes are kept from training patients."""

_HELD_SHARE = 0.2
"""Share of the range, at each end, that only ``held_out`` patients have."""


def sample_patient(rng: np.random.Generator, population: Population) -> Patient:
    """Draw a patient.

    Args:
        rng: Source of chance.
        population: ``"train"`` patients have every parameter of :data:`HELD_OUT` within the middle
            of its range; of a ``"held_out"`` patient at least one lies outside.
    """
    forced = HELD_OUT[int(rng.integers(len(HELD_OUT)))]
    values: dict[str, Any] = {}
    for name, (low, high) in RANGES.items():
        share = float(rng.random())
        if name in HELD_OUT:
            inner = _HELD_SHARE + (1 - 2 * _HELD_SHARE) * share
            outer = _HELD_SHARE * (2 * share if share < 0.5 else 2 * share - 2)
            share = inner if population == "train" or name != forced else outer % 1.0
        values[name] = low + (high - low) * share
    female = bool(rng.random() < 0.45)
    return Patient(
        **values,
        sex="female" if female else "male",
        breasts=float(rng.uniform(1.0, 4.0)) if female else 0.0,
        breast_size=float(rng.uniform(50.0, 80.0)),
        wobble=tuple(float(a) for a in rng.normal(0.0, 1.6, 36)),
    )
