"""What is on a film unasked: nothing the patient has, but in the way of those who look for it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from syncxr.images.simulation.body import Body
from syncxr.images.simulation.findings.bone.folds import folds_of
from syncxr.images.simulation.scene import Scene
from syncxr.images.simulation.shapes import Shape
from syncxr.sample import derive_seed

FOLDED = {True: 0.12, False: 0.04}
"""Share of AP films with a fold of skin that the words do not speak of: of patients who lie on the
cassette, and of others. Our reading of "common on supine films" (Kattea and Lababede, Ann Am Thorac
Soc 2015); nobody counted them."""


@dataclass(frozen=True)
class Nuisance:
    """What is on a film unasked.

    Attributes:
        shapes: To be added along the rays.
        parameters: What was drawn, JSON values, for provenance.
    """

    shapes: tuple[Shape, ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)


def nuisance_of(scene: Scene, body: Body, named: Collection[str], seed: int) -> Nuisance:
    """What chance puts on a film.

    Args:
        scene: Of the film.
        body: The patient.
        named: Concepts that the words speak of, in whatever sense: those are left to the words.
        seed: Of the findings.
    """
    rng = np.random.default_rng(derive_seed(str(seed), "nuisance", 0))
    side, share = ("left", "right")[int(rng.integers(2))], float(rng.random())
    if scene.pose.view != "AP" or share >= FOLDED[scene.supine] or "skin fold" in named:
        return Nuisance()
    folds, told = folds_of(body, side, rng)
    # A mirrored patient's left is the source's right.
    there = {"left": "right", "right": "left"}[side] if body.patient.mirrored else side
    return Nuisance(tuple(folds), {"skin fold": {there: told}})
