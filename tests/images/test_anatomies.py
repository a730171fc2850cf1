"""Own bodies: the shipped CT warped, re-oriented and re-spaced, and broken in every way."""

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from scipy import ndimage
from typer.testing import CliRunner

from syncxr.cli.app import app
from syncxr.cli.main import COMMANDS
from syncxr.errors import SyncxrError
from syncxr.images.simulation.anatomies import naming, store
from syncxr.images.simulation.anatomies.checks import faults
from syncxr.images.simulation.anatomies.reading import read
from syncxr.images.simulation.courses import store as courses
from syncxr.images.simulation.preparation.raw import RawCT, load_raw
from syncxr.images.simulation.renderer import SimulationOptions, SimulationRenderer

_MM = 5.0


@pytest.fixture(scope="module")
def small() -> RawCT:
    """The shipped CT at 5 mm."""
    raw = load_raw()
    picks = [
        np.minimum(((np.arange(int(n * s / _MM)) + 0.5) * _MM / s).astype(int), n - 1)
        for n, s in zip(raw.labels.shape, raw.spacing, strict=True)
    ]
    index = np.ix_(*picks)
    return RawCT(raw.hu[index], raw.labels[index], (_MM, _MM, _MM), raw.ids)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A place of its own for added bodies."""
    monkeypatch.setattr(store, "folder", lambda: tmp_path / "anatomies")
    return tmp_path


def affine(raw: RawCT) -> np.ndarray:
    """Axes to the left, the front and the head."""
    return np.diag([-raw.spacing[0], raw.spacing[1], raw.spacing[2], 1.0])


def write(folder: Path, raw: RawCT, codes: str = "LAS", matrix: np.ndarray | None = None) -> tuple:
    """Both as NIfTI, stored with the axes of ``codes``."""
    paths = []
    for name, volume in (("ct", raw.hu), ("labels", raw.labels)):
        image = nibabel.Nifti1Image(volume, affine(raw) if matrix is None else matrix)
        turn = nibabel.orientations.ornt_transform(
            nibabel.orientations.io_orientation(image.affine),
            nibabel.orientations.axcodes2ornt(tuple(codes)),
        )
        paths.append(folder / f"{name}-{codes}.nii.gz")
        nibabel.save(image.as_reoriented(turn), paths[-1])
    return tuple(paths)


def warped(raw: RawCT) -> RawCT:
    """Another patient, sampled anew on other voxels, with other numbers for the structures."""
    shape = (84, 70, 76)
    spacing = (4.4, 5.1, 4.6)
    x, y, z = np.meshgrid(*(np.linspace(0, 1, n) for n in shape), indexing="ij")
    bend = 0.02 * np.sin(2 * np.pi * z) * np.sin(np.pi * y)
    place = [x + bend, 0.03 * np.sin(np.pi * x) * np.sin(np.pi * z) + y, z + 0.015 * np.sin(6 * x)]
    index = [p * (n - 1) for p, n in zip(place, raw.labels.shape, strict=True)]
    order = np.random.default_rng(1).permutation(np.arange(1, 200))
    new = {name: int(order[number]) for name, number in raw.ids.items()}
    table = np.zeros(256, np.uint8)
    for name, number in raw.ids.items():
        table[number] = new[name]
    labels = ndimage.map_coordinates(raw.labels, index, order=0, mode="nearest")
    hu = ndimage.map_coordinates(raw.hu.astype(np.float32), index, order=1, mode="nearest")
    return RawCT(hu.astype(np.int16), table[labels], spacing, new)


def test_tables_are_those_of_the_label_map() -> None:
    ids = load_raw().ids
    assert len(naming.V1) == 104 and len(naming.V2) == 117
    assert {name: ids[name] for name in naming.V2 if name != "costal_cartilages"}.items() <= (
        naming.TABLES["v2"].items()
    )
    assert set(naming.TABLES["v1"]) - set(ids) == {
        "heart_myocardium",
        "heart_atrium_left",
        "heart_ventricle_left",
        "heart_atrium_right",
        "heart_ventricle_right",
        "pulmonary_artery",
        "face",
    }


@pytest.mark.parametrize("codes", ["LAS", "RAS", "LPS", "SAR", "IPL"])
def test_orientation_in_the_file_does_not_matter(small: RawCT, tmp_path: Path, codes: str) -> None:
    found = read(*write(tmp_path, small, codes))
    np.testing.assert_array_equal(found.labels, small.labels)
    np.testing.assert_array_equal(found.hu, small.hu)
    assert found.spacing == pytest.approx(small.spacing)
    assert found.ids == naming.TABLES["v2"]
    assert faults(found) == []


def test_labels_of_version_1_are_recognised(small: RawCT, tmp_path: Path) -> None:
    table = np.zeros(256, np.uint8)
    for name, number in small.ids.items():
        first = "heart_myocardium" if name == "heart" else name
        table[number] = naming.TABLES["v1"].get(first, 0)
    found = read(*write(tmp_path, replace(small, labels=table[small.labels])))
    assert found.ids == naming.TABLES["v1"]
    assert faults(found) == []


@pytest.mark.parametrize("kind", ["json", "inverted", "csv"])
def test_permuted_numbers_need_a_table(small: RawCT, tmp_path: Path, kind: str) -> None:
    other = warped(small)
    files = write(tmp_path, other, "PSR")
    with pytest.raises(SyncxrError, match="--names"):
        read(*files)
    names = tmp_path / ("names.csv" if kind == "csv" else "names.json")
    if kind == "csv":
        with names.open("w", newline="") as stream:
            csv.writer(stream).writerows(
                [("id", "structure"), *((i, n) for n, i in other.ids.items())]
            )
    else:
        table = {str(i): n for n, i in other.ids.items()} if kind == "inverted" else other.ids
        names.write_text(json.dumps(table))
    found = read(*files, names)
    assert found.ids == other.ids
    assert faults(found) == []


def broken(raw: RawCT) -> dict[str, tuple[RawCT, str]]:
    """Fault to the CT that has it and a part of the reason."""
    lungs = np.argwhere(raw.of("lung_"))
    low, high = lungs.min(0), lungs.max(0)
    no_lobe = raw.labels.copy()
    no_lobe[raw.of("lung_middle_lobe_right")] = 0
    swapped = {
        n.replace("left", "?").replace("right", "left").replace("?", "right"): i
        for n, i in raw.ids.items()
    }

    def cropped(*box: slice) -> RawCT:
        return replace(raw, hu=raw.hu[box], labels=raw.labels[box])

    def turned(axis: int, ids: dict[str, int]) -> RawCT:
        return replace(raw, hu=np.flip(raw.hu, axis), labels=np.flip(raw.labels, axis), ids=ids)

    whole = slice(None)
    no_aorta = np.where(raw.of("aorta"), 0, raw.labels).astype(np.uint8)
    return {
        "foot": (cropped(whole, whole, slice(low[2] + 4, None)), "cuts the lungs at the foot"),
        "head": (cropped(whole, whole, slice(None, high[2] - 1)), "cuts the lungs at the head"),
        "side": (cropped(slice(low[0] + 2, None), whole, whole), "cuts the lungs at the right"),
        "lobe": (replace(raw, labels=no_lobe), "too small: lung_middle_lobe_right"),
        "aorta": (replace(raw, labels=no_aorta), "labels lack aorta"),
        "sides": (turned(0, raw.ids), "left and right are exchanged"),
        "mirror": (turned(0, swapped), "heart and liver and stomach on the wrong side"),
        "feet": (turned(2, raw.ids), "head and feet are exchanged"),
        "back": (turned(1, raw.ids), "front and back are exchanged"),
        "small": (replace(raw, spacing=(2.5, 2.5, 2.5)), "wrong voxel spacing"),
        "flat": (replace(raw, spacing=(_MM, _MM, 2.0)), "wrong voxel spacing"),
        "huge": (replace(raw, spacing=(50.0, 50.0, 50.0)), "needs 0.3 to 6.5 mm"),
        "units": (replace(raw, hu=np.clip(raw.hu // 8 + 128, 0, 255)), "not Hounsfield units"),
    }


@pytest.mark.parametrize(
    "fault",
    [
        *("foot", "head", "side", "lobe", "aorta", "sides", "mirror"),
        *("feet", "back", "small", "flat", "huge", "units"),
    ],
)
def test_every_fault_is_named(small: RawCT, fault: str) -> None:
    raw, reason = broken(small)[fault]
    found = faults(raw)
    assert any(reason in one for one in found), found
    assert len("; ".join(found)) < 300


def test_labels_of_another_grid_are_refused(small: RawCT, tmp_path: Path) -> None:
    ct, labels = write(tmp_path, small)
    cut = replace(small, hu=small.hu[:, :, 2:], labels=small.labels[:, :, 2:])
    (tmp_path / "cut").mkdir()
    _, short = write(tmp_path / "cut", cut)
    with pytest.raises(SyncxrError, match="voxels, the CT has"):
        read(ct, short)
    moved = affine(small)
    moved[:3, 3] += 40.0
    (tmp_path / "moved").mkdir()
    _, elsewhere = write(tmp_path / "moved", small, matrix=moved)
    with pytest.raises(SyncxrError, match="elsewhere in space"):
        read(ct, elsewhere)
    turned = affine(small)
    angle = np.deg2rad(25.0)
    turn = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    turned[1:3, 1:3] = turn @ turned[1:3, 1:3]
    (tmp_path / "oblique").mkdir()
    with pytest.raises(SyncxrError, match="oblique"):
        read(*write(tmp_path / "oblique", small, matrix=turned))
    with pytest.raises(SyncxrError, match="cannot be read"):
        read(tmp_path / "none.nii.gz", labels)
    with pytest.raises(SyncxrError, match="not a label map"):
        read(ct, ct)


def series(folder: Path, raw: RawCT, leave_out: int = -1) -> Path:
    """The CT as DICOM slices, rows to the back, columns to the left, in no order."""
    folder.mkdir()
    for z in range(raw.hu.shape[2]):
        if z == leave_out:
            continue
        data = pydicom.Dataset()
        data.file_meta = pydicom.dataset.FileMetaDataset()
        data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
        data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = pydicom.uid.CTImageStorage
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{z + 1}"
        data.SeriesInstanceUID = "1.2.3"
        plane = raw.hu[:, ::-1, z].T
        data.Rows, data.Columns = plane.shape
        data.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        data.ImagePositionPatient = [
            0.0,
            -raw.spacing[1] * (raw.hu.shape[1] - 1),
            raw.spacing[2] * z,
        ]
        data.PixelSpacing = [raw.spacing[1], raw.spacing[0]]
        data.RescaleSlope, data.RescaleIntercept = 1, -3000
        data.BitsAllocated = data.BitsStored = 16
        data.HighBit, data.SamplesPerPixel, data.PixelRepresentation = 15, 1, 0
        data.PhotometricInterpretation = "MONOCHROME2"
        data.PixelData = (plane.astype(np.int32) + 3000).astype(np.uint16).tobytes()
        data.save_as(folder / f"{(z * 37) % 1000:04d}.dcm", enforce_file_format=True)
    return folder


def test_dicom_series_is_read_like_nifti(small: RawCT, tmp_path: Path) -> None:
    _, labels = write(tmp_path, small, "RPS")
    found = read(series(tmp_path / "dicom", small), labels)
    np.testing.assert_array_equal(found.hu, small.hu)
    np.testing.assert_array_equal(found.labels, small.labels)
    with pytest.raises(SyncxrError, match="slices are missing"):
        read(series(tmp_path / "gap", small, leave_out=20), labels)
    with pytest.raises(SyncxrError, match="0 DICOM series"):
        (tmp_path / "empty").mkdir()
        read(tmp_path / "empty", labels)


def test_added_body_makes_films_and_is_part_of_the_options(small: RawCT, home: Path) -> None:
    assert "anatomy" in {module.__name__.rpartition(".")[2] for module in COMMANDS}
    other = warped(small)
    ct, labels = write(home, other, "RPS")
    names = home / "names.json"
    names.write_text(json.dumps(other.ids))
    run = CliRunner()
    added = run.invoke(
        app, ["anatomy", "add", str(ct), str(labels), "--name", "mine", "--names", str(names)]
    )
    assert added.exit_code == 0, added.output
    entry = store.entries()[0]
    assert entry.key in run.invoke(app, ["anatomy", "list"]).output
    with pytest.raises(SyncxrError, match="is there already"):
        store.add("mine", ct, labels, names)
    options = SimulationOptions(size=96, resolution_mm=4.0, anatomies=("mine",))
    assert options.anatomies == (entry.key,)
    film = SimulationRenderer(options).render_entities([], 3)
    assert film.parameters["patient"]["anatomy"] == entry.key
    shipped = SimulationRenderer(SimulationOptions(size=96))
    same_seed = shipped.render_entities([], 3)
    assert same_seed.parameters["patient"]["anatomy"] == "lidc"
    assert np.corrcoef(film.image.ravel(), same_seed.image.ravel())[0, 1] > 0.5
    assert (film.image != same_seed.image).mean() > 0.5
    assert 0.35 < film.parameters["heart_ratio"] < 0.52
    assert run.invoke(app, ["anatomy", "remove", "mine"]).exit_code == 0
    with pytest.raises(ValueError, match="there is no anatomy 'mine'"):
        SimulationOptions(anatomies=("mine",))


def test_another_ct_under_an_old_name_is_refused(small: RawCT, home: Path) -> None:
    store.add("mine", *write(home, small))
    key = store.entries()[0].key
    store.remove("mine")
    hu = small.hu.copy()
    hu[0, 0, 0] += 1
    store.add("mine", *write(home, replace(small, hu=hu), "RAS"))
    with pytest.raises(SyncxrError, match="add the earlier CT again"):
        store.resolve(key)


def test_a_body_whose_labels_lack_a_rib_takes_the_courses_of_the_shipped_one(
    small: RawCT, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = {name: np.full((4, 3), 7.0, np.float32) for name in ("trachea", *courses._RIBS_USED)}
    lacking = {name: line + 1.0 for name, line in whole.items() if name != "rib left 5"}
    own = replace(small)
    monkeypatch.setattr(courses, "load_raw", lambda: small)
    monkeypatch.setattr(store, "load", lambda key: (own, None))
    monkeypatch.setattr(courses, "trace", lambda raw: lacking if raw is own else whole)
    found = courses._traced("mine@0")
    assert found.keys() == whole.keys()
    assert found["trachea"] == pytest.approx(whole["trachea"])
    lacking["rib left 5"] = whole["rib left 5"]
    assert courses._traced("mine@0") is lacking
