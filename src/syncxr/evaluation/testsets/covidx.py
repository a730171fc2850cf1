"""COVIDx CXR-2."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from syncxr.errors import SyncxrError
from syncxr.evaluation.splits.dividing import divide
from syncxr.evaluation.testsets.layout import index_files
from syncxr.evaluation.testsets.tables import read_lines
from syncxr.evaluation.testsets.test_set import Info, Item, Part, TestSet

FINDING = "covid-19"

SHARES = {"train": 0.9, "valid": 0.1}
"""Of the patients of ``train.txt``; the set has no validation list."""

_LABELS = {"positive": 1.0, "negative": 0.0}
_ENDINGS = (".png", ".jpg", ".jpeg")


class Covidx(TestSet):
    """COVID-19 against everything else, gathered from seven sources.

    The lists have no header: patient, file, ``positive`` or ``negative``, source, with spaces
    between them. torchxrayvision has no class for this set.
    """

    info = Info(
        name="covidx-cxr2",
        title="COVIDx CXR-2",
        source="Kaggle, andyczhao/covidx-cxr2",
        citation="Pavlova M, et al. COVID-Net CXR-2. Frontiers in Medicine 2022. arXiv:2105.06640",
        licence="of each source; research use",
        how_to_get="Kaggle dataset andyczhao/covidx-cxr2. Later versions are CXR-3 and CXR-4 and "
        "have other lists: their numbers are not comparable.",
        parts=(
            Part("training films", ("train/*.[pj][np]*g",)),
            Part("test films", ("test/*.[pj][np]*g",)),
            Part("training list", ("train.txt",)),
            Part("test list", ("test.txt",)),
        ),
        counts={"test films": 400, "test positive films": 200, "train and valid films": 15_951},
        findings=(FINDING,),
        tasks=("zero-shot", "classification"),
        splits=("test", "train", "valid"),
        notes=(
            "Positive and negative films come from different sources, which a model can tell apart "
            "without seeing any disease.",
            "The counts are recalled from the paper and were not verified here.",
            "A re-cut of this set in public code (20,990 / 2,969 films, cut by film) has 541 "
            "patients in both parts; it is not offered.",
        ),
    )

    def __init__(self, root: Path, split: str = "test", seed: int = 0) -> None:
        """Read the lists of a split; see :class:`TestSet`."""
        super().__init__(root, split, seed)
        test, test_files = _read(root, "test")
        train, train_files = _read(root, "train")
        if both := sorted({item.id for item in test} & {item.id for item in train}):
            raise SyncxrError(f"{root}: train.txt and test.txt both name {both[0]}; fetch both")
        patients = {item.patient for item in test}
        leaked = [item for item in train if item.patient in patients]
        self.split_note = "official lists, no patient in both"
        if leaked:
            both_lists = len({item.patient for item in leaked})
            self.split_note = (
                f"official lists; {both_lists} patients are in both and left out of training"
            )
        if split == "test":
            self._take(test, test_files)
        else:
            self.split_note += f"; train and valid by patient, seed {seed}"
            own = [item for item in train if item.patient not in patients]
            self._take(divide(own, SHARES, seed)[split], train_files)
            if split == "train":
                reason = "its patient is in test.txt"
                self.left_out = {**self.left_out, **{item.id: reason for item in leaked}}

    def counted(self) -> dict[str, int]:
        """What ``check`` compares with the published counts."""
        if self.split != "test":
            return super().counted()
        positive = int(self.labels(FINDING).sum())
        return {**super().counted(), "test positive films": positive}


def _read(root: Path, part: str) -> tuple[list[Item], Mapping[str, str]]:
    """Films of a list, and what lies in its folder."""
    table = root / f"{part}.txt"
    files = index_files(root, (part,), _ENDINGS)
    items: dict[str, Item] = {}
    for number, line in enumerate(read_lines(table), start=1):
        where = f"{table}, row {number}"
        cells = line.split(" ")
        label = cells[-2].lower() if len(cells) >= 4 else ""
        if label not in _LABELS:
            raise SyncxrError(
                f"{where}: {line[:60]!r} is not patient, file, positive or negative, source with "
                "spaces between them; give the list of the two-class set"
            )
        # Some file names have spaces of their own.
        file = " ".join(cells[1:-2])
        if file in items:
            raise SyncxrError(f"{where}: film {file} stands already at {items[file].where}")
        items[file] = Item(
            id=file,
            path=files.get(file, f"{part}/{file}"),
            # Numbers are reused by the sources.
            patient=f"{cells[-1]} {cells[0]}",
            labels={FINDING: _LABELS[label]},
            where=where,
        )
    return list(items.values()), files
