from pathlib import Path

import pytest

from syncxr.dataset.files import write_text
from syncxr.dataset.reader import read
from syncxr.dataset.shards import commit_shard, committed
from syncxr.dataset.storage import at_once, below, local, locate, make_folder
from syncxr.errors import SyncxrError
from syncxr.sample import Sample


def test_a_plain_path_stays_one() -> None:
    for text in ("runs/a", "/runs/a", "file:///runs/a"):
        assert isinstance(locate(text), Path)
    assert locate("file:///runs/a") == Path("/runs/a") == locate(Path("/runs/a"))


def test_any_storage_of_fsspec_takes_shards() -> None:
    run = locate("memory://shards/run")
    samples = [Sample("0-0", findings="Clear lungs.")]
    commit_shard(run, "films", 0, {"data/train-00000.parquet": samples}, {})
    assert [sample.id for sample in read(run)] == ["0-0"]
    assert list(committed(run, "films")) == [0]
    assert below(run / "data" / "train-00000.parquet", run) == "data/train-00000.parquet"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("warp://core", "warp://core cannot be opened"),
        ("ftp://me:secret@host/run", "ftp://… holds a password"),
    ],
)
def test_what_cannot_be_opened_is_told_without_secrets(url: str, words: str) -> None:
    with pytest.raises(SyncxrError, match=words) as caught:
        locate(url)
    assert "secret" not in str(caught.value)


def test_a_local_path_is_asked_for_where_only_one_will_do(tmp_path: Path) -> None:
    assert local(tmp_path, "a folder of images") == tmp_path
    with pytest.raises(SyncxrError, match="a folder of images must be on a local path"):
        local(locate("memory://a"), "a folder of images")


def test_reading_many_keeps_their_order() -> None:
    folder = locate("memory://many")
    paths = [folder / f"{index}.txt" for index in range(100)]
    for index, path in enumerate(paths):
        write_text(path, str(index))
    assert at_once(lambda path: int(path.read_text()), paths) == list(range(100))


def test_folders_are_made_where_there_are_any(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
