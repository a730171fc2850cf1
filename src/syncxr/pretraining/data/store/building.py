"""Decode a source into a folder; killed at any moment and started again, it goes on."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from syncxr.corpora.terms import TERMS_FILE
from syncxr.dataset.files import sha256, write_text
from syncxr.errors import SyncxrError
from syncxr.pretraining.data.entry import Rejected, Source
from syncxr.pretraining.data.store.appended import Appended
from syncxr.pretraining.data.store.decoding import Prepared, prepare
from syncxr.pretraining.data.store.layout import (
    FILES,
    FILMS,
    HASHES,
    INDEX,
    PAIR_BOUNDS,
    TEXT,
    TEXT_BOUNDS,
    VERSION,
    Index,
    Skipped,
)
from syncxr.pretraining.data.store.tally import Tally, check
from syncxr.pretraining.preprocessing import Preprocessing
from syncxr.progress import bar, console

THREADS = min(16, os.cpu_count() or 1)

_NOTE_EVERY = 5.0
"""Seconds between two notes of how far it has come: a kill loses no more."""

_FAIR_PART = 1000
"""Samples read before a source of unknown size is judged by its share of corrupt ones."""

_PROGRESS = "progress.json"


@dataclass(frozen=True)
class Identity:
    """What decides a decoded source.

    Attributes:
        state: Of the source: what lies there now.
        preprocessing: How films are prepared.
    """

    state: dict[str, Any]
    preprocessing: Preprocessing

    @property
    def key(self) -> str:
        """Hash of both."""
        settings = {
            "version": VERSION,
            "source": self.state,
            "preprocessing": self.preprocessing.model_dump(mode="json"),
        }
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


class _Progress(BaseModel):
    """How far a decoding has come."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seen: int = 0
    lengths: dict[str, int] = {}
    strings: int = 0
    corrupt: tuple[Skipped, ...] = ()
    left_out: dict[str, int] = {}


def build(source: Source, identity: Identity, folder: Path, corrupt_limit: float) -> None:
    """Make ``folder``, unless it is there: it is whole or absent.

    Args:
        source: What to decode.
        identity: Of the source as it is now, and of how films are prepared.
        folder: As :mod:`syncxr.pretraining.data.store.layout` says.
        corrupt_limit: Share of corrupt samples that is put up with.

    Raises:
        SyncxrError: The source cannot be read, changes meanwhile, or too much of it is corrupt.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _alone(folder.with_suffix(".lock"), source.name):
        if (folder / INDEX).exists():
            return
        partial = folder.with_suffix(".partial")
        if source.terms is not None:
            write_text(partial / TERMS_FILE, source.terms.model_dump_json(indent=1) + "\n")
        with _disk_faults(partial):
            done = _Build(source, identity.preprocessing, partial, corrupt_limit).go()
        if source.state() != identity.state:
            raise SyncxrError(f"{source.name} changed while it was decoded; run again")
        count = done.lengths[PAIR_BOUNDS] // 8 - 1
        index = Index(
            name=source.name,
            key=identity.key,
            count=count,
            size=identity.preprocessing.size,
            fingerprint=sha256(partial / HASHES),
            seen=count + len(done.corrupt),
            skipped=done.corrupt,
            left_out=done.left_out,
            state=identity.state,
            preprocessing=identity.preprocessing.model_dump(mode="json"),
            terms=source.terms,
        )
        write_text(partial / INDEX, index.model_dump_json(indent=1) + "\n")
        shutil.rmtree(folder, ignore_errors=True)  # without an index it is nothing
        partial.rename(folder)
        (folder / _PROGRESS).unlink()


@contextmanager
def _alone(path: Path, name: str) -> Iterator[None]:
    """Wait, and say so, while another process decodes the same."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        console.print(f"another process is decoding {name}; waiting for it", markup=False)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _disk_faults(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise SyncxrError(
            f"no room for decoded films in {folder.parent}; make room and run again, which goes "
            "on from here, or name another folder with data.cache"
        ) from error


class _Build:
    """One call of :func:`build`."""

    def __init__(
        self, source: Source, preprocessing: Preprocessing, folder: Path, corrupt_limit: float
    ) -> None:
        self._source, self._preprocessing, self._folder = source, preprocessing, folder
        self._limit = corrupt_limit
        progress = self._earlier()
        self._seen, self._strings = progress.seen, progress.strings
        self._lengths = progress.lengths
        self._text_end = progress.lengths.get(TEXT, 0)
        self._tally = Tally(progress.corrupt, progress.left_out)

    def go(self) -> _Progress:
        """Decode what is left."""
        source, noted = self._source, time.monotonic()
        self._check(whole=False)
        parts = prepare(source.entries(self._seen), self._preprocessing, THREADS)
        label = f"decoding {source.name}"[-40:]
        with (
            Appended(self._folder, FILES, self._lengths) as files,
            bar(label, source.total, done=self._seen) as progress,
        ):
            if not self._lengths:
                for name in (TEXT_BOUNDS, PAIR_BOUNDS):
                    files.write(name, bytes(8))  # where the first begins
            for part in parts:
                self._keep(part, files)
                progress.advance(len(part))
                if time.monotonic() - noted > _NOTE_EVERY:
                    self._note(files)
                    self._check(whole=False)
                    noted = time.monotonic()
            done = self._note(files)
        self._check(whole=True)
        return done

    def _keep(self, part: list[Prepared | Rejected], files: Appended) -> None:
        self._seen += len(part)
        texts, pair_bounds, digests = list[bytes](), list[int](), list[bytes]()
        for entry in part:
            if isinstance(entry, Rejected):
                self._tally.add(entry)
                continue
            files.write(FILMS, entry.film.data)
            texts += entry.strings
            pair_bounds.append(self._strings + len(texts))
            digests.append(entry.digest)
        bounds = list(accumulate(map(len, texts), initial=self._text_end))
        self._text_end, self._strings = bounds[-1], self._strings + len(texts)
        files.write(TEXT, b"".join(texts))
        files.write(TEXT_BOUNDS, np.array(bounds[1:], np.int64).tobytes())
        files.write(PAIR_BOUNDS, np.array(pair_bounds, np.int64).tobytes())
        files.write(HASHES, b"".join(digests))

    def _check(self, *, whole: bool) -> None:
        """The limit is a share of what there is; until that is known, of a fair part of it."""
        read, total = self._seen - self._tally.left_out.total(), self._source.total
        if whole:
            check(self._source.name, self._tally.corrupt, read, self._limit)
        elif total is not None or read >= _FAIR_PART:
            check(self._source.name, self._tally.corrupt, total or read, self._limit)

    def _note(self, files: Appended) -> _Progress:
        progress = _Progress(
            seen=self._seen,
            lengths=files.sync(),
            strings=self._strings,
            corrupt=tuple(self._tally.corrupt),
            left_out=dict(sorted(self._tally.left_out.items())),
        )
        write_text(self._folder / _PROGRESS, progress.model_dump_json())
        return progress

    def _earlier(self) -> _Progress:
        """What a killed process noted; from the beginning where that cannot be trusted."""
        try:
            progress = _Progress.model_validate_json((self._folder / _PROGRESS).read_text("utf-8"))
            whole = all(
                (self._folder / name).stat().st_size >= length
                for name, length in progress.lengths.items()
            )
            return progress if whole else _Progress()
        except (OSError, ValidationError):
            return _Progress()
