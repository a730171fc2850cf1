from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from syncxr.corpora.terms import TERMS_FILE, Terms
from syncxr.curation.embeddings import EmbeddingCache, film_hash
from syncxr.curation.similarity import Features
from syncxr.sample import Image

FILMS = [np.full((8, 8), grey, np.uint8) for grey in (10, 20, 30)]


def means(images: Sequence[Image]) -> Features:
    return np.array([[image.mean(), image.size] for image in images], np.float32)


def never(images: Sequence[Image]) -> Features:
    raise AssertionError("every film should have been on disk")


def test_rows_come_back_in_order_from_disk(tmp_path: Path) -> None:
    first = EmbeddingCache(tmp_path, {"model": "a"}).get(FILMS, means)
    again = EmbeddingCache(tmp_path, {"model": "a"}).get(FILMS[::-1], never)
    np.testing.assert_array_equal(first, again[::-1])
    np.testing.assert_array_equal(first, means(FILMS))


def test_the_folder_says_under_what_terms_it_stands(tmp_path: Path) -> None:
    EmbeddingCache(tmp_path, {"model": "a"}).get(FILMS, means)
    terms = Terms.from_json((tmp_path / TERMS_FILE).read_text())
    assert terms.stays_home and "strictest" in terms.licence


def test_models_do_not_share(tmp_path: Path) -> None:
    EmbeddingCache(tmp_path, {"model": "a"}).get(FILMS, means)
    with pytest.raises(AssertionError):
        EmbeddingCache(tmp_path, {"model": "b"}).get(FILMS, never)


def test_shape_and_values_both_count() -> None:
    wide, tall = np.zeros((2, 8), np.uint8), np.zeros((8, 2), np.uint8)
    assert film_hash(wide) != film_hash(tall)
    assert film_hash(wide) == film_hash(np.zeros((4, 16), np.uint8)[::2, ::2])
    assert film_hash(wide) != film_hash(wide + 1)


def test_a_damaged_file_is_made_again(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path, {"model": "a"})
    cache.get(FILMS, means)
    victim = sorted(tmp_path.rglob("*.npy"))[0]
    victim.write_bytes(victim.read_bytes()[:20])
    np.testing.assert_array_equal(cache.get(FILMS, means), means(FILMS))
    assert len(np.load(victim)) == 2


_WRITER = """
import sys
import numpy as np
from pathlib import Path
from syncxr.curation.embeddings import EmbeddingCache
cache = EmbeddingCache(Path(sys.argv[1]), {"model": "a"})
films = [np.full((4, 4), grey, np.uint8) for grey in range(60)]
sys.stdin.read(1)
for _ in range(5):
    rows = cache.get(films, lambda part: np.array([[f.mean()] * 500 for f in part], np.float32))
    assert (rows[:, 0] == np.arange(60)).all() and rows.shape == (60, 500)
"""


def test_processes_share_a_folder(tmp_path: Path) -> None:
    """Four at once, let go together: none ever reads half a file, and nothing is left behind."""
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(tmp_path)],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(4)
    ]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write(b"x")
        writer.stdin.flush()
    for writer in writers:
        _, errors = writer.communicate()
        assert writer.returncode == 0, errors.decode()
    assert len(list(tmp_path.rglob("*.npy"))) == 60
    assert not list(tmp_path.rglob("*.partial"))
