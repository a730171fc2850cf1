"""What ships is what it says, and what the recipe gives."""

import gzip
from pathlib import Path

import pytest

from syncxr.errors import SyncxrError
from syncxr.evaluation.splits import shipped
from syncxr.evaluation.splits.dividing import divide, fraction
from syncxr.evaluation.splits.shipped import digests, shipped_patients
from syncxr.evaluation.testsets.chestxray14 import SHARES, ChestXray14, table_items
from syncxr.evaluation.testsets.test_set import ids_digest
from syncxr.evaluation.testsets.xrv import label_file


def test_files_are_those_of_the_digests() -> None:
    for name in digests()["files"]:
        assert shipped_patients(*name.removesuffix(".txt.gz").split("-", 1))


def test_a_changed_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = tmp_path / "chestxray14-test.txt.gz"
    changed.write_bytes(gzip.compress(b"1\n2\n"))
    known = digests()
    monkeypatch.setattr(shipped, "_FOLDER", tmp_path)
    monkeypatch.setattr(shipped, "digests", lambda: known)
    shipped_patients.cache_clear()
    with pytest.raises(SyncxrError, match="not the file that was shipped"):
        shipped_patients("chestxray14", "test")
    with pytest.raises(SyncxrError, match="no split 'test' of 'rsna'"):
        shipped_patients("rsna", "test")


@pytest.mark.slow
def test_the_recipe_gives_the_shipped_splits_of_chestxray14(tmp_path: Path) -> None:
    """On the published table of 112,120 films, which torchxrayvision brings."""
    shipped_patients.cache_clear()
    items = table_items(tmp_path, label_file("Data_Entry_2017_v2020.csv.gz"))
    test = shipped_patients("chestxray14", "test")
    counts = ChestXray14.info.counts
    held_out = [item for item in items if item.patient in test]
    assert len(test) == counts["test patients"] and len(held_out) == counts["test films"]
    assert ids_digest(i.id for i in held_out) == digests()["ids"]["chestxray14, test, seed 0"]
    rest = [item for item in items if item.patient not in test]
    assert len(rest) == counts["train and valid films"]
    parts = divide(rest, SHARES, 0)
    for split, part in parts.items():
        assert ids_digest(i.id for i in part) == digests()["ids"][f"chestxray14, {split}, seed 0"]
        assert not {item.patient for item in part} & test
    assert not {i.patient for i in parts["train"]} & {i.patient for i in parts["valid"]}
    ten = _fraction(parts["train"], 0.1)
    assert ten == shipped_patients("chestxray14", "train10-seed0")
    assert _fraction(parts["train"], 0.01) < ten


def _fraction(items: tuple, share: float) -> frozenset[str]:
    whole = ChestXray14.__new__(ChestXray14)
    whole.items, whole.split = items, "train"
    return frozenset(item.patient for item in fraction(whole, share, 0).items)
