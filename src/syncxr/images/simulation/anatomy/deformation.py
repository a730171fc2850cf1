"""The map from a patient to the source body: the fields of every parameter, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from syncxr.images.simulation.anatomy import fields, heart
from syncxr.images.simulation.anatomy.landmarks import Landmarks
from syncxr.images.simulation.anatomy.patient import Patient
from syncxr.images.simulation.thorax import Floats

Column = Callable[[Floats], Floats]


def parallel(points: Floats) -> Floats:
    """Columns of a film that a parallel frontal beam makes."""
    return points[..., 0]


@dataclass(frozen=True)
class Deformation:
    """Where the tissue of a patient comes from in the source body.

    Every step is a smooth map that does not fold; a parameter at its neutral value leaves its step
    out.

    Attributes:
        patient: Whose.
        marks: Of the source body.
        heart_scale: Growth of the heart against the source body.
    """

    patient: Patient
    marks: Landmarks
    heart_scale: float | Floats

    @classmethod
    def of(cls, patient: Patient, marks: Landmarks, column: Column = parallel) -> Deformation:
        """The map whose heart has the patient's cardiothoracic ratio on a film.

        Args:
            patient: Whose.
            marks: Of the source body.
            column: From points (..., 3) of the patient to columns of the film; a parallel frontal
                beam by default.
        """
        if not len(marks.heart_edge):
            return cls(patient, marks, heart.rough_scale(marks, patient.heart_ratio))
        return cls(patient, marks, _fit(patient, marks, column))

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

    def stretch(self, axis: int) -> float:
        """Place in the patient over that in the source body along x (0), y (1) or z (2).

        What bends the body besides moves tissue along a frontal or lateral beam by little, so a
        view lets it be.
        """
        return fields.scales(self.patient)[axis]

    def inverse(self, places: Floats, rounds: int = 8) -> Floats:
        """Places (..., 3) of the source body, mm, to the patient's; to about half a millimetre."""
        p = self.patient
        # Steps as long as the body's scale makes them: then all that is left contracts.
        scale = np.array(fields.scales(p), np.float32)
        points = places * scale
        for _ in range(rounds):
            points = points + 0.9 * scale * (places - self(points))
        return points


_SCALES = np.linspace(0.7, 1.9, 7, dtype=np.float32)
"""Growths of the heart that are tried; what lies between is interpolated."""

_MISSED = 0.033
"""Of the ratio, for each time that the heart is enlarged by its own size: a stretched border is
thinner, and less of it reaches the least path of a shadow (measured over 100 patients)."""

WIDEST_NORMAL = 0.48
"""Cardiothoracic ratio of the widest normal heart that patients have."""

_EVERY = 3
"""Rows of the shadows' edges from one that is used to the next."""


def _fit(patient: Patient, marks: Landmarks, column: Column) -> float:
    """Growth at which the cardiac shadow is as wide as asked for.

    The edges of both shadows are followed into the patient for a few growths at once. Fluid is a
    part of the shadow of an enlarged heart, which is so much smaller itself, but not below normal.
    """

    def width(edge: Floats, scales: Floats) -> Floats:
        used = edge.reshape(-1, 2, 3)[::_EVERY].reshape(-1, 3)
        tried = Deformation(patient, marks, scales[:, None])
        places = np.broadcast_to(used, (len(scales), *used.shape)).astype(np.float32)
        spans: Floats = np.ptp(column(tried.inverse(places)), axis=-1)
        return spans

    lungs = width(marks.lung_edge, _SCALES[3:4])[0]

    def growth(edge: Floats, ratio: float, missed: float = _MISSED) -> float:
        ratios = width(edge, _SCALES) / lungs - missed * (_SCALES - 1.0)
        return float(np.interp(ratio, np.maximum.accumulate(ratios), _SCALES))

    if not patient.pericardial_fluid:
        return growth(marks.heart_edge, patient.heart_ratio)
    outer = marks.heart_edge.reshape(-1, 2, 3).copy()
    outer[..., 0] += patient.pericardial_fluid * np.array([-1.0, 1.0], np.float32)
    own = growth(marks.heart_edge, min(patient.heart_ratio, WIDEST_NORMAL))
    return max(own, growth(outer.reshape(-1, 3), patient.heart_ratio, missed=0.0))
