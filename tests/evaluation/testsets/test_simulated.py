"""Simulated datasets as test sets: what the renderer put in, its masks, one shadow of two names."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from film_files import pixels

from syncxr.dataset.schema import to_table
from syncxr.evaluation.testsets.simulated import Simulated, shown
from syncxr.evaluation.testsets.test_set import open_test_set
from syncxr.sample import Category, Entity, Polarity, Sample


def finding(concept: str, location: str = "", polarity: Polarity = Polarity.PRESENT) -> Entity:
    absent = polarity is Polarity.ABSENT
    kind = Category.NON_ABNORMALITY if absent else Category.ABNORMALITY
    return Entity(concept, kind, polarity, location)


def mask(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random((64, 64)) > 0.8


EFFUSION, OPACITY = finding("pleural effusion", "left"), finding("opacity", "right")
SECOND, CONSOLIDATION = finding("pleural effusion", "right"), finding("consolidation")
NODULE, DENIED = finding("nodule"), finding("nodule", polarity=Polarity.ABSENT)
HEART = Entity("heart", Category.ANATOMY, Polarity.ABSENT)

PLAN = {
    "both sides": ((EFFUSION, SECOND), (EFFUSION, SECOND), (EFFUSION, SECOND)),
    "opacity": ((OPACITY, HEART), (OPACITY,), (OPACITY,)),
    "consolidation": ((CONSOLIDATION,), (CONSOLIDATION,), (CONSOLIDATION,)),
    "not shown": ((NODULE,), (), ()),
    "no mask": ((NODULE,), (NODULE,), ()),
    "denied": ((DENIED, HEART), (DENIED,), ()),
}
"""Film to what it was asked for, what the renderer put in, and what has a mask."""


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    samples = [
        Sample(
            f"9000-{place:07d}",
            asked,
            findings=name,
            image=pixels(place),
            masks={str(entity): mask(place * 10 + n) for n, entity in enumerate(masked)},
            provenance={"film": {"shown": [str(entity) for entity in put]}},
        )
        for place, (name, (asked, put, masked)) in enumerate(PLAN.items())
    ]
    (tmp_path / "dataset/data").mkdir(parents=True)
    pq.write_table(to_table(samples[:4]), tmp_path / "dataset/data/000000.parquet")
    pq.write_table(to_table(samples[4:]), tmp_path / "dataset/data/000001.parquet")
    return tmp_path


def test_labels_are_what_the_renderer_put_in(dataset: Path) -> None:
    for path in (dataset, dataset / "dataset"):
        read = open_test_set("simulated", path)
        assert read.findings == ("consolidation", "nodule", "opacity", "pleural effusion")
        assert list(read.labels("pleural effusion")) == [1, 0, 0, 0, 0, 0]
        assert list(read.labels("nodule")) == [0, 0, 0, 0, 1, 0]
        assert np.array_equal(read.labels("opacity"), [0, 1, np.nan, 0, 0, 0], equal_nan=True)
        assert np.array_equal(read.labels("consolidation"), [0, np.nan, 1, 0, 0, 0], equal_nan=True)
    assert read.name == "held-out simulated set (6 films)" and not read.by_patient


def test_films_and_masks(dataset: Path) -> None:
    read = open_test_set("simulated", dataset)
    assert read.targets == ("consolidation", "opacity", "pleural effusion")
    for place, item in enumerate(read.items):
        assert np.array_equal(read.film(item), pixels(place))
        assert (read.root / item.path).is_file()
    both = read.mask(read.items[0], "pleural effusion")
    assert both is not None and np.array_equal(both, mask(0) | mask(1))
    assert not read.mask(read.items[1], "pleural effusion").any()
    assert read.mask(read.items[4], "nodule") is None  # shown, but the renderer kept no mask
    assert read.mask(read.items[2], "opacity") is None  # unlabelled
    assert [item.id for item in read.outlined("opacity")] == ["9000-0000001"]
    assert read.outlined("nodule") == ()


def test_parts_share_no_film(dataset: Path) -> None:
    parts = [open_test_set("simulated", dataset, split) for split in ("train", "valid", "test")]
    ids = [item.id for part in parts for item in part.items]
    assert sorted(ids) == [f"9000-{place:07d}" for place in range(6)]


def test_shown() -> None:
    provenance = {"film": {"shown": [str(EFFUSION)]}}
    assert shown((EFFUSION, OPACITY), provenance) == {"pleural effusion"}


def test_faults(dataset: Path, refused: Callable[..., str]) -> None:
    empty = dataset / "none"
    empty.mkdir()
    assert "holds no films" in refused(open_test_set, "simulated", empty)
    drafted = Sample("0000-0000001", (EFFUSION,), image=pixels(0))
    pq.write_table(to_table([drafted]), empty / "a.parquet")
    assert "does not say what it shows" in refused(open_test_set, "simulated", empty)
    (empty / "a.parquet").write_bytes(b"PAR1 broken PAR1")
    assert "cannot be read as a shard" in refused(open_test_set, "simulated", empty)
    import pyarrow as pa

    pq.write_table(pa.table({"text": ["a"]}), empty / "a.parquet")
    assert "is no shard of a dataset" in refused(open_test_set, "simulated", empty)


def test_it_reads_what_the_factory_makes(tmp_path: Path) -> None:
    from syncxr.evaluation.testsets.making import SimulatedOptions, make

    read = Simulated(make(SimulatedOptions(films=8), tmp_path))
    assert len(read) == 8 and read.targets
    for target in read.targets:
        for item in read.outlined(target):
            found = read.mask(item, target)
            assert found is not None and found.any() and found.shape == read.film(item).shape
