"""Corpora by what a user calls them."""

from __future__ import annotations

from pathlib import Path

from syncxr.corpora import openi
from syncxr.corpora.mimic import MimicCxr, looks_like_mimic
from syncxr.corpora.paired import FolderPairs, TablePairs
from syncxr.corpora.study import Corpus
from syncxr.errors import SyncxrError


def open_corpus(source: str, films: Path | None = None, reports: Path | None = None) -> Corpus:
    """A corpus by name or path.

    Args:
        source: ``"openi"``; MIMIC-CXR-JPG's folder; a CSV; or a folder of films and/or ``.txt``
            reports.
        films: Folder of the films, for Open-i and for a CSV.
        reports: Folder or zip file of the reports, for MIMIC-CXR.

    Raises:
        SyncxrError: There is nothing such, or an option does not go with it.
    """
    path = Path(source)
    kind = "openi" if source == "openi" else "mimic" if looks_like_mimic(path) else "path"
    if reports is not None and kind != "mimic":
        raise SyncxrError(f"--reports goes with MIMIC-CXR, which {source} is not; leave it out")
    if films is not None and not films.is_dir():
        raise SyncxrError(f"{films} is not a folder; give the folder of the films")
    if kind == "openi":
        return openi.OpenI(films)
    if kind == "mimic":
        if films is not None:
            raise SyncxrError("the films of MIMIC-CXR lie in its own folder; leave --films out")
        return MimicCxr(path, reports)
    if path.is_file():
        return TablePairs(path, films)
    if not path.is_dir():
        raise SyncxrError(
            f"corpus {source!r} does not exist; give openi, a CSV, a folder of films and .txt "
            "reports, or the folder of MIMIC-CXR-JPG"
        )
    if films is not None:
        raise SyncxrError("--films goes with openi or a CSV; leave it out")
    return FolderPairs(path)
