"""All lines of a CT with its label map."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from syncxr.images.simulation.courses.airway import airway
from syncxr.images.simulation.courses.aorta import aorta
from syncxr.images.simulation.courses.bones import clavicle, ribs, vertebrae
from syncxr.images.simulation.courses.courses import SIDES
from syncxr.images.simulation.courses.curve import even
from syncxr.images.simulation.courses.labels import LabelMap
from syncxr.images.simulation.preparation.raw import RawCT
from syncxr.images.simulation.thorax import Floats

STEP = 4.0
"""Between the points of a course, mm."""


def trace(ct: RawCT) -> dict[str, Floats]:
    """All lines of a CT with its label map, in mm from its corner, (N, 3) each."""
    raw = LabelMap(ct.labels, ct.spacing, ct.ids, ndimage.find_objects(ct.labels))
    carina, trachea, bronchi = airway(raw)
    ascending, arch, descending = aorta(raw)
    # Labels name the vein from the left; its way from the neck runs down along the carotid.
    vein = raw.by_slice("brachiocephalic_vein_left")[::-1]
    oesophagus = raw.by_slice("esophagus")[::-1]
    stomach = raw.places("stomach")
    fundus = stomach[stomach[:, 2] > np.percentile(stomach[:, 2], 90)].mean(0)
    lines = {
        "trachea": np.vstack([trachea, carina]),
        **{f"bronchus {side}": line for side, line in bronchi.items()},
        "oesophagus": np.vstack([oesophagus, fundus]),
        "vena cava": raw.by_slice("superior_vena_cava")[::-1],
        "brachiocephalic": vein,
        "ascending": ascending,
        "arch": arch,
        "descending": descending,
        "sternum": raw.front_of("sternum"),
        "stomach": stomach.mean(0)[None],
        **{f"rib {name}": line for name, line in ribs(raw)},
        **{f"clavicle {side}": clavicle(raw, side) for side in SIDES},
    }
    smooth = {
        name: even(line, STEP, 2.0) if len(line) > 3 else line for name, line in lines.items()
    }
    for name, middle, size in vertebrae(raw):
        smooth[f"vertebra {name}"], smooth[f"size {name}"] = middle[None], size[None]
    return {name: np.asarray(line, np.float32) for name, line in smooth.items()}
