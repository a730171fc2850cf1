"""COVID-19 rural as its repository clones: JPEG films in colour, PNG masks of 0 and 1."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from film_files import pixels, save

from syncxr.evaluation.testsets.test_set import open_test_set

PATIENTS = 20
SPLITS = ("train", "valid", "test")


def name(patient: int, visit: int) -> str:
    return f"COVID-19-AR-164064{patient:02d}_01-{visit + 8:02d}-2012-XR"


def drawn(patient: int, visit: int) -> np.ndarray:
    mask = np.zeros((64, 64), np.uint8)
    if (patient + visit) % 3:
        mask[10 : 20 + patient, 5:30] = 1
    return mask


@pytest.fixture
def download(tmp_path: Path) -> Path:
    base = tmp_path / "opacity_segmentation_covid_chest_X_ray-master/covid_rural_annot"
    for patient in range(PATIENTS):
        for visit in range(2):
            film = np.repeat(pixels(patient * 2 + visit)[:, :, None] // 8 * 8, 3, 2)
            save(base / "jpgs" / f"{name(patient, visit)}.jpg", film)
            (base / "jpgs" / f"{name(patient, visit)}.json").write_text("{}")
            save(base / "pngs_masks" / f"{name(patient, visit)}.png", drawn(patient, visit))
    save(base / "jpgs" / f"{name(3, 9)}.jpg", pixels(0))  # nobody drew a mask
    return tmp_path


def test_films_and_masks(download: Path) -> None:
    read = open_test_set("covid-rural", download, "all")
    assert len(read) == 2 * PATIENTS and read.by_patient
    assert len(set(read.units)) == PATIENTS
    items = {item.id: item for item in read.items}
    for patient in range(PATIENTS):
        for visit in range(2):
            item = items[name(patient, visit)]
            mask = read.mask(item, "covid-19")
            assert mask is not None and mask.dtype == bool
            assert np.array_equal(mask, drawn(patient, visit) > 0)
            assert item.labels["covid-19"] == float(drawn(patient, visit).any())
    assert read.film(read.items[0]).shape == (64, 64)
    assert len(read.outlined("covid-19")) == int(read.labels("covid-19").sum())


def test_a_film_without_a_mask_is_left_out_by_name(download: Path) -> None:
    read = open_test_set("covid-rural", download, "all")
    assert read.left_out == {name(3, 9): "no mask was published"}


def test_parts_share_no_patient(download: Path) -> None:
    parts = {split: open_test_set("covid-rural", download, split) for split in SPLITS}
    assert sum(map(len, parts.values())) == 2 * PATIENTS
    patients = [set(part.units) for part in parts.values()]
    assert sum(map(len, patients)) == len(set.union(*patients)) == PATIENTS


def test_the_folder_itself_is_as_good(download: Path) -> None:
    inner = next(download.glob("*/covid_rural_annot"))
    assert (
        open_test_set("covid-rural", inner).digest == open_test_set("covid-rural", download).digest
    )


def test_faults(download: Path, refused: Callable[..., str]) -> None:
    base = next(download.glob("*/covid_rural_annot"))
    item = open_test_set("covid-rural", download, "all").items[0]
    save(base / "pngs_masks" / f"{item.id}.png", np.ones((10, 10), np.uint8))
    read = open_test_set("covid-rural", download, "all")
    assert "is 10×10, its film 64×64" in refused(read.mask, read.items[0], "covid-19")
    (base / "pngs_masks" / f"{item.id}.png").write_bytes(b"broken")
    assert "does not open" in refused(open_test_set, "covid-rural", download)
    (base / "pngs_masks" / f"{item.id}.png").unlink()
    save(base / "pngs_masks/other_1.png", np.ones((10, 10), np.uint8))
    assert "has no film jpgs/other_1.jpg" in refused(open_test_set, "covid-rural", download)
    assert "holds no JPEG films" in refused(open_test_set, "covid-rural", base / "jpgs")
