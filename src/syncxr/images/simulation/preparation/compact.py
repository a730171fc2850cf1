"""TotalSegmentator's labels as the simulator's structures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from syncxr.images.simulation.preparation.cleaning import CleanCT, disk
from syncxr.images.simulation.preparation.raw import RawCT
from syncxr.images.simulation.thorax import Structure


def compact_labels(raw: RawCT, cleaned: CleanCT) -> NDArray[np.uint8]:
    """TotalSegmentator's labels to :class:`Structure`."""
    table = np.full(256, Structure.BODY, np.uint8)
    rules = {
        "lung_upper_lobe_left": Structure.LEFT_UPPER_LOBE,
        "lung_lower_lobe_left": Structure.LEFT_LOWER_LOBE,
        "lung_upper_lobe_right": Structure.RIGHT_UPPER_LOBE,
        "lung_middle_lobe_right": Structure.RIGHT_MIDDLE_LOBE,
        "lung_lower_lobe_right": Structure.RIGHT_LOWER_LOBE,
        "aorta": Structure.AORTA,
        "trachea": Structure.AIRWAY,
    }
    prefixes = {
        "heart": Structure.HEART,
        "atrial_appendage": Structure.HEART,
        "vertebrae": Structure.SPINE,
        "rib_": Structure.RIBS,
        "scapula": Structure.SCAPULA,
        "clavicula": Structure.SHOULDER,
        "humerus": Structure.SHOULDER,
    }
    labels = cleaned.labels.copy()
    heart = np.isin(
        labels, [n for s, n in raw.ids.items() if s.startswith(("heart", "atrial_appendage"))]
    )
    # The map's heart reaches out into the hilar vessels, which would count into its width: keep
    # what lies within the frontal shadow opened by a disk of 14 mm.
    tall = max(1, round(raw.spacing[2] / raw.spacing[0]))
    shadow = np.pad(heart.any(1).repeat(tall, axis=1), 30)
    opened = ndimage.binary_opening(shadow, disk(round(14.0 / raw.spacing[0])))
    core = opened[30:-30, 30:-30][:, tall // 2 :: tall][:, None, :]
    labels[heart & ~core] = 0
    for name, number in raw.ids.items():
        found = [value for start, value in prefixes.items() if name.startswith(start)]
        table[number] = rules.get(name, found[0] if found else Structure.BODY)
    compact = table[labels]
    compact[~cleaned.body] = Structure.OUTSIDE
    return compact
