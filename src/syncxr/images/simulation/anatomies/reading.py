"""A CT and its labels from NIfTI files or a DICOM series, turned to left, front, head."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from syncxr.errors import SyncxrError
from syncxr.images.simulation.anatomies import naming
from syncxr.images.simulation.preparation.raw import RawCT

_MOST_TILT = 12.0
"""Between the CT's axes and the body's, degrees; more would need a resampling first."""

_ROUGH_MM = 0.05
"""Two grids are the same if their corners are this close."""


def read(ct: Path, labels: Path, names: Path | None = None) -> RawCT:
    """Read, turn and name.

    Args:
        ct: NIfTI file, or a folder with one DICOM series.
        labels: NIfTI label map on the same grid.
        names: Table of the labels' numbers; TotalSegmentator's own are recognised.

    Raises:
        SyncxrError: A file cannot be read, or the two do not fit each other.
    """
    hu, place = _turned(ct, *(_dicom(ct) if ct.is_dir() else _nifti(ct)))
    numbers, other = _turned(labels, *_nifti(labels))
    if hu.shape != numbers.shape:
        raise SyncxrError(
            f"{labels}: {_size(numbers)} voxels, the CT has {_size(hu)}; resample the labels"
            " to the CT (nearest neighbour)"
        )
    corners = np.array([[0, 0, 0, 1], [*hu.shape, 1]]).T
    if np.abs(place @ corners - other @ corners).max() > _ROUGH_MM * max(hu.shape):
        raise SyncxrError(f"{labels}: lies elsewhere in space than the CT; give both one affine")
    whole = np.rint(numbers)
    if whole.min() < 0 or whole.max() > 255 or np.abs(whole - numbers).max() > 1e-3:
        raise SyncxrError(f"{labels}: not a label map; needs whole numbers from 0 to 255")
    hu16 = np.clip(np.rint(hu), -32768, 32767).astype(np.int16)
    ids = naming.read_names(names) if names else naming.recognise(hu16, whole.astype(np.uint8))
    if ids is None:
        raise SyncxrError(
            f"{labels}: the numbers are not TotalSegmentator's (v1, v2); give --names FILE with"
            " the number of each structure"
        )
    x, y, z = (float(size) for size in np.linalg.norm(place[:3, :3], axis=0))
    return RawCT(hu16, whole.astype(np.uint8), (x, y, z), ids)


def _size(volume: NDArray[Any]) -> str:
    return " x ".join(map(str, volume.shape))


def _nifti(path: Path) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Voxels and affine (to right, front, head)."""
    import nibabel
    from nibabel.filebasedimages import ImageFileError

    try:
        image = nibabel.load(path)
        return np.asarray(image.dataobj), np.asarray(image.affine, np.float64)
    except (OSError, ImageFileError, ValueError) as error:
        raise SyncxrError(f"{path}: cannot be read as NIfTI ({error})") from error


def _dicom(folder: Path) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Voxels in HU and affine of the one series in a folder."""
    import pydicom

    slices = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        try:
            slices.append(pydicom.dcmread(path))
        except pydicom.errors.InvalidDicomError:
            continue
    slices = [s for s in slices if "PixelData" in s and "ImagePositionPatient" in s]
    series = {str(s.SeriesInstanceUID) for s in slices}
    if len(series) != 1:
        raise SyncxrError(f"{folder}: holds {len(series)} DICOM series; give a folder with one")
    right, down = np.array(slices[0].ImageOrientationPatient, float).reshape(2, 3)
    along = np.cross(right, down)
    slices.sort(key=lambda s: float(along @ np.array(s.ImagePositionPatient, float)))
    places = np.array([s.ImagePositionPatient for s in slices], float)
    gaps = np.diff(places @ along)
    if len(gaps) < 2 or gaps.min() <= 0 or gaps.max() > 1.1 * gaps.min():
        raise SyncxrError(f"{folder}: slices are missing or doubled; export the series again")
    rows, columns = (float(value) for value in slices[0].PixelSpacing)
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = right * columns, down * rows
    affine[:3, 2] = (places[-1] - places[0]) / (len(places) - 1)
    affine[:3, 3] = places[0]
    # DICOM counts to the left and the back, NIfTI to the right and the front.
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine
    planes = [
        s.pixel_array * float(s.get("RescaleSlope", 1)) + float(s.get("RescaleIntercept", 0))
        for s in slices
    ]
    return np.stack([plane.T for plane in planes], axis=2), affine


def _turned(
    path: Path, volume: NDArray[Any], affine: NDArray[np.float64]
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Voxels with axes to the left, the front and the head, and their affine."""
    import nibabel

    if volume.ndim != 3:
        raise SyncxrError(f"{path}: has {volume.ndim} axes; give one volume")
    size = np.linalg.norm(affine[:3, :3], axis=0)
    if not np.isfinite(affine).all() or size.min() <= 0:
        raise SyncxrError(f"{path}: has no valid affine; convert the CT with its geometry")
    axes = affine[:3, :3] / size
    tilt = np.degrees(np.arccos(np.clip(np.abs(axes).max(0), 0, 1))).max()
    if tilt > _MOST_TILT:
        raise SyncxrError(
            f"{path}: lies {tilt:.0f} degrees oblique; resample it to the body's axes"
        )
    orientation = nibabel.orientations.io_orientation(affine)
    wanted = nibabel.orientations.axcodes2ornt(("L", "A", "S"))
    turn = nibabel.orientations.ornt_transform(orientation, wanted)
    turned = nibabel.orientations.apply_orientation(volume, turn)
    moved = affine @ nibabel.orientations.inv_ornt_aff(turn, volume.shape)
    return np.ascontiguousarray(turned), moved
