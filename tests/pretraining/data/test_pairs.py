"""Pairs from samples and datasets; every fault is named with its sample."""

from pathlib import Path

import numpy as np
import pytest

from syncxr.dataset.shards import commit_shard
from syncxr.errors import SyncxrError
from syncxr.pretraining.data.pairs import Pairs
from syncxr.sample import Sample


def film(value: int = 90, shape: tuple[int, int] = (20, 30)) -> np.ndarray:
    return np.full(shape, value, np.uint8)


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
