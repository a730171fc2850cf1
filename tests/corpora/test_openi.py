from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from syncxr.corpora import openi
from syncxr.corpora.report import Report
from syncxr.errors import SyncxrError

XML = """<?xml version="1.0"?><eCitation><uId id="{id}"/><MedlineCitation><Article><Abstract>
<AbstractText Label="INDICATION">Cough</AbstractText>
<AbstractText Label="FINDINGS">No
  effusion.</AbstractText><AbstractText Label="IMPRESSION"/>
</Abstract></Article></MedlineCitation>
<MeSH><major>Cardiomegaly/mild</major><major>Spine</major><automatic>x</automatic></MeSH>
</eCitation>"""


def archive(path: Path, files: dict[str, str]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return path


def test_sections_and_labels_in_order_of_number(tmp_path: Path) -> None:
    files = {f"r/{n}.xml": XML.format(id=f"CXR{n}") for n in (10, 9)}
    path = archive(tmp_path / "r.tgz", files | {"r/readme.txt": "no report"})
    labels = ("Cardiomegaly/mild", "Spine")
    assert list(openi.read_reports(path)) == [
        Report("CXR9", "No effusion.", "", labels),
        Report("CXR10", "No effusion.", "", labels),
    ]


@pytest.mark.parametrize(
    ("xml", "message"), [("<eCitation>", "not valid XML"), ("<eCitation/>", "no report id")]
)
def test_a_bad_report_is_named(tmp_path: Path, xml: str, message: str) -> None:
    with pytest.raises(SyncxrError, match=rf"r/1\.xml.*{message}"):
        list(openi.read_reports(archive(tmp_path / "r.tgz", {"r/1.xml": xml})))


def test_a_truncated_archive_is_named(tmp_path: Path) -> None:
    path = archive(tmp_path / "r.tgz", {"r/1.xml": XML.format(id="CXR1") * 50})
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(SyncxrError, match=r"r\.tgz is not a readable tgz"):
        list(openi.read_reports(path))


def test_the_pinned_collection_is_complete() -> None:
    reports = list(openi.read_reports())
    assert len(reports) == 3955
    assert len({report.id for report in reports}) == 3955
    assert sum(bool(report.text) for report in reports) == 3927
    assert sum(openi.number(report) % 2 == 0 for report in reports) == 1976
    assert openi.TERMS.licence == "CC-BY-NC-ND-4.0"


def test_films_are_found_by_the_names_in_the_reports(tmp_path: Path) -> None:
    named = '<parentImage id="CXR{n}_1_IM-1"><url/></parentImage><parentImage id="CXR{n}_1_IM-2"/>'
    xml = {n: XML.format(id=f"CXR{n}").replace("</eC", named.format(n=n) + "</eC") for n in (1, 2)}
    path = archive(tmp_path / "r.tgz", {f"r/{n}.xml": text for n, text in xml.items()})
    films = tmp_path / "films"
    films.mkdir()
    for name in ("CXR1_1_IM-1", "CXR1_1_IM-2", "CXR2_1_IM-1", "CXR3_1_IM-1"):
        (films / f"{name}.png").touch()
    one, two, three = openi.OpenI(films, path).studies()
    assert [film.id for film in one.films] == ["CXR1_1_IM-1.png", "CXR1_1_IM-2.png"]
    assert one.sections == {"findings"} and one.absent == ()
    assert ([film.id for film in two.films], two.absent) == (["CXR2_1_IM-1.png"], ("CXR2_1_IM-2",))
    assert (three.id, three.report, three.unlisted) == ("CXR3_1_IM-1", None, ("CXR3_1_IM-1.png",))
    reports = openi.OpenI(None, path)
    assert not reports.has_films
    assert all(study.films == study.absent == () for study in reports.studies())
