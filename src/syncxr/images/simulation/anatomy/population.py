"""Patients drawn at random, what tends to go together, and the ranges kept from training."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from syncxr.images.simulation.anatomy.patient import Patient

Population = Literal["train", "held_out"]

RANGES: dict[str, tuple[float, float]] = {
    "size": (0.92, 1.06),
    "breadth": (0.82, 0.98),
    "depth": (0.88, 1.15),
    "lung_volume": (0.94, 1.05),
    "heart_ratio": (0.40, 0.48),
    "heart_position": (-16.0, -2.0),
    "heart_axis": (-8.0, 8.0),
    "left_dome": (-20.0, 14.0),
    "right_dome": (-38.0, 2.0),
    "mediastinum": (0.92, 1.12),
    "upper_shift": (-3.0, 3.0),
    "left_hilum": (0.9, 1.2),
    "right_hilum": (0.9, 1.2),
    "aorta_width": (0.9, 1.2),
    "aorta_tortuosity": (2.0, 11.0),
    "scoliosis": (-7.0, 7.0),
    "kyphosis": (0.0, 8.0),
    "rib_slope": (-0.08, 0.08),
    "bone_density": (0.75, 1.3),
    "markings": (0.7, 1.3),
    "soft_tissue": (0.0, 4.0),
}
"""Range of every deformation parameter; units stand at :class:`Patient`.

All within what a report calls normal for the age; findings ask for more. The source lies on a
table: upright, with breath held, the domes stand lower, the heart nearer to the middle and the
chest is narrower for its height.
"""

AGES = (20.0, 90.0)
"""Years."""

TENDENCIES: dict[str, tuple[str, float]] = {
    "aorta_tortuosity": ("age", 0.6),
    "aorta_width": ("age", 0.5),
    "kyphosis": ("age", 0.6),
    "bone_density": ("age", -0.5),
    "lung_volume": ("soft_tissue", -0.4),
    "left_dome": ("soft_tissue", 0.4),
    "right_dome": ("soft_tissue", 0.4),
    "heart_ratio": ("soft_tissue", 0.4),
    "heart_axis": ("soft_tissue", -0.4),
    "mediastinum": ("soft_tissue", 0.4),
    "size": ("male", 0.4),
    "breadth": ("male", 0.3),
}
"""What a parameter follows, and its share in it; negative against it.

With age the aorta lengthens and widens, the spine bends and loses mineral; fat lifts the
diaphragm, lays the heart across it and widens the mediastinum (Fraser & Paré, Diagnosis of Diseases
of the Chest, 4th ed., ch. 1: the normal chest).
"""

HELD_OUT: tuple[str, ...] = ("breadth", "left_dome", "right_dome", "rib_slope", "soft_tissue")
"""Parameters whose extremes are kept from training patients."""

_HELD_SHARE = 0.2
"""Share of the range, at each end, that only ``held_out`` patients have."""

ARMS = {"PA": (-4.0, 10.0), "AP": (6.0, 28.0)}
"""Turn of the shoulder blades inwards by view, degrees: rolled forward for a PA film, beside the
body in bed. The far end is held out, as of :data:`HELD_OUT`; a lateral film has the arms raised."""

VESSEL_TREES = {"train": (0, 9), "held_out": (9, 12)}
"""Variants of the vessels that patients have: no tree serves both."""


def sample_patient(rng: np.random.Generator, population: Population) -> Patient:
    """Draw a patient.

    Args:
        rng: Source of chance.
        population: ``"train"`` patients have every parameter of :data:`HELD_OUT` within the middle
            of its range; of a ``"held_out"`` patient at least one lies outside.
    """
    forced = HELD_OUT[int(rng.integers(len(HELD_OUT)))]
    female = bool(rng.random() < 0.45)
    drawn = {name: float(rng.random()) for name in ("age", *RANGES)}
    traits = {
        "age": drawn["age"],
        "soft_tissue": drawn["soft_tissue"],
        "male": 0.5 * float(rng.random()) + (0.0 if female else 0.5),
    }
    values: dict[str, Any] = {}
    for name, (low, high) in RANGES.items():
        share = _leaning(drawn[name], traits, name)
        if name in HELD_OUT:
            inner = _HELD_SHARE + (1 - 2 * _HELD_SHARE) * share
            outer = _HELD_SHARE * (2 * share if share < 0.5 else 2 * share - 2)
            share = inner if population == "train" or name != forced else outer % 1.0
        values[name] = low + (high - low) * share
    return Patient(
        **values,
        age=round(AGES[0] + (AGES[1] - AGES[0]) * drawn["age"], 1),
        sex="female" if female else "male",
        breasts=float(rng.uniform(1.0, 4.0)) if female else 0.0,
        breast_size=float(rng.uniform(50.0, 80.0)),
        vessels=int(rng.integers(*VESSEL_TREES[population])),
        wobble=tuple(float(a) for a in rng.normal(0.0, 1.6, 36)),
    )


def sample_arms(rng: np.random.Generator, view: str, population: Population) -> float:
    """Turn of the shoulder blades, degrees, by how the film is taken."""
    if view not in ARMS:
        return 0.0
    low, high = ARMS[view]
    share = float(rng.random())
    if population == "train":
        share *= 1.0 - _HELD_SHARE
    return low + (high - low) * share


def _leaning(share: float, traits: dict[str, float], name: str) -> float:
    """A uniform share drawn towards what the parameter follows."""
    if name not in TENDENCIES:
        return share
    trait, weight = TENDENCIES[name]
    towards = traits[trait] if weight > 0 else 1.0 - traits[trait]
    return (1.0 - abs(weight)) * share + abs(weight) * towards
