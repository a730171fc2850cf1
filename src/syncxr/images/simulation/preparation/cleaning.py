"""The source CT made normal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from syncxr.images.simulation.preparation.raw import RawCT
from syncxr.images.simulation.thorax import Floats

HU_TISSUE = 50.0
"""Mean of unenhanced blood and muscle, HU (Hounsfield scale: 35-55)."""

_MASS_CENTRE = (317.0, 146.0, 90.5)
"""Of the mass, in voxels (x, y, z) of the asset; read off axial views."""

_MASS_RADII = (23.0, 26.0, 6.5)
"""Ellipsoid that holds it with its spicules and halo, voxels."""

_TEXTURE_SHIFT = 13
"""Slices below from which lung texture is taken: the same lobe, clear of the mass."""


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
    return _clean(raw, with_mass=True)


def clean_any(raw: RawCT) -> CleanCT:
    """The same for a CT that is not the shipped one: no mass is looked for."""
    return _clean(raw, with_mass=False)


def _clean(raw: RawCT, with_mass: bool) -> CleanCT:
    body = _body(raw)
    hu = raw.hu.astype(np.float32)
    labels = raw.labels.copy()
    labels[~body] = 0
    mass = _remove_mass(raw, hu, labels) if with_mass else np.zeros((1, 1, 1), np.float32)
    bones = _bones(raw)
    _remove_contrast(raw, hu, bones, body)
    hu[~body] = -1000.0
    _fill_field_of_view(raw, hu, labels, body)
    return CleanCT(hu, labels, body, mass, bones)


def _body(raw: RawCT) -> NDArray[np.bool_]:
    """The patient without table and blanket, holes filled, slice by slice."""
    body = np.zeros(raw.hu.shape, bool)
    pixel = (raw.spacing[0] * raw.spacing[1]) ** 0.5
    wide, narrow = disk(round(2.8 / pixel)), disk(max(1, round(0.7 / pixel)))
    least = 1236.0 / pixel**2
    for z in range(raw.hu.shape[2]):
        tissue = ndimage.binary_opening(raw.hu[:, :, z] > -350, wide)
        parts, count = ndimage.label(tissue)
        if not count:
            continue
        sizes = np.bincount(parts.ravel())
        sizes[0] = 0
        # Arms are parts of their own in the uppermost slices; the table's thin shells never
        # survive the opening with as many voxels.
        keep = np.isin(parts, np.flatnonzero(sizes > max(least, 0.02 * sizes.max())))
        body[:, :, z] = ndimage.binary_fill_holes(ndimage.binary_dilation(keep, narrow))
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
            ndimage.binary_closing(np.pad(lung[:, :, z], 40), disk(24))[40:-40, 40:-40]
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


BONES = (
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
    bones = raw.of(*BONES)
    grown = ndimage.binary_dilation(bones, ndimage.generate_binary_structure(3, 1), iterations=2)
    return grown & ~raw.of("aorta", "heart", "brachio", "subclavian", "superior", "common")


def _remove_contrast(
    raw: RawCT, hu: Floats, bones: NDArray[np.bool_], body: NDArray[np.bool_]
) -> None:
    """Bring enhanced blood down to tissue and dark streaks up to fat, in ``hu`` and ``bones``."""
    labelled = raw.of(*BONES)
    # The undiluted medium in the veins of the right arm is denser than cortical bone; what
    # surrounds it is bloom and streaks, and where these cross ribs the ribs are too bright.
    dense = (raw.hu > 1300) & ~raw.of("vertebrae", "scapula", "humerus", "clavicula_left")
    reach = max(1, round(2.8 / raw.spacing[0]))
    bloom = ndimage.binary_dilation(dense, iterations=reach)
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
    airy = ndimage.binary_dilation(airy, iterations=reach)
    within = ndimage.binary_erosion(body, iterations=reach)
    hu[soft & ~airy & within & (hu < -130.0)] = -100.0


def _fill_field_of_view(
    raw: RawCT, hu: Floats, labels: NDArray[np.uint8], body: NDArray[np.bool_]
) -> None:
    """Continue the shoulders beyond the circle of reconstruction by their outermost tissue."""
    size = raw.hu.shape[0]
    if raw.hu.shape[1] != size or not (raw.hu[0, 0] == raw.hu[0, 0, 0]).all():
        return  # Not the square round a circle of reconstruction.
    axis = np.arange(size) - (size - 1) / 2
    outside = np.hypot(axis[:, None], axis[None, :]) > size / 2 - 3
    nearest = ndimage.distance_transform_edt(outside, return_distances=False, return_indices=True)
    for volume in (hu, labels, body):
        volume[outside] = volume[nearest[0], nearest[1]][outside]


def disk(radius: int) -> NDArray[np.bool_]:
    """A filled circle, as a structuring element."""
    axis = np.arange(-radius, radius + 1)
    filled: NDArray[np.bool_] = np.hypot(axis[:, None], axis[None, :]) <= radius + 0.3
    return filled
