"""SIIM-ACR Pneumothorax Segmentation 2019."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from syncxr.corpora.films import film_size
from syncxr.errors import SyncxrError
from syncxr.evaluation.splits.dividing import divide
from syncxr.evaluation.splits.legacy import rows_of_siim
from syncxr.evaluation.testsets.drawn import relative_run_lengths
from syncxr.evaluation.testsets.layout import first_file, index_files
from syncxr.evaluation.testsets.tables import read_rows
from syncxr.evaluation.testsets.test_set import Info, Item, Part, TestSet
from syncxr.evaluation.testsets.xrv import label_file
from syncxr.sample import Mask

FINDING = "pneumothorax"

SHARES = {"train": 0.7, "valid": 0.15, "test": 0.15}
"""Of the films, as GLoRIA and MGCA cut this set (they cut rows)."""

SIDE = 1024
"""Pixels a side of every published film; run lengths mean nothing at another size."""

_TABLES = ("train-rle.csv", "stage_2_train.csv")
_LEGACY = ("legacy-test", "legacy-train", "legacy-valid")


class Siim(TestSet):
    """12,047 films with pneumothorax masks in run lengths.

    torchxrayvision's label file is right and is used where the download's is missing. Its class
    ``SIIM_Pneumothorax_Dataset`` is not: it makes an item of every row, so that a film with n masks
    comes n times; its mask is that of the film's last row alone; ``" -1"`` with the published
    leading space counts as a pneumothorax; and the list of files of the first folder is kept for
    every later one.
    """

    info = Info(
        name="siim-acr",
        title="SIIM-ACR Pneumothorax",
        source="Kaggle, siim-acr-pneumothorax-segmentation",
        citation="SIIM-ACR Pneumothorax Segmentation Challenge, Kaggle 2019",
        licence="Kaggle competition rules: research and education; do not pass on",
        how_to_get="kaggle datasets or competition siim-acr-pneumothorax-segmentation; unzip.",
        parts=(
            Part("films", ("dicom-images-train/*/*/*.dcm", "**/*.dcm")),
            Part("mask table", _TABLES, "torchxrayvision's copy"),
        ),
        counts={"all films": 12_047, "all positive films": 2_669, "all rows": 12_954},
        findings=(FINDING,),
        tasks=("zero-shot", "grounding", "classification", "segmentation"),
        splits=("test", "train", "valid", "all", *_LEGACY),
        notes=(
            "No patient is named: splits and intervals are by film.",
            "Counts are of the stage 2 table; that of stage 1 has 11,582 rows of 10,675 films.",
            "legacy-* is the row-level split of GLoRIA and MGCA, in which test films are also in "
            "training; for comparison with published numbers only.",
        ),
    )

    def __init__(self, root: Path, split: str = "test", seed: int = 0) -> None:
        """Read the table of a split; see :class:`TestSet`."""
        super().__init__(root, split, seed)
        table = first_file(root, _TABLES) or label_file("siim-pneumothorax-train-rle.csv.gz")
        rows = _read(table)
        self._runs: dict[str, list[tuple[str, str]]] = {}
        where_of: dict[str, str] = {}
        for where, film, runs in rows:
            where_of.setdefault(film, where)
            if runs:
                self._runs.setdefault(film, []).append((runs, where))
        self._rows = len(rows)
        files = index_files(root, ("dicom-images-train/**", "**"), (".dcm",))
        items = {
            film: Item(
                id=film,
                path=files.get(f"{film}.dcm", f"{film}.dcm"),
                patient="",
                labels={FINDING: float(film in self._runs)},
                where=where,
            )
            for film, where in where_of.items()
        }
        if split in _LEGACY:
            films = [film for _, film, _ in rows]
            parts = {n: [films[place] for place in p] for n, p in rows_of_siim(len(rows)).items()}
            chosen = [items[film] for film in dict.fromkeys(parts[split])]
            leaked = set(parts["legacy-test"]) & set(parts["legacy-train"])
            self.split_note = (
                f"LEAKY: row-level split of GLoRIA and MGCA; {len(leaked)} of "
                f"{len(set(parts['legacy-test']))} test films are also in training"
            )
        elif split == "all":
            chosen = list(items.values())
        else:
            chosen = list(divide(list(items.values()), SHARES, seed)[split])
            self.split_note = f"drawn by film, seed {seed}"
        self._take(chosen, files)

    @property
    def targets(self) -> tuple[str, ...]:
        """Pneumothorax."""
        return (FINDING,)

    def outlined(self, finding: str) -> tuple[Item, ...]:
        """Positive films."""
        return tuple(i for i in self.items if finding == FINDING and i.id in self._runs)

    def mask(self, item: Item, finding: str) -> Mask | None:
        """All masks of a film together; all False for a negative one."""
        if finding != FINDING:
            return None
        path = self.root / item.path
        size = film_size(path, item.where)
        if size != (SIDE, SIDE):
            raise SyncxrError(
                f"{item.where}: film {path} is {size[0]}×{size[1]}, its mask {SIDE}×{SIDE}; "
                "give the films in their original size"
            )
        mask = np.zeros(size, bool)
        for runs, where in self._runs.get(item.id, ()):
            mask |= relative_run_lengths(runs, size, where)
        return mask

    def counted(self) -> dict[str, int]:
        """What ``check`` compares with the published counts."""
        if self.split != "all":
            return super().counted()
        return {
            **super().counted(),
            "all positive films": int(self.labels(FINDING).sum()),
            "all rows": self._rows,
        }


def _read(table: Path) -> Sequence[tuple[str, str, str]]:
    """Where, film and run lengths (``""`` for none) of every row.

    The column is published as ``" EncodedPixels"`` with a leading space (stage 1) and without one
    (stage 2); no mask is ``" -1"`` or ``"-1"``.
    """
    rows: list[tuple[str, str, str]] = []
    empty: dict[str, bool] = {}
    for where, row in read_rows(table, ("ImageId",)):
        column = next((name for name in row if name.strip() == "EncodedPixels"), None)
        if column is None:
            raise SyncxrError(
                f"{table} lacks the column ' EncodedPixels'; it has {', '.join(row)}; "
                "give the table as it was published"
            )
        film, runs = row["ImageId"].strip(), row[column].strip()
        if not film or not runs:
            raise SyncxrError(f"{where}: an empty cell; an empty mask is -1: fetch it again")
        none = runs == "-1"
        if empty.setdefault(film, none) != none:
            raise SyncxrError(f"{where}: film {film} has a mask and none; fetch the table again")
        rows.append((where, film, "" if none else runs))
    if not rows:
        raise SyncxrError(f"{table} has no rows; fetch it again")
    return rows
