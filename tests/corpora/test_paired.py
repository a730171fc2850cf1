"""Any folder of films, with reports by table or by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from syncxr.corpora.opening import open_corpus
from syncxr.corpora.paired import FolderPairs, TablePairs
from syncxr.errors import SyncxrError


def film(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.fromarray(np.zeros((8, 8), np.uint8)).save(path)


def test_a_table_names_films_below_a_folder(tmp_path: Path) -> None:
    for name in ("a.png", "sub/b.jpg", "c.png"):
        film(tmp_path / "films" / name)
    table = tmp_path / "pairs.csv"
    table.write_text(
        "id,image,findings,impression,patient,view,split\n"
        "1,a.png; ./sub/b.jpg,Edema.,Edema.,p1,PA,train\n"
        "2,gone.png,,Edema.,,,\n"
        "3,,No edema.,,,,\n"
    )
    one, two, three, four = TablePairs(table, tmp_path / "films").studies()
    assert [f.id for f in one.films] == ["a.png", "sub/b.jpg"]
    assert (one.patient, one.films[0].view, one.split) == ("p1", "PA", "train")
    assert one.sections == {"findings", "impression"}
    assert (two.films, two.absent, two.sections) == ((), ("gone.png",), {"impression"})
    assert three.films == () and three.report is not None
    assert (four.report, four.unlisted) == (None, ("c.png",))


def test_a_table_may_have_films_or_reports_alone(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("text\nEdema.\n")
    corpus = TablePairs(tmp_path / "r.csv")
    assert (corpus.has_films, corpus.has_reports) == (False, True)
    (study,) = corpus.studies()
    assert (study.id, study.sections) == ("2", {"text"})
    film(tmp_path / "a.png")
    (tmp_path / "f.csv").write_text("image\na.png\n")
    corpus = TablePairs(tmp_path / "f.csv")
    assert (corpus.has_films, corpus.has_reports) == (True, False)


def test_what_has_one_name_is_a_pair(tmp_path: Path) -> None:
    film(tmp_path / "sub" / "a.png")
    (tmp_path / "sub" / "a.txt").write_text("Edema.")
    film(tmp_path / "b.jpg")
    film(tmp_path / "b.PNG")
    (tmp_path / "c.txt").write_text("No edema.")
    (tmp_path / "a.c.txt").write_text(" ")
    empty, b, c, a = FolderPairs(tmp_path).studies()
    assert (empty.id, empty.report, empty.films) == ("a.c", None, ())
    assert [f.id for f in b.films] == ["b.PNG", "b.jpg"] and b.report is None
    assert c.report is not None and c.films == ()
    assert a.id == "sub/a" and a.report is not None and [f.id for f in a.films] == ["sub/a.png"]


def test_it_is_opened_by_path(tmp_path: Path) -> None:
    film(tmp_path / "a.png")
    assert isinstance(open_corpus(str(tmp_path)), FolderPairs)
    (tmp_path / "a.csv").write_text("image,text\na.png,Edema.\n")
    assert isinstance(open_corpus(str(tmp_path / "a.csv"), films=tmp_path), TablePairs)
    assert open_corpus(str(tmp_path)).terms.stays_home, "whose they are is for the user to say"


def test_faults_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(SyncxrError, match="does not exist; give openi, a CSV"):
        open_corpus(str(tmp_path / "absent"))
    with pytest.raises(SyncxrError, match="holds neither films"):
        open_corpus(str(tmp_path))
    film(tmp_path / "a.png")
    with pytest.raises(SyncxrError, match="--films goes with openi or a CSV"):
        open_corpus(str(tmp_path), films=tmp_path)
    with pytest.raises(SyncxrError, match="--reports goes with MIMIC-CXR"):
        open_corpus(str(tmp_path), reports=tmp_path)
    table = tmp_path / "a.csv"
    table.write_text("name\na\n")
    with pytest.raises(SyncxrError, match="has the columns name; it needs"):
        TablePairs(table)
    table.write_text("id,image,text\n1,a.png,Edema.\n1,a.png,Edema.\n")
    with pytest.raises(SyncxrError, match=r"row 3: id '1' stands already in row 2"):
        list(TablePairs(table).studies())
