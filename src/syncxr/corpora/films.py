"""Films out of image files: PNG, JPEG, TIFF, BMP and DICOM; one's own folder, or one named file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from syncxr.errors import SyncxrError
from syncxr.sample import Image, Mask

OWN_FILM = "file"
"""Key in the provenance of a film that was not made here: its path below the folder given."""

FAULT = "fault"
"""Key in the provenance of a film that does not open: why, in one line."""

DICOM_SUFFIXES = {".dcm", ".dicom"}

SUFFIXES = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp"} | DICOM_SUFFIXES


def read_film(path: Path, where: str = "") -> Image:
    """A film as 8-bit grey, bone bright, (H, W) in the size of the file.

    8-bit files keep their values. 16-bit image files are divided by their own maximum (PadChest's
    rule, as MAVL applies it). DICOM files go through :func:`dicom_pixels`.

    Args:
        path: The file.
        where: What asks for it ("labels.csv, row 7"), for the message.

    Raises:
        SyncxrError: The file is missing or does not open as one film.
    """
    with _faults(path, where):
        if is_dicom(path):
            return _read_dicom(path, where)
        with Pillow.open(path) as opened:
            if opened.mode.startswith(("I", "F")):
                deep = np.asarray(opened, np.float64)
                return _as_film(deep, 0.0, max(float(deep.max()), 1.0))
            return np.asarray(opened.convert("L"), np.uint8)


def read_mask(path: Path, where: str = "") -> Mask:
    """A drawn mask, (H, W): every pixel that is not black.

    JPEG masks are cut at half grey, for their compression smears the black.

    Args:
        path: The file.
        where: What asks for it, for the message.

    Raises:
        SyncxrError: The file is missing or does not open.
    """
    with _faults(path, where), Pillow.open(path) as opened:
        least = 127 if opened.format == "JPEG" else 0
        # A palette's numbers are the classes; its colours are decoration.
        keep = opened.mode in {"1", "L", "P"} or opened.mode.startswith(("I", "F"))
        pixels = np.asarray(opened if keep else opened.convert("RGB"))
        return np.asarray(pixels > least if pixels.ndim == 2 else (pixels > least).any(2))


def film_size(path: Path, where: str = "") -> tuple[int, int]:
    """Height and width from the header alone.

    Args:
        path: The file.
        where: What asks for it, for the message.

    Raises:
        SyncxrError: The file is missing or its header cannot be read.
    """
    with _faults(path, where):
        if is_dicom(path):
            header = _pydicom(path, where).dcmread(path, stop_before_pixels=True)
            return int(header.Rows), int(header.Columns)
        with Pillow.open(path) as opened:
            return opened.height, opened.width


def film_paths(folder: Path) -> list[Path]:
    """Image files below a folder, in order.

    Raises:
        SyncxrError: There are none.
    """
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    if not paths:
        raise SyncxrError(f"{folder} holds no images ({', '.join(sorted(SUFFIXES))})")
    return paths


def is_dicom(path: Path) -> bool:
    """Whether a file is DICOM: by its ending or, without one that says it, by its magic bytes.

    Scanners name files ``IM0001`` or ``1.2.840.113619.2.5``, where the last number is no ending.
    """
    ending = path.suffix.lower()
    if ending in SUFFIXES:
        return ending in DICOM_SUFFIXES
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def dicom_pixels(dataset: Any) -> Image:
    """Pixels of a DICOM data set as a radiologist sees them, bone bright.

    In the order of DICOM PS3.4 N.2: modality LUT or rescale, then the first VOI LUT or window,
    then the presentation, where MONOCHROME1 is inverted. 8-bit films without any of these keep
    their values; deeper ones without a window are spread from their least to their greatest value.
    Colour becomes luma.

    Args:
        dataset: A ``pydicom.Dataset`` with pixel data.

    Returns:
        (H, W) uint8.

    Raises:
        ValueError: It holds several frames, or a presentation that is no film.
    """
    from pydicom.pixels import pixel_array
    from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi_lut

    frames = int(dataset.get("NumberOfFrames") or 1)
    if frames != 1:
        raise ValueError(f"it holds {frames} frames; one film is expected")
    kind = str(dataset.PhotometricInterpretation)
    stored = pixel_array(dataset)  # YBR colour arrives as RGB
    if kind == "PALETTE COLOR":
        deep = apply_color_lut(stored, dataset)
        return _luma((deep // 257 if deep.dtype == np.uint16 else deep).astype(np.uint8))
    if stored.ndim == 3:
        return _luma(_as_film(np.asarray(stored, np.float64), 0.0, 2.0**dataset.BitsStored - 1))
    if kind not in {"MONOCHROME1", "MONOCHROME2"}:
        raise ValueError(f"its photometric interpretation is {kind}, which is no film")
    rescaled = apply_modality_lut(stored, dataset)
    seen = apply_voi_lut(rescaled, dataset, index=0)
    if seen is not rescaled:
        film = _as_film(seen, *_window_range(dataset))
    elif np.array_equal(seen, stored) and dataset.BitsStored <= 8 and stored.min() >= 0:
        film = np.asarray(stored, np.uint8)
    else:
        film = _as_film(np.asarray(seen, np.float64), float(seen.min()), float(seen.max()))
    return np.asarray(255 - film) if kind == "MONOCHROME1" else film


def _window_range(dataset: Any) -> tuple[float, float]:
    """Least and greatest value that pydicom's ``apply_voi_lut`` gives."""
    for name in ("VOILUTSequence", "ModalityLUTSequence"):
        if dataset.get(name):
            return 0.0, 2.0 ** dataset[name][0].LUTDescriptor[2] - 1
    bits = int(dataset.BitsStored)
    signed = bool(dataset.PixelRepresentation)
    low, high = (-(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1) if signed else (0.0, 2.0**bits - 1)
    slope = float(dataset.get("RescaleSlope", 1))
    intercept = float(dataset.get("RescaleIntercept", 0))
    return low * slope + intercept, high * slope + intercept


def _as_film(values: NDArray[np.float64], low: float, high: float) -> Image:
    """Values from ``low`` to ``high`` as 0 to 255; a flat film is black."""
    spread = (values - low) / ((high - low) or 1.0) * 255
    return np.asarray(np.clip(spread, 0, 255), np.uint8)


def _luma(colour: NDArray[np.uint8]) -> Image:
    return np.asarray(Pillow.fromarray(colour).convert("L"), np.uint8)


def _read_dicom(path: Path, where: str) -> Image:
    pydicom = _pydicom(path, where)
    dataset = pydicom.dcmread(path)
    if "PixelData" not in dataset:
        raise ValueError("it has no pixel data")
    try:
        return dicom_pixels(dataset)
    except (RuntimeError, NotImplementedError) as error:
        # So pydicom says that no decoder is installed, and also that one of them gave up.
        syntax = dataset.file_meta.TransferSyntaxUID
        if _decodes(syntax):
            raise ValueError(f"its {syntax.name} data do not decode") from error
        raise SyncxrError(
            f"{_prefix(where)}{path} is compressed as {syntax.name}, which needs another decoder; "
            "run: pip install pylibjpeg pylibjpeg-libjpeg pylibjpeg-openjpeg"
        ) from error


def _decodes(syntax: Any) -> bool:
    """Whether a decoder for a transfer syntax is installed."""
    from pydicom.pixels import get_decoder

    try:
        return bool(get_decoder(syntax).is_available)
    except NotImplementedError:
        return False


def _pydicom(path: Path, where: str) -> Any:
    try:
        import pydicom
    except ModuleNotFoundError as error:
        raise SyncxrError(
            f"{_prefix(where)}{path} is DICOM, which needs the package 'pydicom'; "
            "run: pip install 'syncxr[evaluation]'"
        ) from error
    return pydicom


@contextmanager
def _faults(path: Path, where: str) -> Iterator[None]:
    """Whatever a decoder says of a broken file, as one line."""
    try:
        yield
    except SyncxrError:
        raise
    except (
        OSError,
        SyntaxError,
        ValueError,
        AttributeError,
        KeyError,
        Pillow.DecompressionBombError,
    ) as error:
        reason = "does not open as an image" if path.exists() else "is missing"
        known = isinstance(error, ValueError) and str(error).startswith("it")
        detail = f" ({error})" if known else ""
        raise SyncxrError(
            f"{_prefix(where)}{path} {reason}{detail}; mend it or take it out"
        ) from error
    except Exception as error:
        # pydicom's InvalidDicomError derives from Exception alone and is only importable with it.
        if type(error).__name__ != "InvalidDicomError":
            raise
        raise SyncxrError(
            f"{_prefix(where)}{path} does not open as an image (it is no DICOM file); "
            "mend it or take it out"
        ) from error


def _prefix(where: str) -> str:
    return f"{where}: " if where else ""
