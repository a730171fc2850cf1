"""Soft tissue before the ribs that the source does not have: fat, breasts."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from syncxr.images.simulation.anatomy import Patient
from syncxr.images.simulation.projection import Pose
from syncxr.images.simulation.thorax import Floats


def surface(patient: Patient, pose: Pose, size: int, water: Tensor) -> Tensor:
    """A layer that ends with the body, and breasts in frontal views; g/cm², (H, W).

    Args:
        patient: Whose.
        pose: Of the view.
        size: Of the film, pixels.
        water: Path through the body itself, g/cm², (H, W).
    """
    layer = patient.soft_tissue * (water / 8.0).clamp(0.0, 1.0)
    if patient.breasts > 0 and pose.view != "lateral":
        layer = layer + torch.from_numpy(breasts(patient, pose, size)).to(water.device)
    return layer


def breasts(patient: Patient, pose: Pose, size: int) -> Floats:
    """Two breasts with a sharp lower fold; the upper slope runs out into the chest. g/cm²."""
    centres = (np.arange(size, dtype=np.float32) + 0.5) / size - 0.5
    axis = centres * np.float32(pose.field / patient.size)
    x, z = (axis - np.float32(pose.shift_x))[None], (-axis - np.float32(pose.shift_z))[:, None]
    radius = patient.breast_size
    dz = (z + 35.0) / np.where(z < -35.0, 0.8 * radius, 1.5 * radius)
    layer = np.zeros((size, size), np.float32)
    for side in (-1.0, 1.0):
        dx = (x - side * 82.0) / radius
        layer += patient.breasts * np.clip(1.0 - dx**2 - dz**2, 0.0, None) ** 0.75
    return layer
