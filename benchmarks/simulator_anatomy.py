"""Patients of the simulator: asked and shown heart size, folds, what goes together.

    python benchmarks/simulator_anatomy.py [--patients 100] [--json FILE]

Cardiothoracic ratios from .38 to .68 are asked of held-out and train patients in turn, each third
one with a shifted mediastinum, PA and AP, and measured on the projected shadows of heart and lungs
at 448 px. Bar: within .02. One source CT.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from syncxr.images.simulation.anatomy import Deformation, Patient, sample_patient
from syncxr.images.simulation.body import load_body
from syncxr.images.simulation.frame import cross
from syncxr.images.simulation.projection import cast, column_of, integrate
from syncxr.images.simulation.scene import Scene
from syncxr.views.console import write_json

RATIOS = (0.38, 0.68)
BAR = 0.02
_SIZE = 448


def shown(scene: Scene, patient: Patient) -> tuple[float, float]:
    """Cardiothoracic ratio on the film, and the least stretch of the map in the frontal plane."""
    body = load_body(2.0)
    deformation = Deformation.of(patient, body.marks, partial(column_of, scene.pose))
    slabs, where, lengths = cross(body.slabs, cast(scene.pose, _SIZE), deformation)
    lungs = body.lungs["left"] + body.lungs["right"]
    channels = torch.from_numpy(np.stack([body.heart, lungs], axis=1))
    shadows = integrate(slabs, channels, where, lengths)
    widths = []
    for shadow in shadows:
        columns = (shadow > 1.0).any(0).nonzero().flatten()
        widths.append(int(columns[-1] - columns[0]) + 1)
    return widths[0] / widths[1], _stretch(deformation)


def _stretch(deformation: Deformation) -> float:
    """Least determinant of the map's frontal derivative over the chest; 0 or less is a fold."""
    axis = np.linspace(-140, 140, 141, dtype=np.float32)
    x, z = np.meshgrid(axis, axis)
    least = np.inf
    for depth in (-60.0, -20.0, 20.0, 60.0):
        moved = deformation(np.stack([x, np.full_like(x, depth), z], axis=-1))
        dx, dz = np.gradient(moved[..., 0], 2.0), np.gradient(moved[..., 2], 2.0)
        least = min(least, float((dx[1] * dz[0] - dx[0] * dz[1]).min()))
    return least


def measure(patients: int) -> dict[str, object]:
    """All figures."""
    rows = []
    for seed in range(patients):
        rng = np.random.default_rng(seed)
        scene = Scene.sample(seed, "held_out" if seed % 2 else "train", {"PA": 0.7, "AP": 0.3})
        asked = float(rng.uniform(*RATIOS))
        shift = float(rng.uniform(-15.0, 15.0)) if seed % 3 == 0 else 0.0
        rows.append((asked, *shown(scene, replace(scene.patient, heart_ratio=asked, shift=shift))))
    asked_, got, stretch = np.array(rows).T
    error = np.abs(got - asked_)
    people = [sample_patient(np.random.default_rng(s), "train") for s in range(1000)]
    traits = {
        name: np.array([getattr(p, name) for p in people])
        for name in ("age", "bone_density", "aorta_tortuosity", "soft_tissue", "heart_ratio")
    }

    def goes(a: str, b: str) -> float:
        return round(float(np.corrcoef(traits[a], traits[b])[0, 1]), 2)

    return {
        "source": "one source CT",
        "patients": patients,
        "ratio_error_mean": round(float(error.mean()), 4),
        "ratio_error_max": round(float(error.max()), 4),
        "ratio_bias": round(float((got - asked_).mean()), 4),
        "ratio_within_bar": round(float((error <= BAR).mean()), 3),
        "bar": BAR,
        "least_stretch": round(float(stretch.min()), 3),
        "correlations": {
            "age, bone_density": goes("age", "bone_density"),
            "age, aorta_tortuosity": goes("age", "aorta_tortuosity"),
            "soft_tissue, heart_ratio": goes("soft_tissue", "heart_ratio"),
        },
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, default=100)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    found = measure(arguments.patients)
    for name, value in found.items():
        print(f"{name:20} {value}", file=sys.stderr if str(arguments.json) == "-" else sys.stdout)
    if arguments.json:
        write_json(found, arguments.json)


if __name__ == "__main__":
    main()
