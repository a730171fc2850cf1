"""A source by what the user calls it."""

from __future__ import annotations

from pathlib import Path

from syncxr.corpora.mimic import MimicCxr, looks_like_mimic
from syncxr.corpora.openi import OpenI
from syncxr.corpora.paired import FolderPairs
from syncxr.dataset.reader import find_shards
from syncxr.dataset.storage import StoragePath, local, locate
from syncxr.errors import SyncxrError
from syncxr.factory.home import terms_of
from syncxr.pretraining.data.entry import Source
from syncxr.pretraining.data.options import SourceOptions
from syncxr.pretraining.data.sources.collection import Collection
from syncxr.pretraining.data.sources.generated import GeneratedDataset
from syncxr.pretraining.data.sources.own_table import OwnTable

KINDS = (
    "a generated dataset or run (folder or URL), a CSV, openi, MIMIC-CXR-JPG's folder, or a folder "
    "of films and .txt reports"
)


def open_source(options: SourceOptions) -> Source:
    """The source that some options name.

    Raises:
        SyncxrError: There is nothing such, or an option does not go with it.
    """
    location = locate(options.path)
    kind = _kind(options.path, location)
    if options.images is not None and kind not in ("csv", "openi"):
        raise SyncxrError(f"images goes with a CSV or openi, which {location} is not; leave it out")
    if options.reports is not None and kind != "mimic":
        raise SyncxrError(f"reports goes with MIMIC-CXR, which {location} is not; leave it out")
    if kind == "dataset":
        return GeneratedDataset(location, terms_of(location))
    path = local(location, "a CSV or a corpus")
    if kind == "csv":
        return OwnTable(path, options.images)
    if kind == "mimic":
        apart = (options.reports,) if options.reports else ()
        folders = (path / "files", *(p for p in apart if p.is_dir()))
        return Collection(MimicCxr(path, options.reports), str(path), folders, views_known=True)
    if kind == "openi":
        if options.images is None:
            raise SyncxrError("openi needs its films; name their folder as images")
        return Collection(OpenI(options.images), "openi", (options.images,), views_known=False)
    return Collection(FolderPairs(path), str(path), (path,), views_known=False)


def _kind(text: str, location: StoragePath) -> str:
    if text == "openi":
        return "openi"
    if not isinstance(location, Path):
        return "dataset"
    if looks_like_mimic(location):
        return "mimic"
    if location.is_file():
        return "csv"
    if not location.is_dir():
        raise SyncxrError(f"{text} does not exist; give {KINDS}")
    holds_shards = find_shards(location) or find_shards(location / "dataset")
    return "dataset" if holds_shards or (location / "dataset").is_dir() else "folder"
