"""A folder of one's own, from files to tables; every fault is one line with file, row, remedy."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from syncxr.errors import SyncxrError
from syncxr.evaluation.folder import brightness_score, evaluate, read_folder
from syncxr.pretraining.preprocessing import equalise

HEADER = "file,patient,view,labels,bbox"


@pytest.fixture
def hospital(tmp_path: Path) -> Path:
    """60 films of 30 patients; the abnormal ones are darker, as in many a real set."""
    generator = np.random.default_rng(0)
    rows = [HEADER]
    for index in range(60):
        labels = ("No Finding", "Effusion|Pneumonia", "Pneumonia")[index % 3]
        level = 120 if labels == "No Finding" else 90
        film = generator.normal(level, 20, (32, 40)).clip(0, 255).astype(np.uint8)
        Pillow.fromarray(film).save(tmp_path / f"{index}.png")
        box = "Effusion:4,6,10,8" if "Effusion" in labels else ""
        view = "AP" if index % 2 else "PA"
        rows.append(f'{index}.png,{index // 2},{view},{labels},"{box}"')
    (tmp_path / "labels.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def truth(folder: Path) -> dict[bytes, frozenset[str]]:
    films = read_folder(folder, folder / "labels.csv").films
    plain = {film.image.tobytes(): film.labels for film in films}
    return plain | {equalise(film.image).tobytes(): film.labels for film in films}


def test_reading(hospital: Path) -> None:
    read = read_folder(hospital, hospital / "labels.csv")
    assert len(read.films) == 60 and read.by_patient
    first, second = read.films[:2]
    assert first.labels == frozenset()
    assert second.labels == {"pleural effusion", "pneumonia"}
    assert (second.unit, second.view) == ("patient 0", "AP")
    mask = second.boxes["pleural effusion"]
    assert mask.shape == (32, 40) and mask.sum() == 80
    assert mask[6:14, 4:14].all()


def test_oracle_opposite_and_chance(hospital: Path, oracle: Callable, dice: object) -> None:
    read = read_folder(hospital, hospital / "labels.csv")
    right = evaluate(oracle(truth(hospital)), read)
    wrong = evaluate(oracle(truth(hospital), -1), read)
    for name in ("raw", "stratified", "within abnormal"):
        assert right.tables[name].mean == 1.0
        assert wrong.tables[name].mean == 0.0
    guess = evaluate(dice, read).tables["raw"]
    assert guess.low < 0.5 < guess.high


def test_within_the_abnormal_a_label_of_all_is_left_out_by_name(
    hospital: Path, oracle: Callable
) -> None:
    found = evaluate(oracle(truth(hospital)), read_folder(hospital, hospital / "labels.csv"))
    assert "no negative" in found.tables["within abnormal"].left_out["pneumonia"]
    assert found.tables["within abnormal"].rows[0].negatives == 20
    assert found.tables["stratified"].rows[0].negatives == 20


def test_brightness_stands_beside_and_the_rules_disarm_it(hospital: Path, oracle: Callable) -> None:
    found = evaluate(oracle(truth(hospital)), read_folder(hospital, hospital / "labels.csv"))
    raw = found.tables["raw (brightness)"]
    assert next(row for row in raw.rows if row.finding == "pneumonia").auroc > 0.95
    rules = found.tables["within abnormal (brightness)"].rows[0]
    assert rules.low < 0.5 < rules.high
    assert raw.prompt_set == "" and found.tables["raw"].prompt_set == "pair"


def test_resampled_by_patient(hospital: Path, oracle: Callable) -> None:
    found = evaluate(oracle(truth(hospital)), read_folder(hospital, hospital / "labels.csv"))
    assert found.tables["raw"].units == "30 patients"


def test_boxes_become_a_pointing_game(hospital: Path, dice: object) -> None:
    found = evaluate(dice, read_folder(hospital, hospital / "labels.csv"))
    assert found.grounding is not None
    assert [(row.finding, row.cases) for row in found.grounding.rows] == [("pleural effusion", 20)]
    json.dumps(found.to_dict(), allow_nan=False)
    assert len(found.to_rich()) == 7


def test_only_files_and_labels_are_needed(hospital: Path, dice: object) -> None:
    (hospital / "labels.csv").write_text("image,labels\n0.png,Nodule\n1.png,\n2.png,No Finding\n")
    read = read_folder(hospital, hospital / "labels.csv")
    assert not read.by_patient
    found = evaluate(dice, read)
    assert found.grounding is None
    assert found.tables["raw"].units == "3 films resampled"
    assert "1 positives, fewer than 10" in found.tables["raw"].left_out["nodule"]


def test_brightness_is_minus_the_grey_of_the_lateral_thirds() -> None:
    film = np.zeros((10, 9), np.uint8)
    film[:, 3:6] = 200
    assert brightness_score(film) == 0
    film[:, :3], film[:, 6:] = 10, 30
    assert brightness_score(film) == -20


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("image,text\n0.png,Nodule\n", "image, text; needed: file and labels"),
        ("file,finding\n0.png,Nodule\n", "needed: file and labels"),
        ("", "(none)"),
        ("file,labels\n", "has no rows"),
        ("file,labels\n0.png,Nodule\n1.png,Sunburn\n", "row 3: label 'Sunburn' is unknown"),
        ("file,labels\n0.png,Nodule\ngone.png,Mass\n", "row 3: "),
        ("file,labels\nbroken.png,Mass\n", "does not open"),
        (f'{HEADER}\n0.png,1,PA,Mass,"Mass:1,2,3"\n', "row 2: box 'Mass:1,2,3'"),
        (f'{HEADER}\n0.png,1,PA,Mass,"Mass:100,100,5,5"\n', "outside the film"),
        (f'{HEADER}\n0.png,1,PA,Mass,"Sun:1,2,3,4"\n', "box 'Sun:1,2,3,4'"),
    ],
)
def test_faults_are_one_line(hospital: Path, table: str, message: str) -> None:
    (hospital / "broken.png").write_bytes(b"not an image")
    (hospital / "labels.csv").write_text(table)
    with pytest.raises(SyncxrError) as error:
        read_folder(hospital, hospital / "labels.csv")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_table_that_is_none(hospital: Path) -> None:
    with pytest.raises(SyncxrError, match="cannot be read"):
        read_folder(hospital, hospital / "none.csv")
    (hospital / "labels.csv").write_bytes(b"file,labels\n\xff\xfe\x00,x\n")
    with pytest.raises(SyncxrError, match="not a CSV"):
        read_folder(hospital, hospital / "labels.csv")
