"""Terms of use along the way: read from what a run starts with, left with what it makes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow.parquet as pq

from syncxr.corpora import table
from syncxr.corpora.films import SUFFIXES
from syncxr.corpora.mimic import TERMS as MIMIC_TERMS
from syncxr.corpora.mimic import looks_like_mimic
from syncxr.corpora.terms import TERMS_FILE, Terms, keep_home
from syncxr.dataset.files import write_text
from syncxr.dataset.storage import StoragePath
from syncxr.registry import BackendSpec, backend_class, build

_DERIVED = ("bank.parquet", "plan.parquet")

_PARTS = ("dataset", "drafts", "rejected")
"""Folders of a run that are handed on by themselves."""


def terms_of(source: StoragePath, csv: Terms | None = None) -> Terms | None:
    """Terms of whatever a stage is given: a bank, a plan, a run folder, a dataset, own files.

    One's own reports and films are the user's to judge, and stay home until told otherwise; what
    was made by syncxr from no corpus is free.

    Args:
        source: File or folder.
        csv: Terms of a CSV: a bank or plan is somebody's own words, reports are not.
    """
    if source.is_file():
        if source.suffix.lower() == ".parquet":
            with source.open("rb") as stream:
                return Terms.from_metadata(pq.ParquetFile(stream).schema_arrow.metadata)
        return table.TERMS if source.suffix.lower() in SUFFIXES else csv
    for folder in (source, source.parent) if source.name in _PARTS else (source,):
        if (folder / TERMS_FILE).is_file():
            return Terms.from_json((folder / TERMS_FILE).read_text("utf-8"))
        for name in _DERIVED:
            if (folder / name).is_file():
                return terms_of(folder / name)
    if isinstance(source, Path) and any(map(looks_like_mimic, (source, *source.parents))):
        return MIMIC_TERMS
    made_here = (source / "manifest.json").is_file() or (source / "config.yaml").is_file()
    return None if made_here or not source.is_dir() else table.TERMS


def leave_terms(terms: Terms | None, *folders: StoragePath) -> None:
    """Write the terms into folders of what is derived."""
    for folder in folders:
        if terms is not None:
            write_text(folder / TERMS_FILE, terms.model_dump_json(indent=1) + "\n")


def check_backends(
    terms: Terms | None,
    trusted_hosts: Iterable[str],
    backends: Mapping[str, tuple[Mapping[str, str], BackendSpec]],
    *places: StoragePath | str,
) -> None:
    """See, before any work, that restricted data would stay home.

    Only backends that can send anything are made for it; making one sends nothing.

    Args:
        terms: Of the data.
        trusted_hosts: Of the configuration.
        backends: What it is ("judge") to its table and its specification.
        places: Where results are written and work is done: folders, of which a bucket's name
            counts as its host, and addresses.

    Raises:
        SyncxrError: As :func:`syncxr.corpora.terms.keep_home`, or as ``build``.
    """
    if terms is None or not terms.stays_home:
        return
    made: dict[str, Any] = {
        what: build(what, choices, spec)
        for what, (choices, spec) in backends.items()
        if hasattr(backend_class(what, choices, spec), "sends_to")
    }
    remote = tuple(str(place) for place in places if not isinstance(place, Path))
    made["run"] = SimpleNamespace(sends_to=remote)
    keep_home(terms, made, trusted_hosts)
