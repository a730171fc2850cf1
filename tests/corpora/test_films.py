"""Films as a radiologist sees them, whatever file they come in."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
)

from syncxr.corpora.films import dicom_pixels, film_paths, film_size, read_film, read_mask
from syncxr.errors import SyncxrError

RAMP = np.arange(12 * 16, dtype=np.uint16).reshape(12, 16)


def dicom(array: np.ndarray, bits: int, kind: str = "MONOCHROME2", **tags: object) -> FileDataset:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset("film.dcm", {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID = meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1"
    data.SOPInstanceUID = meta.MediaStorageSOPInstanceUID = "1.2.3"
    data.Rows, data.Columns = array.shape
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, kind
    data.BitsAllocated, data.BitsStored = array.dtype.itemsize * 8, bits
    data.HighBit = bits - 1
    data.PixelRepresentation = int(array.dtype.kind == "i")
    data.PixelData = array.tobytes()
    for name, value in tags.items():
        setattr(data, name, value)
    return data


def test_eight_bits_keep_their_values() -> None:
    array = RAMP.astype(np.uint8)
    assert np.array_equal(dicom_pixels(dicom(array, 8)), array)
    identity = dicom(array, 8, RescaleSlope=1, RescaleIntercept=0)
    assert np.array_equal(dicom_pixels(identity), array)


def test_monochrome1_is_turned_over() -> None:
    array = RAMP.astype(np.uint8)
    assert np.array_equal(dicom_pixels(dicom(array, 8, "MONOCHROME1")), 255 - array)


def test_twelve_bits_without_a_window_are_spread() -> None:
    film = dicom_pixels(dicom(RAMP * 16 + 500, 12))
    assert (film.min(), film.max()) == (0, 255)
    assert (np.diff(film.ravel().astype(int)) >= 0).all()


def test_a_window_is_applied_and_what_lies_outside_is_clipped() -> None:
    film = dicom_pixels(dicom(RAMP * 20, 12, WindowCenter=2000, WindowWidth=1000))
    assert (film[RAMP * 20 < 1499] == 0).all() and (film[RAMP * 20 > 2500] == 255).all()
    middle = film[RAMP * 20 == 2000]
    assert abs(int(middle[0]) - 127) <= 1


def test_the_first_of_several_windows_counts() -> None:
    one = dicom(RAMP * 20, 12, WindowCenter=2000, WindowWidth=1000)
    two = dicom(RAMP * 20, 12, WindowCenter=[2000, 100], WindowWidth=[1000, 5])
    assert np.array_equal(dicom_pixels(one), dicom_pixels(two))


def test_a_window_is_in_rescaled_units() -> None:
    array = RAMP.astype(np.int16) * 10
    plain = dicom(array, 16, WindowCenter=1000, WindowWidth=500)
    shifted = dicom(
        array, 16, RescaleSlope=2, RescaleIntercept=-1000, WindowCenter=1000, WindowWidth=1000
    )
    difference = np.abs(dicom_pixels(plain).astype(int) - dicom_pixels(shifted))
    assert difference.max() <= 1


def test_a_voi_table_is_looked_up() -> None:
    table = Dataset()
    table.LUTDescriptor = [192, 0, 8]
    table.LUTData = [255 - value for value in range(192)]
    film = dicom_pixels(dicom(RAMP.astype(np.uint8), 8, VOILUTSequence=[table]))
    assert np.array_equal(film, 255 - RAMP.astype(np.uint8))


def test_a_flat_film_is_black() -> None:
    assert not dicom_pixels(dicom(np.full((4, 4), 700, np.uint16), 12)).any()


@pytest.mark.parametrize("name", ["MR_small_RLE.dcm", "CT_small.dcm", "examples_palette.dcm"])
def test_files_of_pydicom_open(name: str) -> None:
    path = Path(get_testdata_file(name))
    film = read_film(path)
    assert film.dtype == np.uint8 and film.shape == film_size(path)
    assert len(np.unique(film)) > 20


def test_a_stream_that_does_not_decode() -> None:
    path = Path(get_testdata_file("JPGExtended.dcm"))  # 12 bits, which Pillow does not take
    with pytest.raises(SyncxrError, match="data do not decode.*mend it"):
        read_film(path)


def test_colour_becomes_luma() -> None:
    path = Path(get_testdata_file("SC_rgb_rle.dcm"))
    film = read_film(path)
    assert film.ndim == 2 and film.dtype == np.uint8 and len(np.unique(film)) > 4
    baseline = read_film(Path(get_testdata_file("SC_rgb_jpeg_dcmtk.dcm")))
    assert np.abs(baseline.astype(int) - film).mean() < 4


def test_a_decoder_that_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pydicom.pixels import decoders

    for decoder in (decoders.JPEGLSLosslessDecoder, decoders.JPEG2000LosslessDecoder):
        monkeypatch.setattr(decoder, "_available", {})
        monkeypatch.setattr(decoder, "_unavailable", {"pylibjpeg": ("numpy", "pylibjpeg")})
    for name, syntax in (
        ("MR_small_jpeg_ls_lossless.dcm", JPEGLSLossless),
        ("MR_small_jp2klossless.dcm", JPEG2000Lossless),
    ):
        with pytest.raises(SyncxrError, match=re.escape(syntax.name)) as error:
            read_film(Path(get_testdata_file(name)), "labels.csv, row 3")
        assert str(error.value).startswith("labels.csv, row 3: ")
        assert "run: pip install pylibjpeg" in str(error.value)


def test_baseline_jpeg_inside_as_rsna_and_siim_have_it(tmp_path: Path) -> None:
    smooth = np.outer(np.arange(64), np.arange(64)) // 16
    buffer = io.BytesIO()
    Pillow.fromarray(smooth.astype(np.uint8)).save(buffer, "JPEG", quality=95)
    data = dicom(smooth.astype(np.uint8), 8, "MONOCHROME1")
    data.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    data.PixelData = encapsulate([buffer.getvalue()])
    data["PixelData"].is_undefined_length = True
    data.save_as(tmp_path / "film.dcm", enforce_file_format=True)
    film = read_film(tmp_path / "film.dcm")
    assert np.abs(film.astype(int) - (255 - smooth)).max() <= 6


@pytest.mark.parametrize("name", ["IM0001", "1.2.840.113619.2.5"])
def test_dicom_without_an_ending(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    dicom(RAMP.astype(np.uint8), 8).save_as(path, enforce_file_format=True)
    assert np.array_equal(read_film(path), RAMP.astype(np.uint8))
    assert film_size(path) == (12, 16)


def faults(tmp_path: Path) -> dict[str, Path]:
    frames = dicom(RAMP.astype(np.uint8), 8, NumberOfFrames=2)
    frames.PixelData = frames.PixelData * 2
    odd = dicom(RAMP.astype(np.uint8), 8, "CMYK")
    empty = dicom(RAMP.astype(np.uint8), 8)
    del empty.PixelData
    short = dicom(RAMP.astype(np.uint8), 8)
    short.PixelData = short.PixelData[:100]
    made = {"frames": frames, "odd": odd, "empty": empty, "short": short}
    paths = {name: tmp_path / f"{name}.dcm" for name in made}
    for name, data in made.items():
        data.save_as(paths[name], enforce_file_format=True)
    (tmp_path / "text.dcm").write_text("not a film at all " * 20)
    (tmp_path / "text.png").write_text("not a film")
    Pillow.fromarray(RAMP.astype(np.uint8)).save(tmp_path / "whole.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:-40])
    others = {
        name: tmp_path / name for name in ("text.dcm", "text.png", "cut.png", "gone.dcm", "gone")
    }
    return paths | others


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("frames", "2 frames"),
        ("odd", "CMYK"),
        ("empty", "no pixel data"),
        ("short", "does not open"),
        ("text.dcm", "no DICOM file"),
        ("text.png", "does not open"),
        ("cut.png", "does not open"),
        ("gone.dcm", "is missing"),
        ("gone", "is missing"),
    ],
)
def test_broken_files_are_one_line(tmp_path: Path, name: str, message: str) -> None:
    path = faults(tmp_path)[name]
    with pytest.raises(SyncxrError, match=message) as error:
        read_film(path, "labels.csv, row 7")
    assert str(error.value).startswith(f"labels.csv, row 7: {path}")
    assert "\n" not in str(error.value)


def test_sixteen_bit_png_is_divided_by_its_own_maximum(tmp_path: Path) -> None:
    Pillow.fromarray(RAMP * 21).save(tmp_path / "deep.png")
    film = read_film(tmp_path / "deep.png")
    assert np.array_equal(film, (RAMP * 21 / (191 * 21) * 255).astype(np.uint8))
    assert film_size(tmp_path / "deep.png") == (12, 16)


@pytest.mark.parametrize("high", [1, 255])
def test_masks_are_what_is_not_black(tmp_path: Path, high: int) -> None:
    drawn = (RAMP % 3 == 0).astype(np.uint8) * high
    Pillow.fromarray(drawn).save(tmp_path / "grey.png")
    Pillow.fromarray(drawn > 0).save(tmp_path / "bit.png")
    Pillow.fromarray(np.stack([drawn * 0, drawn, drawn * 0], 2)).save(tmp_path / "colour.png")
    palette = Pillow.fromarray((drawn > 0).astype(np.uint8), mode="P")
    palette.putpalette([255, 255, 255, 0, 0, 0])
    palette.save(tmp_path / "palette.png")
    for name in ("grey", "bit", "colour", "palette"):
        assert np.array_equal(read_mask(tmp_path / f"{name}.png"), drawn > 0), name


def test_jpeg_masks_are_cut_at_half_grey(tmp_path: Path) -> None:
    drawn = np.zeros((64, 64), np.uint8)
    drawn[16:48, 16:48] = 255
    Pillow.fromarray(drawn).save(tmp_path / "mask.jpg", quality=60)
    assert (read_mask(tmp_path / "mask.jpg") != (drawn > 0)).mean() < 0.01


def test_dicom_films_are_found_in_folders(tmp_path: Path) -> None:
    dicom(RAMP.astype(np.uint8), 8).save_as(tmp_path / "a.dcm", enforce_file_format=True)
    (tmp_path / "notes.txt").write_text("")
    assert film_paths(tmp_path) == [tmp_path / "a.dcm"]
