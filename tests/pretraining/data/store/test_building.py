"""Decoded once, whole or absent, the same bytes whether disturbed or not."""

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import made_pairs
import numpy as np
import pytest
from filelock import FileLock

from syncxr.errors import SyncxrError
from syncxr.pretraining.data.captions import candidates
from syncxr.pretraining.data.entry import Entry, Rejected
from syncxr.pretraining.data.sources.generated import GeneratedDataset
from syncxr.pretraining.data.sources.memory import InMemory
from syncxr.pretraining.data.sources.own_table import OwnTable
from syncxr.pretraining.data.store import building, layout
from syncxr.pretraining.data.store.decoded import decode, decode_in_memory
from syncxr.pretraining.preprocessing import Preprocessing

SIZE = Preprocessing(size=32)

SLOW = textwrap.dedent(
    """
    import sys, time
    from pathlib import Path
    import made_pairs
    from syncxr.pretraining.data.sources.memory import InMemory
    from syncxr.pretraining.data.store import building
    from syncxr.pretraining.data.store.decoded import decode
    from syncxr.pretraining.preprocessing import Preprocessing

    class Slow(InMemory):
        def entries(self, start=0):
            for entry in super().entries(start):
                time.sleep(0.002)
                yield entry

    building._NOTE_EVERY = 0.03
    decode(Slow(made_pairs.pairs(400)), Preprocessing(size=32), Path(sys.argv[1]), 0.01)
    """
)


def files(cache: Path) -> dict[str, bytes]:
    (folder,) = (path for path in cache.iterdir() if path.is_dir())
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_films_words_and_hashes(tmp_path: Path) -> None:
    source = InMemory(made_pairs.pairs(5))
    found = decode(source, SIZE, tmp_path, 0.01)
    rows = np.array([4, 0, 4])
    assert found.words.column(rows, layout.ID) == ["p4", "p0", "p4"]
    assert found.words.column(rows, layout.FINDINGS) == [made_pairs.report(i)[0] for i in (4, 0, 4)]
    assert np.array_equal(found.films[3], SIZE.apply(made_pairs.noise(3)))
    sentences = candidates(*made_pairs.report(4), "sentence")
    draws = (np.arange(len(sentences)) + 0.5) / len(sentences)
    assert found.words.sentences(np.full(len(draws), 4), draws) == list(sentences)
    assert not found.films.flags.writeable
    assert found.index.count == len(found) == 5


def test_in_memory_and_on_disk_are_one(tmp_path: Path) -> None:
    source = InMemory(made_pairs.pairs(40))
    disk, memory = decode(source, SIZE, tmp_path, 0.01), decode_in_memory(source, SIZE, 0.01)
    assert np.array_equal(disk.films, memory.films)
    assert disk.index == memory.index
    rows = np.arange(40)
    assert disk.words.sentences(rows, rows / 40) == memory.words.sentences(rows, rows / 40)


def test_a_second_run_reads_no_film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = made_pairs.dataset(tmp_path / "run", 6)
    first = decode(GeneratedDataset(folder), SIZE, tmp_path / "cache", 0.01)
    monkeypatch.setattr(GeneratedDataset, "entries", None)
    again = decode(GeneratedDataset(folder), SIZE, tmp_path / "cache", 0.01)
    assert again.index == first.index and np.array_equal(again.films, first.films)


def test_the_same_files_by_another_name(tmp_path: Path) -> None:
    csv = made_pairs.table(tmp_path, 5)
    copy = csv.with_name("copy.csv")
    copy.write_text(csv.read_text())
    sources = [OwnTable(path, tmp_path / "films") for path in (csv, copy)]
    first, second = (decode(source, SIZE, tmp_path / "cache", 0.01) for source in sources)
    assert first.index.key == second.index.key
    assert second.index.name == str(copy)


def test_one_process_waits_for_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = InMemory(made_pairs.pairs(20))
    lock = tmp_path / f"{building.Identity(source.state(), SIZE).key[:32]}.lock"
    with ThreadPoolExecutor(1) as pool:
        with FileLock(lock):
            other = pool.submit(decode, source, SIZE, tmp_path, 0.01)
            while "another process is decoding made up" not in capsys.readouterr().err:
                assert not other.done()
                time.sleep(0.01)
        assert len(other.result()) == 20


def test_another_size_or_other_files_are_decoded_anew(tmp_path: Path) -> None:
    folder = made_pairs.dataset(tmp_path / "run", 6)
    cache = tmp_path / "cache"
    small = decode(GeneratedDataset(folder), SIZE, cache, 0.01)
    large = decode(GeneratedDataset(folder), Preprocessing(size=40), cache, 0.01)
    assert large.films.shape == (6, 40, 40)
    assert large.index.fingerprint == small.index.fingerprint, "of the data, not of their size"
    made_pairs.dataset(tmp_path / "run", 6, first=1)
    other = decode(GeneratedDataset(folder), SIZE, cache, 0.01)
    assert other.index.fingerprint != small.index.fingerprint
    assert np.array_equal(other.films[0], small.films[1])


def test_killed_while_decoding(tmp_path: Path) -> None:
    """Killed with signal 9 again and again, it goes on and ends with the same bytes."""
    cache, support = tmp_path / "cache", Path(made_pairs.__file__).parent
    environment = {**os.environ, "PYTHONPATH": str(support)}
    seen, kills = [0], 0
    while not list(cache.glob("*/index.json")):
        process = subprocess.Popen(
            [sys.executable, "-c", SLOW, str(cache)], env=environment, stderr=subprocess.DEVNULL
        )
        while process.poll() is None and noted(cache) < seen[-1] + 60 * (kills < 4):
            time.sleep(0.005)
        if kills < 4 and process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
            # A torn write lies beyond what was noted.
            (partial,) = cache.glob("*.partial")
            with (partial / layout.FILMS).open("ab") as stream:
                stream.write(b"torn")
        assert process.wait() in (0, -signal.SIGKILL)
        seen.append(noted(cache))
    assert kills == 4 and seen[-2] > 200 and seen[:-1] == sorted(seen[:-1]), "none begins anew"
    undisturbed = tmp_path / "undisturbed"
    decode(InMemory(made_pairs.pairs(400)), SIZE, undisturbed, 0.01)
    assert files(cache) == files(undisturbed)


def noted(cache: Path) -> int:
    for path in cache.glob("*.partial/progress.json"):
        return int(json.loads(path.read_text())["seen"])
    return 0


@pytest.mark.parametrize("harm", ["cut", "gone", "scribbled"])
def test_a_partial_folder_that_cannot_be_trusted_is_made_anew(tmp_path: Path, harm: str) -> None:
    source = InMemory(made_pairs.pairs(30))
    key = building.Identity(source.state(), SIZE).key[:32]
    partial = tmp_path / "one" / f"{key}.partial"
    partial.mkdir(parents=True)
    (partial / layout.FILMS).write_bytes(b"x" * 100)
    lengths = {layout.FILMS: 1024 * 7}
    (partial / "progress.json").write_text(
        {"cut": json.dumps({"seen": 7, "lengths": lengths}), "gone": "", "scribbled": "{"}[harm]
    )
    decode(source, SIZE, tmp_path / "one", 0.01)
    decode(source, SIZE, tmp_path / "two", 0.01)
    assert files(tmp_path / "one") == files(tmp_path / "two")


class Flawed(InMemory):
    """Every ``nth`` pair is corrupt, the one after it left out by a rule."""

    nth = 10

    def entries(self, start: int = 0) -> Iterator[Entry | Rejected]:
        for number, entry in enumerate(super().entries(start), start):
            if number % self.nth == 0:
                yield Rejected(entry.id, f"film {number} is torn")
            elif number % self.nth == 1:
                yield Rejected(entry.id, "lateral", corrupt=False)
            else:
                yield entry


def test_what_is_corrupt_is_named_counted_and_skipped(tmp_path: Path) -> None:
    found = decode(Flawed(made_pairs.pairs(30)), SIZE, tmp_path, 0.2)
    assert [item.id for item in found.index.skipped] == ["p0", "p10", "p20"]
    assert found.index.skipped[1].reason == "film 10 is torn"
    assert found.index.left_out == {"lateral": 3}
    assert len(found) == 24 and found.index.seen == 27


def test_too_much_of_it_ends_the_run(tmp_path: Path) -> None:
    source = Flawed(made_pairs.pairs(60))
    with pytest.raises(SyncxrError, match=r"6 of 5\d samples.*corrupt_limit = 0.05.*p0: film 0"):
        decode(source, SIZE, tmp_path, 0.05)
    assert len(decode(source, SIZE, tmp_path, 0.2)) == 48
    with pytest.raises(SyncxrError, match="6 of 54"):
        decode(source, SIZE, tmp_path, 0.05)
    with pytest.raises(SyncxrError, match="6 of 54"):
        decode_in_memory(source, SIZE, 0.05)


def test_three_may_be_corrupt_in_a_small_source(tmp_path: Path) -> None:
    assert len(decode(Flawed(made_pairs.pairs(30)), SIZE, tmp_path, 0)) == 24


def test_hopeless_sources_are_not_read_to_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []

    class Hopeless(InMemory):
        def entries(self, start: int = 0) -> Iterator[Entry | Rejected]:
            for entry in super().entries(start):
                read.append(entry.id)
                yield Rejected(entry.id, "torn")

    monkeypatch.setattr(building, "_NOTE_EVERY", 0)
    with pytest.raises(SyncxrError, match=r"\d+ of 2,000 samples"):
        decode(Hopeless(made_pairs.pairs(2000)), SIZE, tmp_path, 0)
    assert len(read) < 500


@pytest.mark.parametrize(
    ("film", "message"),
    [
        (b"\x89PNG\r\n\x1a\nrubbish", "does not open"),
        (np.zeros((40, 40, 3), np.uint8), r"uint8 \(40, 40, 3\), not uint8"),
        (np.zeros((40, 40), np.float32), "float32"),
        (np.zeros((15, 40), np.uint8), "15 × 40 pixels"),
        (np.zeros((400, 40), np.uint8), "400 × 40 pixels"),
        (Path("gone.png"), "gone.png is missing"),
    ],
)
def test_films_that_are_none(tmp_path: Path, film: object, message: str) -> None:
    class One(InMemory):
        def entries(self, start: int = 0) -> Iterator[Entry | Rejected]:
            yield Entry("odd", film, "A text here.", where="row 3")
            yield from super().entries(start)

    found = decode_in_memory(One(made_pairs.pairs(2)), SIZE, 0.01)
    (skipped,) = found.index.skipped
    assert skipped.id == "odd"
    assert re.search(message, skipped.reason)


def test_a_source_without_a_pair_says_why(tmp_path: Path) -> None:
    class Lateral(InMemory):
        def entries(self, start: int = 0) -> Iterator[Entry | Rejected]:
            yield from (Rejected(f"p{i}", "lateral", corrupt=False) for i in range(5))

    with pytest.raises(SyncxrError, match=r"no pair to train on \(lateral: 5\)"):
        decode(Lateral(made_pairs.pairs(5)), SIZE, tmp_path, 0.01)


def test_a_source_that_changes_meanwhile_is_not_kept(tmp_path: Path) -> None:
    class Restless(InMemory):
        asked = 0

        def state(self) -> dict[str, int]:
            self.asked += 1
            return {"state": self.asked}

    with pytest.raises(SyncxrError, match="changed while it was decoded"):
        decode(Restless(made_pairs.pairs(3)), SIZE, tmp_path, 0.01)
    assert not list(tmp_path.glob("*/index.json"))


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(building.Appended, "write", full)
    with pytest.raises(SyncxrError, match=r"no room for decoded films.*data\.cache"):
        decode(InMemory(made_pairs.pairs(3)), SIZE, tmp_path, 0.01)
