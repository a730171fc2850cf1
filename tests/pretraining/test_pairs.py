"""Pairs from samples, datasets and tables; every fault is named with its row."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from syncxr.dataset.shards import commit_shard
from syncxr.errors import SyncxrError
from syncxr.pretraining.pairs import Pairs
from syncxr.sample import Sample


def film(value: int = 90, shape: tuple[int, int] = (20, 30)) -> np.ndarray:
    return np.full(shape, value, np.uint8)


def table(folder: Path, text: str) -> Path:
    path = folder / "pairs.csv"
    path.write_text(text)
    return path


def test_from_a_table(tmp_path: Path) -> None:
    Pillow.fromarray(film(7)).save(tmp_path / "a.png")
    Pillow.fromarray(film(9)).convert("RGB").save(tmp_path / "b.png")
    pairs = Pairs.from_table(
        table(tmp_path, 'image,text\na.png,Clear lungs.\nb.png,"A nodule, left."\n'), tmp_path
    )
    assert [pair.id for pair in pairs] == ["a.png", "b.png"]
    assert [pair.impression for pair in pairs] == ["Clear lungs.", "A nodule, left."]
    assert [int(pair.image[0, 0]) for pair in pairs] == [7, 9]


def test_sections_and_ids(tmp_path: Path) -> None:
    Pillow.fromarray(film()).save(tmp_path / "a.png")
    path = table(tmp_path, "id,image,findings,impression\np1,a.png,Clear.,Normal.\n")
    (pair,) = Pairs.from_table(path, tmp_path)
    assert (pair.id, pair.findings, pair.impression) == ("p1", "Clear.", "Normal.")


def test_deep_films_use_their_whole_range(tmp_path: Path) -> None:
    deep = np.linspace(0, 4095, 600).reshape(20, 30).astype(np.uint16)
    Pillow.fromarray(deep).save(tmp_path / "a.png")
    (pair,) = Pairs.from_table(table(tmp_path, "image,text\na.png,Clear lungs.\n"), tmp_path)
    assert pair.image.max() == 255 and pair.image.min() == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,text\na.png,x y\n", "needed: image"),
        ("image,caption\na.png,x y\n", "needed: image"),
        ("", "(none)"),
        ("image,text\na.png,\n", "row 2: no text"),
        ("image,text\ngone.png,x y\n", "gone.png is missing"),
        ("image,text\nbroken.png,x y\n", "does not open"),
    ],
)
def test_faults_are_named(tmp_path: Path, text: str, message: str) -> None:
    Pillow.fromarray(film()).save(tmp_path / "a.png")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nrubbish")
    with pytest.raises(SyncxrError) as error:
        Pairs.from_table(table(tmp_path, text), tmp_path)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_table(tmp_path: Path) -> None:
    with pytest.raises(SyncxrError, match="cannot be read"):
        Pairs.from_table(tmp_path / "none.csv", tmp_path)


def test_samples_need_film_and_text() -> None:
    with pytest.raises(SyncxrError, match="s1 has no film"):
        Pairs.from_samples([Sample("s1", findings="Clear lungs.")])
    with pytest.raises(SyncxrError, match="s1 has no text"):
        Pairs.from_samples([Sample("s1", image=film())])


def test_large_films_are_shrunk_with_their_aspect() -> None:
    (pair,) = Pairs.from_samples([Sample("s", findings="Clear lungs.", image=film(5, (1500, 750)))])
    assert pair.image.shape == (512, 256)


def test_fingerprint_sees_every_change() -> None:
    base = Sample("s", findings="Clear lungs.", image=film())
    changed = [
        Sample("t", findings="Clear lungs.", image=film()),
        Sample("s", findings="Clear lung.", image=film()),
        Sample("s", impression="Clear lungs.", image=film()),
        Sample("s", findings="Clear lungs.", image=film(91)),
        Sample("s", findings="Clear lungs.", image=film(90, (30, 20))),
    ]
    prints = {Pairs.from_samples([sample]).fingerprint() for sample in (base, *changed)}
    assert len(prints) == 6
    assert Pairs.from_samples([base]).fingerprint() in prints


def test_shuffled_deals_out_the_same_texts(patches: Pairs) -> None:
    dealt = patches.shuffled(3)
    assert [p.id for p in dealt] == [p.id for p in patches]
    assert sorted(p.findings for p in dealt) == sorted(p.findings for p in patches)
    assert [p.findings for p in dealt] != [p.findings for p in patches]
    assert all(a.image is b.image for a, b in zip(dealt, patches, strict=True))


def test_from_a_dataset(tmp_path: Path) -> None:
    samples = [
        Sample(f"s{i}", findings="A left nodule.", impression="Nodule.", image=film(i))
        for i in range(3)
    ]
    commit_shard(tmp_path, "films", 0, {"dataset/data/train-00000.parquet": samples}, {})
    pairs = Pairs.from_dataset(tmp_path / "dataset")
    assert [(p.id, p.findings, p.impression) for p in pairs] == [
        (f"s{i}", "A left nodule.", "Nodule.") for i in range(3)
    ]
    assert [int(p.image[0, 0]) for p in pairs] == [0, 1, 2]
