"""A folder of one's own, from files to a test set; every fault is one line with its remedy."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from film_files import pixels, save, save_dicom

from syncxr.evaluation.testsets.folder import Folder
from syncxr.evaluation.testsets.test_set import open_test_set

HEADER = "file,patient,view,labels,bbox"


@pytest.fixture
def hospital(tmp_path: Path) -> Path:
    """60 films of 30 patients."""
    rows = [HEADER]
    for index in range(60):
        labels = ("No Finding", "Effusion|Pneumonia", "Pneumonia")[index % 3]
        save(tmp_path / f"{index}.png", pixels(index)[:32, :40])
        box = "Effusion:4,6,10,8" if "Effusion" in labels else ""
        view = "AP" if index % 2 else "PA"
        rows.append(f'{index}.png,{index // 2},{view},{labels},"{box}"')
    (tmp_path / "labels.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def table(folder: Path, text: str) -> Path:
    (folder / "labels.csv").write_text(text)
    return folder


def test_reading(hospital: Path) -> None:
    for read in (
        open_test_set("folder", hospital),
        open_test_set(str(hospital)),
        open_test_set("folder", hospital / "labels.csv"),
        Folder(hospital, table=hospital / "labels.csv"),
    ):
        assert len(read) == 60 and read.by_patient and read.split == "all"
        assert read.name == hospital.name
        assert read.findings == ("pleural effusion", "pneumonia")
        assert list(read.labels("pneumonia"))[:3] == [0, 1, 1]
        assert (read.items[1].unit, read.items[1].view) == ("patient 0", "AP")
        assert np.array_equal(read.film(read.items[7]), pixels(7)[:32, :40])


def test_boxes(hospital: Path) -> None:
    read = open_test_set("folder", hospital)
    assert read.targets == ("pleural effusion",)
    assert len(read.outlined("pleural effusion")) == 20
    mask = read.mask(read.items[1], "pleural effusion")
    assert mask is not None and mask.shape == (32, 40) and mask.sum() == 80
    assert mask[6:14, 4:14].all()
    empty = read.mask(read.items[0], "pleural effusion")
    assert empty is not None and not empty.any()
    assert read.mask(read.items[1], "pneumonia") is None  # positive, and nobody drew it


def test_columns_of_findings(hospital: Path) -> None:
    table(
        hospital,
        "image,Pneumothorax,Lung Opacity,label:Scimitar sign,age\n"
        "0.png,1,0.0,,70\n1.png,nan,1,1,71\n2.png,0,0,0,72\n",
    )
    read = open_test_set("folder", hospital)
    assert read.findings == ("pneumothorax", "opacity", "scimitar sign")
    assert np.array_equal(read.labels("pneumothorax"), [1, np.nan, 0], equal_nan=True)
    assert np.array_equal(read.labels("scimitar sign"), [np.nan, 1, 0], equal_nan=True)
    assert not read.by_patient and read.units == ["0.png", "1.png", "2.png"]


def test_mask_files(hospital: Path) -> None:
    drawn = pixels(1)[:32, :40] > 128
    save(hospital / "masks/0.png", drawn.astype(np.uint8) * 255)
    save(hospital / "masks/1.png", drawn)
    table(hospital, "file,labels,mask\n0.png,Mass,masks/0.png\n1.png,Mass,\n2.png,No Finding,\n")
    read = open_test_set("folder", hospital)
    assert read.targets == ("mass",)
    assert np.array_equal(read.mask(read.items[0], "mass"), drawn)
    assert read.mask(read.items[1], "mass") is None
    assert not read.mask(read.items[2], "mass").any()
    # Organs are no labels: they are outlined whatever a film shows.
    table(hospital, "file,labels,mask:Left Lung\n0.png,Mass,masks/0.png\n1.png,,masks/1.png\n")
    read = open_test_set("folder", hospital)
    assert read.targets == ("left lung",) and len(read.outlined("left lung")) == 2
    assert np.array_equal(read.mask(read.items[1], "left lung"), drawn)
    table(hospital, "file,labels,mask\n0.png,No Finding,masks/0.png\n")
    assert open_test_set("folder", hospital).targets == ("mask",)


def test_a_box_and_a_mask_of_one_finding_are_together(hospital: Path) -> None:
    drawn = np.zeros((32, 40), np.uint8)
    drawn[20:, 30:] = 1
    save(hospital / "m.png", drawn)
    table(hospital, 'file,labels,bbox,mask:mass\n0.png,Mass,"Mass:1,2,3,4",m.png\n')
    read = open_test_set("folder", hospital)
    mask = read.mask(read.items[0], "mass")
    assert mask.sum() == 12 * 10 + 12 and mask[2:6, 1:4].all()


def test_dicom_films(hospital: Path) -> None:
    save_dicom(hospital / "film.dcm", pixels(5), "MONOCHROME1")
    table(hospital, 'file,labels,bbox\nfilm.dcm,Nodule,"Nodule:3,4,5,6"\n')
    read = open_test_set("folder", hospital)
    assert np.array_equal(read.film(read.items[0]), 255 - pixels(5))
    assert read.mask(read.items[0], "nodule").shape == (64, 64)


def test_parts_are_drawn_by_patient(hospital: Path) -> None:
    parts = {s: open_test_set("folder", hospital, s) for s in ("train", "valid", "test")}
    assert {split: len(part) for split, part in parts.items()} == {
        "train": 36,
        "valid": 12,
        "test": 12,
    }
    patients = [set(part.units) for part in parts.values()]
    assert sum(map(len, patients)) == len(set.union(*patients)) == 30
    assert "seed 0" in parts["train"].split_note


def test_parts_that_the_table_names(hospital: Path, refused: Callable[..., str]) -> None:
    text = "file,patient,labels,split\n0.png,a,Mass,train\n1.png,b,Mass,val\n2.png,c,,test\n"
    table(hospital, text)
    for split, file in (("train", "0.png"), ("valid", "1.png"), ("test", "2.png")):
        read = open_test_set("folder", hospital, split)
        assert [item.id for item in read.items] == [file]
        assert "column 'split'" in read.split_note
    assert len(open_test_set("folder", hospital)) == 3
    table(hospital, text + "3.png,a,Mass,test\n")
    said = refused(open_test_set, "folder", hospital)
    assert "row 5: patient a is in 'test' but in 'train' at" in said
    table(hospital, text + "3.png,d,Mass,later\n")
    assert "row 5: split 'later'" in refused(open_test_set, "folder", hospital)
    table(hospital, text.replace(",val", ",train"))
    assert "no row of the split 'valid'" in refused(open_test_set, "folder", hospital, "valid")


def test_only_files_and_labels_are_needed(hospital: Path) -> None:
    read = open_test_set(
        "folder", table(hospital, "image,labels\n0.png,Nodule\n1.png,\n2.png,normal\n")
    )
    assert not read.by_patient and read.targets == ()
    assert list(read.labels("nodule")) == [1, 0, 0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,text\n0.png,Nodule\n", "image, text; needed: file and labels"),
        ("file,finding\n0.png,Nodule\n", "needed: file and labels"),
        ("", "(none)"),
        ("file,labels\n", "has no rows"),
        ("file,labels,mass\n0.png,Mass,1\n", "has 'labels' and columns of findings (mass)"),
        ("file,Effusion,Pleural Effusion\n0.png,1,0\n", "two columns of one finding"),
        ("file,labels\n0.png,Nodule\n1.png,Sunburn\n", "row 3: label 'Sunburn' is unknown"),
        ("file,mass\n0.png,1\n1.png,2\n", "row 3: 'mass' is '2'; a label is 1, 0 or blank"),
        ("file,mass\n0.png,1\n1.png,-1\n", "row 3: 'mass' is '-1'"),
        ("file,labels\n0.png,Nodule\ngone.png,Mass\n", "row 3: "),
        ("file,labels\n0.png,Nodule\n,Mass\n", "row 3: 'file' is empty"),
        ("file,labels\n0.png,Nodule\n0.png,Mass\n", "row 3: 0.png stands already in"),
        ("file,labels,mask\n0.png,Mass,gone.png\n", "row 2: "),
        ("file,labels\n0.png,Mass,extra\n", "row 2 has 3 cells"),
        (f'{HEADER}\n0.png,1,PA,Mass,"Mass:1,2,3"\n', "row 2: box 'Mass:1,2,3'"),
        (f'{HEADER}\n0.png,1,PA,Mass,"Mass:1,2,3,nan"\n', "row 2: box 'Mass:1,2,3,nan'"),
        (f'{HEADER}\n0.png,1,PA,Mass,"Mass:100,100,5,5"\n', "outside the film"),
        (f'{HEADER}\n0.png,1,PA,Mass,":1,2,3,4"\n', "box ':1,2,3,4'"),
        ("file,labels\nbroken.png,Mass\n", "does not open"),
        ("file,labels,mask\n0.png,Mass,small.png\n", "is 5×5, its film 32×40"),
        ("file,labels,mask\n0.png,Mass,broken.png\n", "does not open"),
        (f'{HEADER}\n0.png,1,PA,Mass,\n1.png,2,PA,,"Mass:1,2,3,4"\n', "row 3: there is a box of"),
        ('file,mass,bbox\n0.png,0,"Mass:1,2,3,4"\n', "row 2: there is a box of 'mass', which"),
        ("file,mass,mask\n0.png,0,white.png\n", "'mass' is labelled 0, but its mask"),
        ("file,mass,mask\n0.png,1,black.png\n", "black.png is empty; mend one of them"),
    ],
)
def test_faults_are_one_line(
    hospital: Path, text: str, message: str, refused: Callable[..., str]
) -> None:
    (hospital / "broken.png").write_bytes(b"not an image")
    save(hospital / "small.png", np.ones((5, 5), np.uint8))
    save(hospital / "white.png", np.full((32, 40), 255, np.uint8))
    save(hospital / "black.png", np.zeros((32, 40), np.uint8))

    def everything() -> None:
        read = open_test_set("folder", table(hospital, text))
        for item in read.items:
            read.film(item)
            for target in read.targets:
                read.mask(item, target)

    assert message in refused(everything)


def test_a_table_that_is_none(hospital: Path, refused: Callable[..., str]) -> None:
    (hospital / "labels.csv").write_bytes(b"file,labels\n\xff\xfe\x00,x\n")
    assert "not a CSV" in refused(open_test_set, "folder", hospital)
    (hospital / "labels.csv").unlink()
    assert "labels.csv is missing" in refused(open_test_set, "folder", hospital)
