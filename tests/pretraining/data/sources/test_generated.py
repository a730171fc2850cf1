"""Datasets of our own: their rows in order, from any start, on a disk and by URL."""

import io
from pathlib import Path

import made_pairs
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image as Pillow

from syncxr.dataset.shards import commit_shard
from syncxr.dataset.storage import locate
from syncxr.errors import SyncxrError
from syncxr.pretraining.data.entry import Entry, Rejected
from syncxr.pretraining.data.sources.generated import GeneratedDataset
from syncxr.sample import Sample


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_pairs.dataset(tmp_path_factory.mktemp("run"), 250, shards=3)


def test_rows_in_order(run: Path) -> None:
    source = GeneratedDataset(run)
    entries = list(source.entries())
    assert source.total == len(entries) == 250
    assert [entry.id for entry in entries] == [f"s{i}" for i in range(250)]
    last = entries[-1]
    assert isinstance(last, Entry) and isinstance(last.film, bytes)
    assert (last.findings, last.impression) == made_pairs.report(249)
    with Pillow.open(io.BytesIO(last.film)) as film:
        assert np.array_equal(np.asarray(film), made_pairs.noise(249))


@pytest.mark.parametrize("start", [0, 1, 83, 84, 100, 249, 250])
def test_from_any_start(run: Path, start: int) -> None:
    ids = [entry.id for entry in GeneratedDataset(run).entries(start)]
    assert ids == [f"s{i}" for i in range(start, 250)]


def test_run_and_dataset_folder_are_one(run: Path) -> None:
    assert GeneratedDataset(run / "dataset").state() == GeneratedDataset(run).state()


def test_by_url(run: Path) -> None:
    url = locate("memory://bucket/run/dataset/data")
    for path in (run / "dataset" / "data").glob("*.parquet"):
        (url / path.name).write_bytes(path.read_bytes())
    source = GeneratedDataset(locate("memory://bucket/run"))
    assert [entry.id for entry in source.entries(170)] == [f"s{i}" for i in range(170, 250)]
    before = source.state()
    assert GeneratedDataset(locate("memory://bucket/run")).state() == before
    (url / "train-00003.parquet").write_bytes((url / "train-00000.parquet").read_bytes())
    assert GeneratedDataset(locate("memory://bucket/run")).state() != before


def test_what_lacks_its_film_or_its_text_is_named(tmp_path: Path) -> None:
    film = made_pairs.noise(0)
    samples = [
        Sample("a", findings="Clear."),
        Sample("b", image=film),
        Sample("c", (), "C.", "", film),
    ]
    commit_shard(tmp_path, "films", 0, {"dataset/data/train-00000.parquet": samples}, {})
    one, two, three = GeneratedDataset(tmp_path).entries()
    assert one == Rejected("a", "has no film; render it first")
    assert two == Rejected("b", "has no text; draft it first")
    assert isinstance(three, Entry)


def test_a_damaged_shard_is_named(tmp_path: Path) -> None:
    made_pairs.dataset(tmp_path, 4, shards=1)
    (shard,) = (tmp_path / "dataset" / "data").glob("*.parquet")
    whole = shard.read_bytes()
    shard.write_bytes(whole[:4] + b"\0" * (len(whole) // 2) + whole[4 + len(whole) // 2 :])
    with pytest.raises(SyncxrError, match=r"train-00000.parquet cannot be read as a shard"):
        list(GeneratedDataset(tmp_path).entries())


def test_a_table_without_films_is_no_dataset(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["a"], "text": ["b"]}), tmp_path / "x.parquet")
    with pytest.raises(SyncxrError, match=r"x.parquet cannot be read as a shard"):
        list(GeneratedDataset(tmp_path).entries())
