"""Feature vectors kept on disk, so that no film is looked at twice by one model."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from syncxr.corpora.terms import CACHED, TERMS_FILE
from syncxr.curation.similarity import Features
from syncxr.sample import Image


class EmbeddingCache:
    """Vectors of one model, one file a film.

    A file appears whole, by rename, and holds the same numbers whoever writes it, so that any
    number of processes may share the folder, over a network too. The folder says under what terms
    it stands: films of restricted corpora may have been among those seen.

    Args:
        root: Folder of all models' vectors.
        identity: What the vectors depend on beside the film; another identity, another folder.
    """

    def __init__(self, root: Path, identity: Mapping[str, str]) -> None:
        self._root = root
        key = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
        self._folder = root / key[:32]

    def get(
        self, images: Sequence[Image], compute: Callable[[Sequence[Image]], Features]
    ) -> Features:
        """One row a film, (N, D): from disk where it is there, else computed and kept.

        Args:
            images: The films.
            compute: Vectors of films that are not on disk, (M, D), each of its film alone.
        """
        keys = [film_hash(image) for image in images]
        rows = {key: row for key in set(keys) if (row := self._read(key)) is not None}
        missing = {key: image for key, image in zip(keys, images, strict=True) if key not in rows}
        if missing:
            for key, row in zip(missing, compute(list(missing.values())), strict=True):
                rows[key] = row
                self._write(key, row)
        return np.stack([rows[key] for key in keys])

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.npy"

    def _read(self, key: str) -> Features | None:
        try:
            row: Features = np.load(self._path(key), allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None  # Absent, or damaged by a failing disk: it is made again.
        return row

    def _write(self, key: str, row: Features) -> None:
        if not (self._root / TERMS_FILE).exists():
            with _whole(self._root / TERMS_FILE) as stream:
                stream.write(CACHED.model_dump_json(indent=1).encode())
        with _whole(self._path(key)) as stream:
            np.save(stream, np.asarray(row, np.float32), allow_pickle=False)


@contextmanager
def _whole(path: Path) -> Iterator[IO[bytes]]:
    """A file that appears whole when the block ends well, whoever else writes it meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # A name of its own: another process may be writing the same file.
    handle, partial = tempfile.mkstemp(dir=path.parent, suffix=".partial")
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
        Path(partial).replace(path)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise


def film_hash(image: Image) -> str:
    """Hash of a film's size and grey values."""
    header = f"{image.shape} {image.dtype}\0".encode()
    return hashlib.sha256(header + np.ascontiguousarray(image).tobytes()).hexdigest()
