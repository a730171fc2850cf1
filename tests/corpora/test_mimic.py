"""MIMIC-CXR as it comes: every film, every report, and what lacks its other half."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import tiny_mimic

from syncxr.corpora.mimic import MimicCxr
from syncxr.corpora.opening import open_corpus
from syncxr.corpora.study import Study
from syncxr.errors import SyncxrError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_mimic.build(tmp_path_factory.mktemp("mimic"))


def by_id(corpus: MimicCxr) -> dict[str, Study]:
    studies = list(corpus.studies())
    assert len({study.id for study in studies}) == len(studies)
    return {study.id: study for study in studies}


def test_every_study_is_there_once_in_order(folder: Path) -> None:
    studies = list(MimicCxr(folder).studies())
    assert [(s.patient, s.id) for s in studies] == [
        (f"p{subject}", f"s{study}") for subject, study, *_ in tiny_mimic.STUDIES
    ]


def test_films_have_their_views_and_reports_their_sections(folder: Path) -> None:
    study = by_id(MimicCxr(folder))["s50414267"]
    assert [film.view for film in study.films] == ["PA", "LATERAL"]
    assert study.films[0].id == (
        f"files/p10/p10000032/s50414267/{tiny_mimic.dicom_id(50414267, 0)}.jpg"
    )
    assert all(film.path.is_file() for film in study.films)
    assert study.report is not None
    assert study.report.impression == "Small left pleural effusion."
    assert study.report.findings.startswith("There is a small left pleural effusion. No")
    assert study.report.labels == ("Edema?", "Pleural Effusion")
    assert study.sections == {"findings", "impression"}
    assert (study.absent, study.unlisted, study.split) == ((), (), "train")


def test_sections_that_are_missing(folder: Path) -> None:
    studies = by_id(MimicCxr(folder))
    assert studies["s53189527"].sections == {"impression"}
    assert studies["s53911762"].sections == {"findings"}
    body = studies["s50771383"]
    assert body.sections == {"last paragraph"}
    assert body.report is not None and body.report.findings.startswith("Mild cardiomegaly")
    nothing = studies["s50578979"]
    assert nothing.report is not None
    assert (nothing.report.text, nothing.sections) == ("", frozenset())


def test_what_lacks_its_other_half(folder: Path) -> None:
    studies = by_id(MimicCxr(folder))
    alone = studies["s57375967"]
    assert alone.report is None and len(alone.films) == 1 and alone.split == "test"
    absent = studies["s50771383"]
    name = f"files/p10/p10000898/s50771383/{tiny_mimic.dicom_id(50771383, 0)}.jpg"
    assert absent.films == () and absent.absent == (name,)
    unlisted = studies["s51967283"]
    assert [film.id for film in unlisted.films] == list(unlisted.unlisted)
    assert unlisted.films[0].view == "" and unlisted.split == ""


def test_reports_in_their_zip_or_apart_read_the_same(folder: Path, tmp_path: Path) -> None:
    expected = [(s.id, s.report, s.sections) for s in MimicCxr(folder).studies()]
    zipped = tiny_mimic.build(tmp_path / "zipped", zipped=True)
    assert [(s.id, s.report, s.sections) for s in MimicCxr(zipped).studies()] == expected
    apart = tmp_path / "reports"
    films = tiny_mimic.build(tmp_path / "films", apart=apart)
    for reports in (apart, apart / "files"):
        found = MimicCxr(films, reports).studies()
        assert [(s.id, s.report, s.sections) for s in found] == expected
    assert not MimicCxr(films).has_reports


def test_without_tables_the_folders_say_what_there_is(tmp_path: Path) -> None:
    folder = tiny_mimic.build(tmp_path)
    for table in folder.glob("*.csv.gz"):
        table.unlink()
    studies = by_id(MimicCxr(folder))
    assert set(studies) == {f"s{study}" for _, study, *_ in tiny_mimic.STUDIES}
    assert studies["s51967283"].unlisted == () and studies["s50771383"].absent == ()
    assert {film.view for study in studies.values() for film in study.films} == {""}


def test_it_is_recognised_and_stays_home(folder: Path) -> None:
    corpus = open_corpus(str(folder))
    assert isinstance(corpus, MimicCxr)
    assert corpus.terms.stays_home and "PhysioNet" in corpus.terms.licence
    assert set(corpus.identity()["tables"]) == {
        f"mimic-cxr-2.0.0-{kind}.csv.gz" for kind in ("metadata", "split", "chexpert")
    }


def test_faults_are_one_line(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(SyncxrError, match=r"holds no files/p10 … p19"):
        MimicCxr(tmp_path)
    with pytest.raises(SyncxrError, match="does not exist; give the folder of the reports"):
        MimicCxr(folder, tmp_path / "absent")
    broken = tiny_mimic.build(tmp_path / "broken")
    (broken / "mimic-cxr-2.0.0-metadata.csv.gz").write_bytes(gzip.compress(b"a,b\n1,2\n"))
    with pytest.raises(SyncxrError, match="metadata.csv.gz is not MIMIC-CXR's table") as raised:
        list(MimicCxr(broken).studies())
    assert "\n" not in str(raised.value)
    (broken / "mimic-cxr-reports.zip").write_bytes(b"PK")
    with pytest.raises(SyncxrError, match="not a readable zip"):
        MimicCxr(broken)
