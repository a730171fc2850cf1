"""A CSV of one's own: rows with their films, and what is wrong with a row."""

import os
from pathlib import Path

import made_pairs
import pytest
from PIL import Image as Pillow

from syncxr.errors import SyncxrError
from syncxr.pretraining.data.entry import Entry, Rejected
from syncxr.pretraining.data.sources.own_table import OwnTable


def table(folder: Path, text: str) -> OwnTable:
    (folder / "films").mkdir(exist_ok=True)
    for name in ("a", "b"):
        Pillow.fromarray(made_pairs.noise(0)).save(folder / "films" / f"{name}.png")
    (folder / "pairs.csv").write_text(text)
    return OwnTable(folder / "pairs.csv", folder / "films")


def test_text_and_sections(tmp_path: Path) -> None:
    (one,) = table(tmp_path, 'image,text\na.png,"Clear, both."\n').entries()
    (two,) = table(tmp_path, "image,findings,impression,id,patient\nb.png,F.,I.,7,p3\n").entries()
    assert isinstance(one, Entry) and isinstance(two, Entry)
    assert (one.id, one.findings, one.impression, one.group) == (
        "a.png",
        "",
        "Clear, both.",
        "a.png",
    )
    assert (two.id, two.findings, two.impression, two.group) == ("7", "F.", "I.", "p3")
    assert two.film == tmp_path / "films" / "b.png" and two.where.endswith("pairs.csv, row 2")


def test_several_films_of_one_report(tmp_path: Path) -> None:
    source = table(tmp_path, "id,image,text\n1,a.png;b.png,Clear lungs.\n2,b.png,Effusion.\n")
    entries = list(source.entries())
    assert [entry.id for entry in entries] == ["1 a.png", "1 b.png", "2"]
    assert {entry.group for entry in entries[:2] if isinstance(entry, Entry)} == {"1"}
    assert source.total == 3
    assert [entry.id for entry in source.entries(2)] == ["2"]


def test_views_and_splits(tmp_path: Path) -> None:
    rows = [
        "a.png,x y,PA,train",
        "a.png,x y,LATERAL,train",
        "a.png,x y,,valid",
        "a.png,x y,AP,test",
    ]
    entries = list(table(tmp_path, "image,text,view,split\n" + "\n".join(rows)).entries())
    assert [entry.split for entry in entries if isinstance(entry, Entry)] == ["train", "validate"]
    reasons = [entry.reason for entry in entries if isinstance(entry, Rejected)]
    assert reasons == ["not known to be a frontal film", "split test"]
    assert not any(entry.corrupt for entry in entries if isinstance(entry, Rejected))


@pytest.mark.parametrize(
    ("row", "reason"),
    [("a.png,", "row 2: no text; fill it in or drop the row"), (",x y", "row 2: no image")],
)
def test_faults_are_named(tmp_path: Path, row: str, reason: str) -> None:
    (entry,) = table(tmp_path, f"image,text\n{row}\n").entries()
    assert isinstance(entry, Rejected) and entry.corrupt and reason in entry.reason


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,text\na,b\n", "needed: image"),
        ("image,caption\na,b\n", "needed: image"),
        ("", "none"),
    ],
)
def test_columns_that_are_missing(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SyncxrError, match=message):
        table(tmp_path, text)


def test_places_that_are_missing(tmp_path: Path) -> None:
    with pytest.raises(SyncxrError, match=r"none.csv cannot be read"):
        OwnTable(tmp_path / "none.csv")
    table(tmp_path, "image,text\na.png,x y\n")
    with pytest.raises(SyncxrError, match=r"nofilms is no folder"):
        OwnTable(tmp_path / "pairs.csv", tmp_path / "nofilms")


def test_the_state_sees_rows_and_films(tmp_path: Path) -> None:
    source = table(tmp_path, "image,text\na.png,x y\n")
    states = [source.state()]
    assert source.state() == states[0]
    os.utime(tmp_path / "films" / "b.png", ns=(1, 1))
    assert source.state() == states[0], "of the films that it names"
    os.utime(tmp_path / "films" / "a.png", ns=(1, 1))
    states.append(source.state())
    (tmp_path / "pairs.csv").write_text("image,text\na.png,x z\n")
    states.append(source.state())
    assert len({str(state) for state in states}) == 3
