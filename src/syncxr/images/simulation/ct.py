"""The source CT, cleaned once: a normal chest as water, bone and structure labels.

The CT of the asset ``thorax-ct`` is not a normal one. A spiculated mass of 3 cm lies in the left
lower lobe, contrast medium fills heart and vessels and streaks from the right subclavian vein, a
table and a blanket are in view and the field of view cuts the shoulders. :func:`clean` undoes all
of that; :func:`load_thorax` resamples the result and keeps it in the cache.

Axes here and in the whole simulator: ``[y, z, x]``, x towards the patient's left, y towards the
front, z towards the head; millimetres from the middle of the lungs' bounding box.
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from scipy import ndimage

from syncxr import assets

Floats = NDArray[np.float32]

VERSION = 9
"""Raise on every change of the cleaning: it names the cache file."""

HU_TISSUE = 50.0
"""Mean of unenhanced blood and muscle, HU (Hounsfield scale: 35-55)."""

HU_CORTICAL = 1400.0
"""Dense cortical bone (ICRU-44) at the CT's 120 kVp, HU: the voxel that counts as all bone."""

NECK_MM = 90.0
"""Height added above the CT, which ends 2 cm above the apices."""


class Structure(IntEnum):
    """Compact labels of the thorax."""

    OUTSIDE = 0
    BODY = 1
    LEFT_UPPER_LOBE = 2
    LEFT_LOWER_LOBE = 3
    RIGHT_UPPER_LOBE = 4
    RIGHT_MIDDLE_LOBE = 5
    RIGHT_LOWER_LOBE = 6
    HEART = 7
    AORTA = 8
    SPINE = 9
    RIBS = 10
    SHOULDER = 11
    AIRWAY = 12


LEFT_LUNG = (Structure.LEFT_UPPER_LOBE, Structure.LEFT_LOWER_LOBE)
RIGHT_LUNG = (
    Structure.RIGHT_UPPER_LOBE,
    Structure.RIGHT_MIDDLE_LOBE,
    Structure.RIGHT_LOWER_LOBE,
)
LUNGS = LEFT_LUNG + RIGHT_LUNG

_MASS_CENTRE = (317.0, 146.0, 90.5)
"""Of the mass, in voxels (x, y, z) of the asset; read off axial views."""

_MASS_RADII = (23.0, 26.0, 6.5)
"""Ellipsoid that holds it with its spicules and halo, voxels."""

_TEXTURE_SHIFT = 13
"""Slices below from which lung texture is taken: the same lobe, clear of the mass."""


@dataclass(frozen=True)
class Thorax:
    """A normal chest on a regular grid.

    Attributes:
        water: Density of the water-like part, g/cm³, (Y, Z, X).
        bone: Volume fraction of cortical bone, 0 to about 1.5, (Y, Z, X).
        labels: :class:`Structure` of each voxel, (Y, Z, X).
        mass: Fraction of lung that the removed mass replaced, (Y, Z, X) of its own box.
        spacing: Voxel size, mm, the same along the three axes.
        origin: Millimetre coordinates (x, y, z) of voxel (0, 0, 0).
    """

    water: Floats
    bone: Floats
    labels: NDArray[np.uint8]
    mass: Floats
    spacing: float
    origin: tuple[float, float, float]

    def axis(self, name: str) -> Floats:
        """Voxel centres along ``"x"``, ``"y"`` or ``"z"``, mm."""
        count = self.labels.shape[{"y": 0, "z": 1, "x": 2}[name]]
        start = self.origin["xyz".index(name)]
        return (start + self.spacing * np.arange(count)).astype(np.float32)

    def mask(self, *structures: Structure) -> NDArray[np.bool_]:
        """Voxels of any of these structures."""
        return np.isin(self.labels, structures)


@dataclass(frozen=True)
class RawCT:
    """The asset as it comes: HU and TotalSegmentator labels, (X, Y, Z), axes left, front, head."""

    hu: NDArray[np.int16]
    labels: NDArray[np.uint8]
    spacing: tuple[float, float, float]
    ids: dict[str, int]

    def of(self, *prefixes: str) -> NDArray[np.bool_]:
        """Voxels of the structures whose names begin with one of ``prefixes``."""
        return np.isin(
            self.labels, [i for name, i in self.ids.items() if name.startswith(prefixes)]
        )


def load_raw() -> RawCT:
    """The untouched CT, for cleaning and for pictures of what cleaning did.

    Raises:
        SyncxrError: The asset cannot be fetched.
    """
    import nibabel

    folder = assets.fetch("thorax-ct")
    image = nibabel.load(folder / "cxr.nii.gz")
    labels = np.asarray(nibabel.load(folder / "mask.nii.gz").dataobj).astype(np.uint8)
    with (folder / "structures.csv").open(newline="") as stream:
        ids = {row["structure"]: int(row["id"]) for row in csv.DictReader(stream)}
    spacing = tuple(float(size) for size in image.header.get_zooms()[:3])
    return RawCT(np.asarray(image.dataobj).astype(np.int16), labels, spacing, ids)  # type: ignore[arg-type]


@dataclass(frozen=True)
class CleanCT:
    """The CT made normal: HU, label map with the mass given back to its lobe, the mass itself."""

    hu: Floats
    labels: NDArray[np.uint8]
    body: NDArray[np.bool_]
    mass: Floats
    bones: NDArray[np.bool_]


def clean(raw: RawCT) -> CleanCT:
    """Take mass, contrast medium, streaks, table and blanket out; fill the cut field of view."""
    body = _body(raw)
    hu = raw.hu.astype(np.float32)
    labels = raw.labels.copy()
    labels[~body] = 0
    mass = _remove_mass(raw, hu, labels)
    bones = _bones(raw)
    _remove_contrast(raw, hu, bones, body)
    hu[~body] = -1000.0
    _fill_field_of_view(raw, hu, labels, body)
    return CleanCT(hu, labels, body, mass, bones)


def _body(raw: RawCT) -> NDArray[np.bool_]:
    """The patient without table and blanket, holes filled, slice by slice."""
    body = np.zeros(raw.hu.shape, bool)
    disk = _disk(4)
    for z in range(raw.hu.shape[2]):
        tissue = ndimage.binary_opening(raw.hu[:, :, z] > -350, disk)
        parts, count = ndimage.label(tissue)
        if not count:
            continue
        sizes = np.bincount(parts.ravel())
        sizes[0] = 0
        # Arms are parts of their own in the uppermost slices; the table's thin shells never
        # survive the opening with as many voxels.
        keep = np.isin(parts, np.flatnonzero(sizes > max(2500, 0.02 * sizes.max())))
        body[:, :, z] = ndimage.binary_fill_holes(ndimage.binary_dilation(keep, _disk(1)))
    return body


def _remove_mass(raw: RawCT, hu: Floats, labels: NDArray[np.uint8]) -> Floats:
    """Replace the mass by texture of its own lobe; return what it had replaced."""
    box = tuple(
        slice(int(c - r) - 1, int(c + r) + 3)
        for c, r in zip(_MASS_CENTRE, _MASS_RADII, strict=True)
    )
    index = np.meshgrid(*(np.arange(s.start, s.stop) for s in box), indexing="ij")
    radius = np.sqrt(
        sum(((i - c) / r) ** 2 for i, c, r in zip(index, _MASS_CENTRE, _MASS_RADII, strict=True))
    )
    lobe = raw.ids["lung_lower_lobe_left"]
    lung = raw.of("lung_")
    # The label map leaves the mass out of the lung: close it slice by slice, then keep clear of
    # the chest wall, which the closing may bridge.
    hull = np.stack(
        [
            ndimage.binary_closing(np.pad(lung[:, :, z], 40), _disk(24))[40:-40, 40:-40]
            for z in range(box[2].start, box[2].stop)
        ],
        axis=2,
    )[box[0], box[1]]
    hull &= ~np.isin(
        raw.labels[box], [i for n, i in raw.ids.items() if n.startswith(("rib", "sca"))]
    )
    below = (box[0], box[1], slice(box[2].start - _TEXTURE_SHIFT, box[2].stop - _TEXTURE_SHIFT))
    texture = np.where(lung[below], hu[below], -860.0)
    weight = np.clip((1.0 - radius) / 0.15, 0.0, 1.0) * hull
    found = np.clip((hu[box] + 700.0) / (700.0 + 30.0), 0.0, 1.0) * (radius < 0.95) * hull
    hu[box] = weight * texture + (1.0 - weight) * hu[box]
    inside = (weight > 0.5) & (labels[box] != raw.ids["lung_upper_lobe_left"])
    labels[box][inside] = lobe
    return ndimage.gaussian_filter(found, 0.5).astype(np.float32)


_BONES = (
    "vertebrae",
    "rib",
    "scapula",
    "clavicula",
    "humerus",
    "sternum",
    "sacrum",
    "skull",
)


def _bones(raw: RawCT) -> NDArray[np.bool_]:
    """Labelled bones, widened by a voxel or two so that no cortex is left outside."""
    bones = raw.of(*_BONES)
    grown = ndimage.binary_dilation(bones, ndimage.generate_binary_structure(3, 1), iterations=2)
    return grown & ~raw.of("aorta", "heart", "brachio", "subclavian", "superior", "common")


def _remove_contrast(
    raw: RawCT, hu: Floats, bones: NDArray[np.bool_], body: NDArray[np.bool_]
) -> None:
    """Bring enhanced blood down to tissue and dark streaks up to fat, in ``hu`` and ``bones``."""
    labelled = raw.of(*_BONES)
    # The undiluted medium in the veins of the right arm is denser than cortical bone; what
    # surrounds it is bloom and streaks, and where these cross ribs the ribs are too bright.
    dense = (raw.hu > 1300) & ~raw.of("vertebrae", "scapula", "humerus", "clavicula_left")
    bloom = ndimage.binary_dilation(dense, iterations=4)
    bones &= ~(bloom & ~labelled)
    hu[bloom & labelled] = np.minimum(hu[bloom & labelled], 300.0)
    soft = ~bones & ~raw.of("costal_cartilages")
    enhanced = soft & (hu > HU_TISSUE)
    # Above tissue only contrast medium and its noise are left outside bone: compress, so that
    # edges of organs keep a trace of texture.
    hu[enhanced] = HU_TISSUE + 0.04 * np.minimum(hu[enhanced] - HU_TISSUE, 300.0)
    thin = ndimage.binary_dilation(raw.of("rib_", "clavicula", "sternum"), iterations=2)
    hu[thin & (hu > 700.0)] = 700.0
    np.minimum(hu, 1600.0, out=hu)
    airy = raw.of("lung_", "trachea", "colon", "stomach", "small_bowel", "esophagus")
    airy = ndimage.binary_dilation(airy, iterations=4)
    within = ndimage.binary_erosion(body, iterations=4)
    hu[soft & ~airy & within & (hu < -130.0)] = -100.0


def _fill_field_of_view(
    raw: RawCT, hu: Floats, labels: NDArray[np.uint8], body: NDArray[np.bool_]
) -> None:
    """Continue the shoulders beyond the circle of reconstruction by their outermost tissue."""
    size = raw.hu.shape[0]
    axis = np.arange(size) - (size - 1) / 2
    outside = np.hypot(axis[:, None], axis[None, :]) > size / 2 - 3
    nearest = ndimage.distance_transform_edt(outside, return_distances=False, return_indices=True)
    for volume in (hu, labels, body):
        volume[outside] = volume[nearest[0], nearest[1]][outside]


def _disk(radius: int) -> NDArray[np.bool_]:
    axis = np.arange(-radius, radius + 1)
    disk: NDArray[np.bool_] = np.hypot(axis[:, None], axis[None, :]) <= radius + 0.3
    return disk


def _compact_labels(raw: RawCT, cleaned: CleanCT) -> NDArray[np.uint8]:
    """TotalSegmentator's labels to :class:`Structure`."""
    table = np.full(256, Structure.BODY, np.uint8)
    rules = {
        "lung_upper_lobe_left": Structure.LEFT_UPPER_LOBE,
        "lung_lower_lobe_left": Structure.LEFT_LOWER_LOBE,
        "lung_upper_lobe_right": Structure.RIGHT_UPPER_LOBE,
        "lung_middle_lobe_right": Structure.RIGHT_MIDDLE_LOBE,
        "lung_lower_lobe_right": Structure.RIGHT_LOWER_LOBE,
        "heart": Structure.HEART,
        "atrial_appendage_left": Structure.HEART,
        "aorta": Structure.AORTA,
        "trachea": Structure.AIRWAY,
    }
    prefixes = {
        "vertebrae": Structure.SPINE,
        "rib_": Structure.RIBS,
        "scapula": Structure.SHOULDER,
        "clavicula": Structure.SHOULDER,
        "humerus": Structure.SHOULDER,
    }
    labels = cleaned.labels.copy()
    heart = np.isin(labels, [raw.ids["heart"], raw.ids["atrial_appendage_left"]])
    # The map's heart reaches out into the hilar vessels, which would count into its width: keep
    # what lies within the frontal shadow opened by a disk of 14 mm.
    tall = round(raw.spacing[2] / raw.spacing[0])
    shadow = np.pad(heart.any(1).repeat(tall, axis=1), 30)
    opened = ndimage.binary_opening(shadow, _disk(round(14.0 / raw.spacing[0])))
    core = opened[30:-30, 30:-30][:, tall // 2 :: tall][:, None, :]
    labels[heart & ~core] = raw.ids["pulmonary_vein"]
    for name, number in raw.ids.items():
        found = [value for start, value in prefixes.items() if name.startswith(start)]
        table[number] = rules.get(name, found[0] if found else Structure.BODY)
    compact = table[labels]
    compact[~cleaned.body] = Structure.OUTSIDE
    return compact


def _area_weights(count: int, step: float, size: float, new: float) -> Floats:
    """Matrix (cells, count) averaging ``count`` cells of ``step`` mm into ``new`` mm ones."""
    cells = int(size // new)
    edges = np.arange(cells + 1) * new
    old = np.arange(count + 1) * step
    overlap = np.minimum(edges[1:, None], old[None, 1:]) - np.maximum(
        edges[:-1, None], old[None, :-1]
    )
    weights = np.clip(overlap, 0.0, None)
    normalised: Floats = (weights / weights.sum(1, keepdims=True)).astype(np.float32)
    return normalised


def _resample(volume: Floats, spacing: tuple[float, float, float], new: float) -> Floats:
    """Area-average (X, Y, Z) to ``new`` mm and reorder to (Y, Z, X)."""
    result = volume
    for axis in range(3):
        count = volume.shape[axis]
        weights = _area_weights(count, spacing[axis], count * spacing[axis], new)
        result = np.moveaxis(np.tensordot(weights, result, axes=(1, axis)), 0, axis)
    return np.ascontiguousarray(result.transpose(1, 2, 0), dtype=np.float32)


def _nearest(
    labels: NDArray[np.uint8], spacing: tuple[float, float, float], new: float
) -> NDArray[np.uint8]:
    """Nearest-neighbour companion of :func:`_resample`."""
    picks = []
    for axis in range(3):
        count = labels.shape[axis]
        cells = int(count * spacing[axis] // new)
        centres = (np.arange(cells) + 0.5) * new / spacing[axis]
        picks.append(np.minimum(centres.astype(int), count - 1))
    return np.ascontiguousarray(labels[np.ix_(*picks)].transpose(1, 2, 0))


def _build(resolution_mm: float) -> dict[str, NDArray[np.generic]]:
    """Clean and resample: the arrays that the cache keeps."""
    raw = load_raw()
    cleaned = clean(raw)
    fraction = (cleaned.hu - HU_TISSUE) / (HU_CORTICAL - HU_TISSUE)
    fraction = np.clip(fraction, 0.0, 1.2) * cleaned.bones
    soft = np.where(fraction > 0, HU_TISSUE, cleaned.hu)
    density = np.clip(1.0 + soft / 1000.0, 0.0, 1.2) * np.clip(1.0 - fraction, 0.0, 1.0)
    density[~cleaned.body] = 0.0
    fraction[~cleaned.body] = 0.0
    water = _resample(density.astype(np.float32), raw.spacing, resolution_mm)
    bone = _resample(fraction.astype(np.float32), raw.spacing, resolution_mm)
    labels = _nearest(_compact_labels(raw, cleaned), raw.spacing, resolution_mm)
    water, bone, labels = _add_neck(water, bone, labels, resolution_mm)
    return {
        "water": np.rint(water * 1e4).clip(0, 65535).astype(np.uint16),
        "bone": np.rint(bone * 1e4).clip(0, 65535).astype(np.uint16),
        "labels": labels,
        "mass": _resample(cleaned.mass, raw.spacing, resolution_mm),
    }


def _add_neck(
    water: Floats, bone: Floats, labels: NDArray[np.uint8], spacing: float
) -> tuple[Floats, Floats, NDArray[np.uint8]]:
    """Continue the body above the CT: shoulders that slope to a neck, of blurred tissue.

    Without it rays above the apices would meet the last slice over and over: stripes.
    """
    count = int(NECK_MM / spacing)
    x = (np.arange(water.shape[2]) - water.shape[2] / 2) * spacing
    y = (np.arange(water.shape[0]) - water.shape[0] / 2) * spacing
    tissue = water[:, -1] + bone[:, -1]
    centre = float((tissue.sum(1) * y).sum() / tissue.sum())
    new = {"water": [water], "bone": [bone]}
    for step in range(1, count + 1):
        height = step * spacing
        half_width = 62.0 + 128.0 * max(0.0, 1.0 - height / 55.0) ** 1.5
        half_depth = 62.0 + 60.0 * max(0.0, 1.0 - height / 40.0)
        radius = np.hypot(x[None, :] / half_width, (y[:, None] - centre) / half_depth)
        inside = np.clip((1.0 - radius) * 12.0, 0.0, 1.0).astype(np.float32)
        for name, volume in (("water", water), ("bone", bone)):
            blurred = ndimage.gaussian_filter(volume[:, -1], (1.0 + height / 8.0) / spacing)
            new[name].append((blurred * inside)[:, None])
    top = np.concatenate(new["water"][1:], axis=1)
    body = np.where(top > 0.5, Structure.BODY, Structure.OUTSIDE).astype(np.uint8)
    return (
        np.concatenate(new["water"], axis=1),
        np.concatenate(new["bone"], axis=1),
        np.concatenate([labels, body], axis=1),
    )


@cache
def load_thorax(resolution_mm: float = 2.0) -> Thorax:
    """The normal chest at ``resolution_mm``; made once (about a minute), then read from the cache.

    Args:
        resolution_mm: Voxel size, 1 to 4 mm.

    Raises:
        SyncxrError: The asset cannot be fetched.
    """
    folder = assets.cache_folder() / "simulation"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"thorax-v{VERSION}-{resolution_mm:g}mm.npz"
    with FileLock(path.with_suffix(".lock")):
        if not path.exists():
            _write(path, _build(resolution_mm))
    with np.load(path) as arrays:
        labels = arrays["labels"]
        water = arrays["water"].astype(np.float32) / 1e4
        bone = arrays["bone"].astype(np.float32) / 1e4
        mass = arrays["mass"]
    lungs = np.argwhere(np.isin(labels, LUNGS))
    middle = (lungs.min(0) + lungs.max(0)) / 2
    y, z, x = (-resolution_mm * float(value) for value in middle)
    return Thorax(water, bone, labels, mass, resolution_mm, (x, y, z))


def _write(path: Path, arrays: dict[str, NDArray[np.generic]]) -> None:
    """Write to a temporary name, then rename: no reader ever sees half a file."""
    with NamedTemporaryFile(dir=path.parent, suffix=".npz", delete=False) as stream:
        np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
        stream.flush()
        os.fsync(stream.fileno())
    Path(stream.name).replace(path)
