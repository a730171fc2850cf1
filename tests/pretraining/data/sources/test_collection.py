"""Corpora in their published layouts: which of their films are pre-trained on."""

import io
import tarfile
from collections import Counter
from pathlib import Path

import made_pairs
import pytest
import tiny_mimic
from PIL import Image as Pillow

from syncxr.corpora import openi
from syncxr.errors import SyncxrError
from syncxr.pretraining.data.entry import Entry, Rejected, Source
from syncxr.pretraining.data.options import SourceOptions
from syncxr.pretraining.data.sources.opening import open_source


def kept(source: Source) -> list[Entry]:
    return [entry for entry in source.entries() if isinstance(entry, Entry)]


def reasons(source: Source) -> Counter[str]:
    rejected = [entry for entry in source.entries() if isinstance(entry, Rejected)]
    assert not any(entry.corrupt for entry in rejected)
    return Counter(entry.reason for entry in rejected)


@pytest.mark.parametrize("zipped", [False, True])
def test_mimic(tmp_path: Path, zipped: bool) -> None:
    folder = tiny_mimic.build(tmp_path, zipped=zipped)
    source = open_source(SourceOptions(path=str(folder)))
    entries = kept(source)
    # The three whole frontal films of patient 10000032; of the others one film each is lateral, in
    # the test split, missing, unlisted, or without a section that counts.
    assert {(entry.group, entry.split) for entry in entries} == {("p10000032", "train")}
    assert [entry.findings[:12] for entry in entries] == ["There is a s", "", "The lungs ar"]
    assert [entry.impression[:12] for entry in entries] == ["Small left p", "AP chest com", ""]
    assert all(isinstance(entry.film, Path) and entry.film.is_file() for entry in entries)
    assert reasons(source) == {
        "not known to be a frontal film": 2,
        "test split of the corpus": 1,
        "listed, but not on disk": 1,
        "neither FINDINGS nor IMPRESSION": 2,
    }
    assert source.terms is not None and source.terms.stays_home
    assert [e.id for e in source.entries(4)] == [e.id for e in source.entries()][4:]


def test_mimic_whose_reports_lie_apart(tmp_path: Path) -> None:
    folder = tiny_mimic.build(tmp_path / "jpg", apart=tmp_path / "txt")
    apart = open_source(SourceOptions(path=str(folder), reports=tmp_path / "txt"))
    assert len(kept(apart)) == 3
    before = apart.state()
    report = next((tmp_path / "txt").rglob("*.txt"))
    report.write_text(report.read_text() + " One word more.")
    assert apart.state() != before


def openi_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, films: list[str]
) -> SourceOptions:
    """Two reports of three films each, with the films named here."""
    archive = tmp_path / "reports.tgz"
    with tarfile.open(archive, "w:gz") as tar:
        for number, text in ((1, "There is a nodule"), (2, "Clear")):
            parts = "".join(f'<parentImage id="CXR{number}_{i}"/>' for i in range(3))
            xml = (
                f'<e><uId id="CXR{number}"/><AbstractText Label="FINDINGS">{text}</AbstractText>'
                f"{parts}</e>"
            ).encode()
            info = tarfile.TarInfo(f"{number}.xml")
            info.size = len(xml)
            tar.addfile(info, io.BytesIO(xml))
    (tmp_path / "films").mkdir()
    for name in films:
        Pillow.fromarray(made_pairs.noise(0)).save(tmp_path / "films" / f"{name}.png")
    read = openi._read
    monkeypatch.setattr(openi, "_read", lambda _: read(archive))
    monkeypatch.setattr(openi, "views", lambda: {"CXR1_0": "PA", "CXR1_1": "L", "CXR2_0": "PA"})
    return SourceOptions(path="openi", images=tmp_path / "films")


def test_openi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    films = ["CXR1_0", "CXR1_1", "CXR1_2", "CXR2_0", "strange"]
    source = open_source(openi_folder(tmp_path, monkeypatch, films))
    (entry,) = kept(source)
    assert (entry.id, entry.findings, entry.group) == ("CXR1_0.png", "There is a nodule", "CXR1")
    assert reasons(source) == {
        "not known to be a frontal film": 2,
        "fewer than 3 words": 1,
        "no report": 1,
        "listed, but not on disk": 2,
    }


def test_views_of_openi_are_those_of_torchxrayvision() -> None:
    assert Counter(openi.views().values()) == {"PA": 3267, "L": 584}


def test_a_folder_of_films_and_texts(tmp_path: Path) -> None:
    for name in ("a", "b"):
        Pillow.fromarray(made_pairs.noise(0)).save(tmp_path / f"{name}.png")
    (tmp_path / "a.txt").write_text("There is a left effusion.")
    source = open_source(SourceOptions(path=str(tmp_path)))
    (entry,) = kept(source)
    assert (entry.id, entry.findings) == ("a.png", "There is a left effusion.")
    assert reasons(source) == {"no report": 1}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": "nowhere"}, "nowhere does not exist; give a generated dataset"),
        ({"path": "openi"}, "openi needs the folder of its films"),
        ({"path": ".", "images": "films"}, "images goes with a CSV or openi"),
        ({"path": "openi", "reports": "x"}, "reports goes with MIMIC-CXR"),
    ],
)
def test_sources_that_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SyncxrError, match=message):
        open_source(SourceOptions.model_validate(options))


def test_each_kind_is_known(tmp_path: Path) -> None:
    made_pairs.dataset(tmp_path / "run", 4)
    csv = made_pairs.table(tmp_path / "own", 3)
    names = [
        type(open_source(SourceOptions(path=str(p)))).__name__ for p in (tmp_path / "run", csv)
    ]
    assert names == ["GeneratedDataset", "OwnTable"]
