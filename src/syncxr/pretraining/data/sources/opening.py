"""A source by what the user calls it."""

from __future__ import annotations

from pathlib import Path

from syncxr.corpora import openi
from syncxr.corpora.mimic import MimicCxr, looks_like_mimic
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
    kind, options_taken = _kind(options.path, location), takes(options.path)
    if options.images is not None and "images" not in options_taken:
        raise SyncxrError(f"images goes with a CSV or openi, which {location} is not; leave it out")
    if options.reports is not None and "reports" not in options_taken:
        raise SyncxrError(f"reports goes with MIMIC-CXR, which {location} is not; leave it out")
    if kind == "dataset":
        return GeneratedDataset(location, terms_of(location))
    path = local(location, "a CSV or a corpus")
    if kind == "csv":
        return OwnTable(path, options.images)
    if kind == "mimic":
        return _mimic(path, options.reports)
    if kind == "openi":
        return _openi(options.images)
    return Collection(FolderPairs(path), str(path), (path,), None)


def takes(path: str) -> frozenset[str]:
    """Which folders can be named beside a source: ``images``, ``reports``, or none.

    Raises:
        SyncxrError: There is nothing such.
    """
    kind = _kind(path, locate(path))
    named = {"csv": {"images"}, "openi": {"images"}, "mimic": {"reports"}}
    return frozenset(named.get(kind, ()))


def _mimic(folder: Path, reports: Path | None) -> Source:
    corpus = MimicCxr(folder, reports)
    apart = Path(corpus.identity()["reports"])
    places = (folder / "files",) if apart == folder.resolve() else (folder / "files", apart)
    return Collection(corpus, str(folder), places, lambda film: film.view)


def _openi(images: Path | None) -> Source:
    if images is None or not images.is_dir():
        raise SyncxrError("openi needs the folder of its films; give it as images")
    views = openi.views()
    corpus = openi.OpenI(images)
    return Collection(corpus, "openi", (images,), lambda film: views.get(film.path.stem, ""))


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
