"""MIMIC-CXR: the films of MIMIC-CXR-JPG with the free-text reports of MIMIC-CXR, as they come.

Source: Johnson et al., Scientific Data 2019 (doi:10.1038/s41597-019-0322-0) and arXiv 1901.07042;
PhysioNet, credentialed access. 377,110 films, 227,835 studies, 65,379 patients, 2011–2016, one
hospital. Layout of the two downloads, which may share a folder or lie apart::

    files/p10/p10000032/s50414267/<dicom id>.jpg      MIMIC-CXR-JPG
    mimic-cxr-2.0.0-metadata.csv.gz                   a row a film: subject, study, ViewPosition
    mimic-cxr-2.0.0-split.csv.gz                      a row a film: train, validate, test
    mimic-cxr-2.0.0-chexpert.csv.gz                   a row a study: 1, 0, −1 or nothing
    files/p10/p10000032/s50414267.txt                 MIMIC-CXR (mimic-cxr-reports.zip)

Caveats: labels come from the reports by machine; about a third of the films are lateral; some
reports have neither FINDINGS nor IMPRESSION (see :mod:`syncxr.corpora.sections`); what
de-identification took out reads ``___``.

Studies are read one at a time, patient by patient. What stays in memory is the tables: about
100 bytes a film.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from syncxr.corpora.report import Report
from syncxr.corpora.sections import read_sections
from syncxr.corpora.study import LAST_PARAGRAPH, FilmFile, Study, sections_of
from syncxr.corpora.terms import Terms
from syncxr.errors import SyncxrError

TERMS = Terms(
    source="MIMIC-CXR and MIMIC-CXR-JPG (Johnson et al., PhysioNet)",
    licence="PhysioNet Credentialed Health Data License 1.5.0",
    note="The data use agreement forbids sharing the data with third parties, and sending it to "
    "online services. What is derived from it is kept under the same terms here.",
    stays_home=True,
)

METADATA, SPLIT, LABELS = "metadata", "split", "chexpert"

_ZIP = "mimic-cxr-reports.zip"
_PATIENT = re.compile(r"p(\d{8})")
_STUDY = re.compile(r"s(\d{8})")


class MimicCxr:
    """MIMIC-CXR in a folder.

    Args:
        folder: MIMIC-CXR-JPG: the folder that holds ``files`` and the tables.
        reports: MIMIC-CXR's reports: a folder that holds ``files``, or the zip file as it comes;
            by default whichever is found in ``folder``.

    Raises:
        SyncxrError: There is no such layout.
    """

    name = "MIMIC-CXR"
    terms = TERMS
    has_films = True

    def __init__(self, folder: Path, reports: Path | None = None) -> None:
        self._folder = folder
        if not looks_like_mimic(folder):
            raise SyncxrError(
                f"{folder} is not MIMIC-CXR-JPG: it holds no files/p10 … p19; give the folder that "
                "holds `files` and the tables"
            )
        self._reports = _open_reports(reports or _find_reports(folder))
        self.has_reports = self._reports.there

    def studies(self) -> Iterator[Study]:
        """Every study that the tables, the films' folders or the reports' know of."""
        listed = _Groups(self._films)
        patients = sorted({*listed.patients, *_folders(self._folder / "files")})
        for patient in patients:
            films = listed.of(patient)
            on_disk = self._studies_on_disk(patient)
            reports = self._reports.of(patient)
            for study in sorted({*films, *on_disk, *reports}):
                yield self._study(patient, study, films.get(study, {}), reports)

    def identity(self) -> dict[str, Any]:
        """The folder, and the sizes of the tables."""
        tables = [path for kind in (METADATA, SPLIT, LABELS) if (path := self._table_path(kind))]
        return {
            "corpus": self.name,
            "folder": str(self._folder.resolve()),
            "reports": str(self._reports.path.resolve()),
            "tables": {path.name: path.stat().st_size for path in tables},
        }

    def _study(
        self, patient: int, study: int, listed: Mapping[str, str], reports: Mapping[int, Any]
    ) -> Study:
        folder = self._folder / "files" / _patient_path(patient) / f"s{study}"
        there = sorted(path for path in folder.glob("*.jpg")) if folder.is_dir() else []
        names = {path.stem for path in there}
        text = self._reports.read(reports[study]) if study in reports else ""
        report, sections = _parse(str(study), text, self._labels.get(study, ()))
        return Study(
            id=f"s{study}",
            report=report,
            films=tuple(
                FilmFile(path, self._id(path), listed.get(path.stem, "")) for path in there
            ),
            patient=f"p{patient}",
            split=self._splits.get(patient, ""),
            sections=sections,
            absent=tuple(self._id(folder / f"{name}.jpg") for name in sorted({*listed} - names)),
            unlisted=tuple(self._id(path) for path in there if path.stem not in listed)
            if self._table_path(METADATA)
            else (),
        )

    def _id(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix()

    def _studies_on_disk(self, patient: int) -> set[int]:
        folder = self._folder / "files" / _patient_path(patient)
        if not folder.is_dir():
            return set()
        return {int(m[1]) for path in folder.iterdir() if (m := _STUDY.fullmatch(path.name))}

    def _table_path(self, kind: str) -> Path | None:
        return next(iter(sorted(self._folder.glob(f"mimic-cxr-2.*-{kind}.csv*"))), None)

    def _table(self, kind: str, types: dict[str, pa.DataType]) -> pa.Table | None:
        path = self._table_path(kind)
        if path is None:
            return None
        try:
            return pa.csv.read_csv(
                path,
                convert_options=pa.csv.ConvertOptions(
                    column_types=types, include_columns=list(types), strings_can_be_null=True
                ),
            )
        except (pa.ArrowInvalid, pa.ArrowKeyError, OSError) as error:
            reason = " ".join(str(error).split())[:150]
            raise SyncxrError(f"{path} is not MIMIC-CXR's table ({reason}); fetch it again") from (
                error
            )

    @cached_property
    def _films(self) -> pa.Table:
        types = {
            "subject_id": pa.int32(),
            "study_id": pa.int32(),
            "dicom_id": pa.string(),
            "ViewPosition": pa.string(),
        }
        table = self._table(METADATA, types)
        if table is None:
            fields = list(types.items())
            return pa.schema(fields).empty_table()
        keys = [(name, "ascending") for name in ("subject_id", "study_id", "dicom_id")]
        return table.sort_by(keys).combine_chunks()

    @cached_property
    def _splits(self) -> dict[int, str]:
        """Patient to split: the official division is by patient."""
        types = {"subject_id": pa.int32(), "split": pa.string()}
        table = self._table(SPLIT, types)
        if table is None:
            return {}
        return dict(zip(table["subject_id"].to_pylist(), table["split"].to_pylist(), strict=True))

    @cached_property
    def _labels(self) -> dict[int, tuple[str, ...]]:
        """Study to the findings labelled 1, with ``"?"`` behind those labelled −1."""
        path = self._table_path(LABELS)
        if path is None:
            return {}
        try:
            table = pa.csv.read_csv(path)
        except (pa.ArrowInvalid, OSError) as error:
            raise SyncxrError(f"{path} is not MIMIC-CXR's table; fetch it again") from error
        found: dict[int, list[str]] = {}
        studies = table["study_id"].to_pylist()
        for name in table.column_names[2:]:
            for value, mark in ((1.0, ""), (-1.0, "?")):
                rows = pc.indices_nonzero(pc.equal(table[name].cast(pa.float64()), value))
                for row in rows.to_pylist():
                    found.setdefault(studies[row], []).append(name + mark)
        known: dict[tuple[str, ...], tuple[str, ...]] = {}
        return {s: known.setdefault(tuple(names), tuple(names)) for s, names in found.items()}


def looks_like_mimic(folder: Path) -> bool:
    """Whether a folder holds ``files/p10`` … ``files/p19``."""
    files = folder / "files"
    return files.is_dir() and any((files / f"p{i}").is_dir() for i in range(10, 20))


def _patient_path(patient: int) -> Path:
    return Path(f"p{patient // 10**6}") / f"p{patient}"


def _folders(files: Path) -> Iterator[int]:
    """Patients that have a folder."""
    for group in sorted(files.glob("p1[0-9]")):
        yield from (int(m[1]) for path in group.iterdir() if (m := _PATIENT.fullmatch(path.name)))


def _parse(id: str, text: str, labels: tuple[str, ...]) -> tuple[Report | None, frozenset[str]]:
    """A report, and the sections that it has in the free text."""
    if not text.strip():
        return None, frozenset()
    found = read_sections(text)
    if found.last_paragraph:
        report = Report(f"s{id}", found.last_paragraph, "", labels)
        return report, frozenset((LAST_PARAGRAPH,))
    report = Report(f"s{id}", found.findings, found.impression, labels)
    return report, sections_of(report)


class _Groups:
    """The rows of the metadata, patient by patient."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table
        counts = pc.value_counts(table["subject_id"].combine_chunks())
        self.patients: list[int] = counts.field("values").to_pylist()
        starts, start = dict[int, tuple[int, int]](), 0
        for patient, count in zip(self.patients, counts.field("counts").to_pylist(), strict=True):
            starts[patient] = (start, count)
            start += count
        self._starts = starts

    def of(self, patient: int) -> dict[int, dict[str, str]]:
        """Study to dicom id to view."""
        found: dict[int, dict[str, str]] = {}
        start, count = self._starts.get(patient, (0, 0))
        rows = self._table.slice(start, count)
        views = rows["ViewPosition"].to_pylist()
        studies, names = rows["study_id"].to_pylist(), rows["dicom_id"].to_pylist()
        for study, name, view in zip(studies, names, views, strict=True):
            found.setdefault(study, {})[name] = view or ""
        return found


class _Member(NamedTuple):
    """A report in a zip file."""

    name: str


class _FolderReports:
    """Reports as files."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def there(self) -> bool:
        return any(True for _ in self.path.glob("files/p1[0-9]/p*/s*.txt"))

    def of(self, patient: int) -> dict[int, Path]:
        folder = self.path / "files" / _patient_path(patient)
        paths = folder.glob("s*.txt") if folder.is_dir() else ()
        return {int(m[1]): path for path in paths if (m := _STUDY.fullmatch(path.stem))}

    def read(self, report: Path) -> str:
        try:
            return report.read_text("utf-8", errors="replace")
        except OSError as error:
            raise SyncxrError(f"{report} cannot be read ({error.strerror})") from error


class _ZippedReports:
    """Reports in the zip file as it comes; nothing is unpacked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile) as error:
            raise SyncxrError(f"{path} is not a readable zip file; fetch it again") from error
        self._members: dict[int, list[str]] = {}
        for name in self._zip.namelist():
            match = re.fullmatch(r"(?:.*/)?files/p\d\d/p(\d{8})/s\d{8}\.txt", name)
            if match:
                self._members.setdefault(int(match[1]), []).append(name)

    @property
    def there(self) -> bool:
        return bool(self._members)

    def of(self, patient: int) -> dict[int, _Member]:
        names = self._members.get(patient, ())
        return {int(Path(name).stem[1:]): _Member(name) for name in names}

    def read(self, report: _Member) -> str:
        try:
            return self._zip.read(report.name).decode("utf-8", errors="replace")
        except (OSError, zipfile.BadZipFile) as error:
            raise SyncxrError(f"{self.path}: {report.name} is damaged; fetch it again") from error


def _find_reports(folder: Path) -> Path:
    for candidate in (folder / "mimic-cxr-reports", folder / "reports", folder / _ZIP):
        if candidate.exists():
            return candidate
    return folder


def _open_reports(path: Path) -> _FolderReports | _ZippedReports:
    if path.suffix == ".zip":
        return _ZippedReports(path)
    if not path.is_dir():
        raise SyncxrError(f"{path} does not exist; give the folder of the reports or their zip")
    # Given is sometimes `files` itself.
    return _FolderReports(path.parent if path.name == "files" else path)
