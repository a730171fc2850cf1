"""Everything that decides a film but its findings, all from one seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from syncxr.images.simulation.anatomy import (
    Patient,
    Population,
    sample_arms,
    sample_patient,
)
from syncxr.images.simulation.film.borders import Borders
from syncxr.images.simulation.film.exposure import Exposure
from syncxr.images.simulation.film.markers import Marker
from syncxr.images.simulation.projection import Pose
from syncxr.images.simulation.thorax import SOURCE
from syncxr.sample import derive_seed

View = Literal["PA", "AP", "lateral"]

CHEST_MM = (250.0, 245.0)
"""Of the source: inner width of the rib cage; apices to costophrenic angles."""

CHEST_DEPTH_MM = 230.0
"""Of the source: front to back, soft tissue included."""

SUPINE = 0.4
"""Share of AP films taken of patients who lie flat, where the words leave it open; others sit up in
bed. Our reading of practice: bedside films are taken sitting up if the patient can (American
College of Radiology, Practice Parameter for Portable Chest Radiography)."""

_NOTES = {
    True: ("AP", "PORTABLE", "AP\nPORTABLE", "AP SUPINE", "SUPINE", "PORTABLE\nSUPINE"),
    False: ("AP", "PORTABLE", "AP\nPORTABLE", "SEMI-ERECT", "AP ERECT", "PORTABLE\nAP ERECT"),
}
"""Notes on bedside films: of patients who lie, and of others."""


@dataclass(frozen=True)
class Scene:
    """Patient, pose, exposure and what else is on the film.

    Attributes:
        patient: As sampled; findings may change it.
        pose: How the patient stands or lies before the detector.
        exposure: How the film is taken and developed.
        borders: What the beam did not reach.
        markers: Words on the film.
        noise_seed: Of the noise.
        supine: Whether the patient lies on the back: fluid and air go elsewhere.
    """

    patient: Patient
    pose: Pose
    exposure: Exposure
    borders: Borders
    markers: tuple[Marker, ...]
    noise_seed: int
    supine: bool = False

    @classmethod
    def sample(
        cls,
        seed: int,
        population: Population,
        views: Mapping[View, float],
        view: View | None = None,
        inverted: float = 0.0,
        anatomies: Sequence[str] = (SOURCE,),
        supine: bool | None = None,
    ) -> Scene:
        """Draw everything, each from a seed of its own.

        Args:
            seed: Of the request.
            population: Whom the patient is drawn from.
            views: Shares that the view is drawn by.
            view: The view that is asked for.
            inverted: Share of films with bone dark.
            anatomies: Source bodies to draw from.
            supine: Whether the patient lies, where the words say so; drawn for other AP films.
        """

        def rng(stage: str) -> np.random.Generator:
            return np.random.default_rng(derive_seed(str(seed), stage, 0))

        anatomy = anatomies[int(rng("anatomy").integers(len(anatomies)))]
        patient = replace(sample_patient(rng("patient"), population), anatomy=anatomy)
        drawn = _draw(rng("view"), views)
        view = view or drawn
        lies = float(rng("supine").random()) < SUPINE if supine is None else supine
        lies = lies and view == "AP"
        arms = sample_arms(rng("arms"), view, population)
        return cls(
            replace(patient, scapulae=arms),
            sample_pose(rng("pose"), patient, view),
            sample_exposure(rng("exposure"), view, inverted),
            sample_borders(rng("borders")),
            sample_markers(rng("markers"), view, lies),
            derive_seed(str(seed), "noise", 0),
            lies,
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "patient": self.patient.to_dict(),
            "pose": self.pose.to_dict(),
            "supine": self.supine,
            "exposure": self.exposure.to_dict(),
            "borders": self.borders.to_dict(),
            "markers": [marker.to_dict() for marker in self.markers],
        }


def _draw(rng: np.random.Generator, views: Mapping[View, float]) -> View:
    """A view by its share."""
    names = sorted(name for name in views if views[name] > 0)
    shares = np.array([views[name] for name in names])
    return names[int(np.searchsorted(np.cumsum(shares / shares.sum()), rng.random()))]


def _around(rng: np.random.Generator, middle: float, spread: float, most: float) -> float:
    """A normal deviate that ends at ``middle`` ± ``most``."""
    return float(np.clip(rng.normal(middle, spread), middle - most, middle + most))


def sample_pose(rng: np.random.Generator, patient: Patient, view: View = "PA") -> Pose:
    """A pose as radiographers take it: small errors of rotation, tilt and centring.

    PA and lateral films are taken upright at 180 cm; AP films of patients in bed, half sitting or
    supine, at about 100 cm, less well centred and turned further. The field is collimated to the
    patient, so that apices and costophrenic angles are in it.
    """
    loose = 1.6 if view == "AP" else 1.0
    distance = float(rng.uniform(950.0, 1150.0)) if view == "AP" else 1800.0
    gap = {"PA": 150.0, "AP": 130.0, "lateral": 190.0}[view]
    magnification = distance / (distance - gap)
    width = CHEST_MM[0] * np.sqrt(patient.breadth)
    if view == "lateral":
        width = CHEST_DEPTH_MM * patient.depth
    wide = width * patient.size * magnification
    high = CHEST_MM[1] * patient.size / np.sqrt(patient.breadth) * magnification
    return Pose(
        view=view,
        rotation=loose * _around(rng, 0.0, 2.0, 5.0),
        # From the side a tilt is a lean in the film's plane, which a wall stand prevents.
        tilt=(0.4 if view == "lateral" else loose) * _around(rng, 0.0, 3.0, 7.0),
        roll=loose * _around(rng, 0.0, 1.2, 3.0),
        shift_x=loose * _around(rng, 0.0, 4.0, 8.0),
        shift_z=_around(rng, -2.0, 5.0, 10.0),
        distance=distance,
        gap=gap,
        field=float(max(wide * rng.uniform(1.14, 1.32), high * rng.uniform(1.12, 1.25))),
    )


def sample_exposure(rng: np.random.Generator, view: View = "PA", inverted: float = 0.0) -> Exposure:
    """Beam, scatter, dose and processing within what departments use.

    2.5 µGy at the detector are some 170,000 photons a pixel of 1.5 mm. Bedside films are taken with
    a softer beam, often without a grid, and with less dose.
    """
    bedside = view == "AP"
    return Exposure(
        hardness=float(rng.uniform(0.0, 0.4 if bedside else 0.8)),
        scatter=float(rng.uniform(0.35, 0.9) if bedside else rng.uniform(0.15, 0.5)),
        dose=float(np.exp(rng.uniform(np.log(2e4), np.log(1.5e5)))) / (2.0 if bedside else 1.0),
        electronic=float(rng.uniform(20.0, 200.0)),
        blur=float(rng.uniform(0.3, 0.9) if bedside else rng.uniform(0.2, 0.7)),
        black=float(rng.uniform(0.3, 3.0)),
        white=float(rng.uniform(97.0, 99.8)),
        gamma=float(rng.uniform(0.7, 1.25)),
        detail=float(rng.uniform(0.4, 1.4)),
        detail_mm=float(rng.uniform(5.0, 14.0)),
        fine=float(rng.uniform(0.0, 0.5)),
        equalise=float(rng.uniform(0.25, 0.6)),
        inverted=bool(rng.random() < inverted),
        shoulder=float(rng.uniform(0.75, 0.92)),
    )


def sample_borders(rng: np.random.Generator) -> Borders:
    """None on most films; else strips of a few per cent that leave the chest free."""
    shares = np.where(rng.random(4) < 0.6, rng.uniform(0.004, 0.035, 4), 0.0)
    black = rng.random() < 0.75
    grey = 0 if black else int(rng.integers(225, 256))
    if rng.random() >= 0.3:
        return Borders()
    top, bottom, left, right = (round(float(share), 4) for share in shares)
    return Borders(top, bottom, left, right, grey)


def sample_markers(
    rng: np.random.Generator, view: View, supine: bool = False
) -> tuple[Marker, ...]:
    """A side marker on most films, above the shoulder it belongs to; notes on bedside films.

    The patient's left is on the right of the film.
    """
    present, left = rng.random() < 0.75, rng.random() < 0.6
    x, y = rng.uniform(0.05, 0.10), rng.uniform(0.05, 0.13)
    height, strength = rng.uniform(0.022, 0.036), rng.uniform(0.75, 1.0)
    notes = _NOTES[supine]
    note, noted = notes[int(rng.integers(len(notes)))], rng.random() < 0.6
    if not present:
        return ()
    # A lateral film is marked with the side that stands at the detector.
    left = left or view == "lateral"
    side = Marker("L" if left else "R", 1.0 - x if left else x, y, height, strength)
    if view != "AP" or not noted:
        return (side,)
    under = y + 2.2 * height
    return (side, Marker(note, 0.88 if left else 0.12, under, 0.55 * height, strength))
