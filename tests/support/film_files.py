"""Files of downloads, made small: PNG, JPEG and DICOM films."""

from pathlib import Path

import numpy as np
from PIL import Image as Pillow


def pixels(seed: int, side: int = 64) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side), dtype=np.uint8)


def save(path: Path, array: np.ndarray) -> Path:
    """PNG or JPEG, by the ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.fromarray(array).save(path)
    return path


def save_dicom(path: Path, array: np.ndarray, kind: str = "MONOCHROME2") -> Path:
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    path.parent.mkdir(parents=True, exist_ok=True)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1"
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[str(path)])
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = meta[0x20002].value, meta[0x20003].value
    data.Rows, data.Columns = array.shape
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, kind
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit, data.PixelRepresentation = 7, 0
    data.PixelData = array.tobytes()
    data.save_as(path, enforce_file_format=True)
    return path
