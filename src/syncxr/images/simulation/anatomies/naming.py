"""Which number means which structure: TotalSegmentator's two tables, or a table of one's own."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from syncxr.errors import SyncxrError

_SIDES = ("left", "right")


def _vertebrae(*levels: str) -> list[str]:
    """L5 ... C1, as both tables order them."""
    counts = {"L": 5, "T": 12, "C": 7}
    return [f"vertebrae_{x}{n}" for x in levels for n in range(counts[x], 0, -1)]


def _pairs(*names: str) -> list[str]:
    return [f"{name}_{side}" for name in names for side in _SIDES]


_RIBS = [f"rib_{side}_{n}" for side in _SIDES for n in range(1, 13)]

_LOBES = [
    "lung_upper_lobe_left",
    "lung_lower_lobe_left",
    "lung_upper_lobe_right",
    "lung_middle_lobe_right",
    "lung_lower_lobe_right",
]

_MUSCLES = _pairs("gluteus_maximus", "gluteus_medius", "gluteus_minimus", "autochthon", "iliopsoas")

_ABDOMEN = ["spleen", "kidney_right", "kidney_left", "gallbladder", "liver", "stomach"]

V1 = [
    *_ABDOMEN,
    *("aorta", "inferior_vena_cava", "portal_vein_and_splenic_vein", "pancreas"),
    *("adrenal_gland_right", "adrenal_gland_left"),
    *_LOBES,
    *_vertebrae("L", "T", "C"),
    *("esophagus", "trachea", "heart_myocardium", "heart_atrium_left", "heart_ventricle_left"),
    *("heart_atrium_right", "heart_ventricle_right", "pulmonary_artery", "brain"),
    *_pairs("iliac_artery", "iliac_vena"),
    *("small_bowel", "duodenum", "colon"),
    *_RIBS,
    *_pairs("humerus", "scapula", "clavicula", "femur", "hip"),
    *("sacrum", "face"),
    *_MUSCLES,
    "urinary_bladder",
]
"""104 structures of TotalSegmentator 1 (Wasserthal et al., Radiology AI 2023), from number 1."""

V2 = [
    *_ABDOMEN,
    *("pancreas", "adrenal_gland_right", "adrenal_gland_left"),
    *_LOBES,
    *("esophagus", "trachea", "thyroid_gland", "small_bowel", "duodenum", "colon"),
    *("urinary_bladder", "prostate", "kidney_cyst_left", "kidney_cyst_right"),
    *("sacrum", "vertebrae_S1"),
    *_vertebrae("L", "T", "C"),
    *("heart", "aorta", "pulmonary_vein", "brachiocephalic_trunk"),
    *("subclavian_artery_right", "subclavian_artery_left"),
    *("common_carotid_artery_right", "common_carotid_artery_left"),
    *("brachiocephalic_vein_left", "brachiocephalic_vein_right", "atrial_appendage_left"),
    *("superior_vena_cava", "inferior_vena_cava", "portal_vein_and_splenic_vein"),
    *_pairs("iliac_artery", "iliac_vena", "humerus", "scapula", "clavicula", "femur", "hip"),
    "spinal_cord",
    *_MUSCLES,
    *("brain", "skull"),
    *_RIBS,
    *("sternum", "costal_cartilages"),
]
"""117 structures of TotalSegmentator 2, from number 1."""

TABLES = {
    version: {name: number for number, name in enumerate(names, 1)}
    for version, names in (("v2", V2), ("v1", V1))
}


def read_names(path: Path) -> dict[str, int]:
    """A table of one's own: JSON ``{"name": id}`` or ``{"id": "name"}``, or CSV with a header.

    Raises:
        SyncxrError: The file does not hold such a table.
    """
    try:
        if path.suffix == ".json":
            pairs = list(json.loads(path.read_text()).items())
        else:
            with path.open(newline="") as stream:
                pairs = [tuple(row)[:2] for row in csv.reader(stream)][1:]
        table = {}
        for first, second in pairs:
            number, name = (first, second) if str(first).isdigit() else (second, first)
            table[str(name).strip()] = int(number)
    except (OSError, ValueError, AttributeError) as error:
        raise SyncxrError(
            f"{path}: no table of structures ({error}); give JSON {{name: id}} or CSV id,name"
        ) from error
    return table


def recognise(hu: NDArray[np.int16], labels: NDArray[np.uint8]) -> dict[str, int] | None:
    """The table by which the lobes lie on air and the vertebrae on bone; None if neither fits."""
    bones = [f"vertebrae_T{n}" for n in range(4, 10)]
    for table in TABLES.values():
        air = [_median(hu, labels, table[name]) for name in _LOBES]
        bone = [_median(hu, labels, table[name]) for name in bones]
        # One lobe or vertebra may be missing: that is for the checks to say.
        if max(air) < -400 and sorted(bone)[1] > 20:
            return table
    return None


def _median(hu: NDArray[np.int16], labels: NDArray[np.uint8], number: int) -> float:
    """Of a structure's HU; -1000 where there is none."""
    found = hu[labels == number]
    return float(np.median(found)) if found.size else -1000.0
