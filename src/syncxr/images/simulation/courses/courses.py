"""What a body's courses are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from syncxr.images.simulation.thorax import Floats

SIDES = ("left", "right")


@dataclass(frozen=True)
class Courses:
    """Curves of the source body, each (N, 3): x, y, z in mm, some 4 mm apart.

    Attributes:
        trachea: From the neck to the carina, its last point.
        bronchi: Side to the main bronchus, from the carina.
        oesophagus: From the neck to the stomach's fundus.
        vena_cava: Superior; from the confluence of the brachiocephalic veins to the atrium.
        brachiocephalic: Left vein, from the left jugular angle to the confluence.
        ascending: Ascending aorta, upwards.
        arch: Aortic arch, from ascending to descending aorta.
        descending: Descending aorta, downwards.
        sternum: Front of the sternum's middle, downwards.
        vertebrae: Name ("T7") to the middle of its body, (3,).
        vertebra_size: Name to width, depth and height of its body, (3,).
        ribs: Name ("left 7") to its middle line, from the spine to the front.
        clavicles: Side to its middle line, from the sternum outwards.
        stomach: Middle of the stomach, (3,).
        skin_front: y of the chest's front at ``skin_z`` and ``skin_x``, (Z, X); NaN outside.
        skin_back: The same of its back.
        skin_x: Columns of both, (X,).
        skin_z: Rows of both, (Z,).
    """

    trachea: Floats
    bronchi: Mapping[str, Floats]
    oesophagus: Floats
    vena_cava: Floats
    brachiocephalic: Floats
    ascending: Floats
    arch: Floats
    descending: Floats
    sternum: Floats
    vertebrae: Mapping[str, Floats]
    vertebra_size: Mapping[str, Floats]
    ribs: Mapping[str, Floats]
    clavicles: Mapping[str, Floats]
    stomach: Floats
    skin_front: Floats
    skin_back: Floats
    skin_x: Floats
    skin_z: Floats

    def skin(self, x: float, z: float, front: bool = True) -> float:
        """Y of the skin at a place, mm; that of the nearest place where there is any."""
        surface = self.skin_front if front else self.skin_back
        row = int(np.abs(self.skin_z - z).argmin())
        known = np.flatnonzero(np.isfinite(surface[row]))
        column = known[np.abs(self.skin_x[known] - x).argmin()]
        return float(surface[row, column])
