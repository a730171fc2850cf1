"""Write the split files that ship, and the sha256 of every split that can be computed here.

No film is needed: splits follow from names and labels, which torchxrayvision's label files hold.
Empty files stand in for the films in a temporary folder.

    python scripts/ship_splits.py TEST_LIST

TEST_LIST is ``test_list.txt`` of ChestX-ray14, or a table with a column ``Image Index``.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from syncxr.evaluation.splits.dividing import fraction, fraction_name
from syncxr.evaluation.testsets.tables import read_rows
from syncxr.evaluation.testsets.test_set import TestSet, open_test_set
from syncxr.evaluation.testsets.xrv import label_file

SHIPPED = Path(__file__).parents[1] / "src/syncxr/evaluation/splits/shipped"
SEEDS = (0, 1, 2)
SHARES = (0.01, 0.1)


def main(test_list: Path) -> None:
    """Write everything."""
    ids: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        nih = root / "chestxray14"
        entries = label_file("Data_Entry_2017_v2020.csv.gz")
        stand_ins(nih / "images", (r["Image Index"] for _, r in read_rows(entries, ())))
        (nih / "test_list.txt").write_text("\n".join(listed(test_list)) + "\n")
        rsna = label_file("kaggle_stage_2_train_labels.csv.zip")
        films = {row["patientId"] for _, row in read_rows(rsna, ())}
        stand_ins(root / "rsna/stage_2_train_images", (f"{film}.dcm" for film in films))
        siim = label_file("siim-pneumothorax-train-rle.csv.gz")
        films = {row["ImageId"] for _, row in read_rows(siim, ())}
        stand_ins(root / "siim-acr/dicom-images-train", (f"{film}.dcm" for film in films))
        for name in ("chestxray14", "rsna", "siim-acr"):
            ids |= digests_of(name, root / name)
        test = open_test_set("chestxray14", nih, "test")
        files = {"chestxray14-test.txt.gz": pack("chestxray14-test", patients(test))}
        for seed in SEEDS:
            train = open_test_set("chestxray14", nih, "train", seed)
            part = fraction(train, max(SHARES), seed)
            name = f"chestxray14-train10-seed{seed}"
            files[f"{name}.txt.gz"] = pack(name, patients(part))
    text = json.dumps({"files": files, "ids": ids}, indent=1)
    (SHIPPED / "digests.json").write_text(text + "\n")
    print(f"{len(ids)} digests, {len(files)} files in {SHIPPED}")


def digests_of(name: str, root: Path) -> dict[str, str]:
    """Digest of each split, and of each label fraction of training."""
    ids = {}
    for seed in SEEDS:
        for split in ("test", "train", "valid"):
            opened = open_test_set(name, root, split, seed)
            ids[f"{name}, {split}, seed {seed}"] = opened.digest
            if split == "train":
                for share in SHARES:
                    ids[f"{name}, {fraction_name(split, share, seed)}"] = fraction(
                        opened, share, seed
                    ).digest
    return ids


def patients(test_set: TestSet) -> list[str]:
    """Patients of a split, in the order of their numbers."""
    return sorted({item.patient for item in test_set.items}, key=int)


def pack(name: str, numbers: list[str]) -> str:
    """Write a list of patients; the same bytes every time. Returns the sha256 of the list."""
    data = "".join(f"{number}\n" for number in numbers).encode()
    (SHIPPED / f"{name}.txt.gz").write_bytes(gzip.compress(data, mtime=0))
    return hashlib.sha256(data).hexdigest()


def listed(path: Path) -> list[str]:
    """Film names of a list or of a table."""
    lines = path.read_text().splitlines()
    if "Image Index" not in lines[0]:
        return [line for line in lines if line]
    return [row["Image Index"] for row in csv.DictReader(lines)]


def stand_ins(folder: Path, names: Iterable[str]) -> None:
    """Empty files."""
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).touch()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
