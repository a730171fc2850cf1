"""The map from a patient to the source body: the fields of every parameter, one after the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from syncxr.images.simulation.anatomy import fields, heart
from syncxr.images.simulation.anatomy.landmarks import Landmarks
from syncxr.images.simulation.anatomy.patient import Patient
from syncxr.images.simulation.ct import Floats


@dataclass(frozen=True)
class Deformation:
    """Where the tissue of a patient comes from in the source body.

    Every step is a smooth map that does not fold; a parameter at its neutral value leaves its step
    out.

    Attributes:
        patient: Whose.
        marks: Of the source body.
        heart_ratio: Heart over chest width to reach; the patient's own by default.
    """

    patient: Patient
    marks: Landmarks
    heart_ratio: float | None = None

    @property
    def heart_scale(self) -> float:
        """Growth of the heart against the source body."""
        ratio = self.patient.heart_ratio if self.heart_ratio is None else self.heart_ratio
        return heart.scale(self.marks, ratio)

    def __call__(self, points: Floats) -> Floats:
        """Points (..., 3) of the patient, mm, to the source body's."""
        p, m = self.patient, self.marks
        x, y, z = fields.body(p, points)
        x, y, z = fields.spine(p, m, x, y, z)
        dx, dz = fields.wobble(p, x, y, z)
        x, z = x + dx, z + dz
        z = z - fields.domes(p, m, x, y, z)
        x = fields.shift(p, m, self.heart_scale, x, y, z)
        x = x + fields.mediastinum(p, m, x, y, z)
        x, z = fields.hila(p, m, x, y, z)
        x, z = fields.aorta(p, m, x, y, z)
        x, z = heart.turn(p, m, x, y, z)
        x, z = heart.grow(m, self.heart_scale, x, y, z)
        return np.stack([x, y, z], axis=-1).astype(np.float32)
