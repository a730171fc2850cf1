"""The Indiana University chest X-ray reports (Open-i) with their human MeSH labels.

3,955 de-identified reports; de-identification replaced names, dates and, by mistake, many
ordinary words with ``XXXX``. Two coders assigned MeSH and RadLex terms to each whole report
(Demner-Fushman et al., "Preparing a collection of radiology examinations for distribution and
retrieval", JAMIA 2016, doi:10.1093/jamia/ocv080). Labels stand as ``"Head/subhead/subhead"``,
``"normal"`` where nothing was found.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from syncxr.assets import ASSETS, fetch
from syncxr.corpora.report import Report
from syncxr.corpora.terms import Terms
from syncxr.errors import SyncxrError

ASSET = "openi-reports"

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
    yield from sorted(reports, key=number)


def number(report: Report) -> int:
    """Number in a report's id, which decides its half: even for tuning, odd for scoring."""
    return int(report.id.removeprefix("CXR"))


def _parse(xml: bytes, where: str) -> Report:
    """One report from one file's bytes."""
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
    return Report(name, sections.get("FINDINGS", ""), sections.get("IMPRESSION", ""), labels)
