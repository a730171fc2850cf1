"""A population from one body: what varies between patients, and how it moves the tissue.

In: a source body's landmarks, a seed. Out: patients, and the map from each to the source body.
Must not know: findings, beams, films.
"""

from syncxr.images.simulation.anatomy.asking import combined
from syncxr.images.simulation.anatomy.deformation import WIDEST_NORMAL, Deformation
from syncxr.images.simulation.anatomy.landmarks import Landmarks, landmarks_of
from syncxr.images.simulation.anatomy.patient import Patient
from syncxr.images.simulation.anatomy.population import (
    HELD_OUT,
    RANGES,
    Population,
    sample_arms,
    sample_patient,
)

__all__ = [
    "HELD_OUT",
    "RANGES",
    "WIDEST_NORMAL",
    "Deformation",
    "Landmarks",
    "Patient",
    "Population",
    "combined",
    "landmarks_of",
    "sample_arms",
    "sample_patient",
]
