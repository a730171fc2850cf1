"""ChestX-ray14 of the NIH."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from syncxr.corpora.films import film_size
from syncxr.errors import SyncxrError
from syncxr.evaluation.findings import NORMAL, finding_of
from syncxr.evaluation.splits.dividing import divide
from syncxr.evaluation.splits.shipped import shipped_patients
from syncxr.evaluation.testsets.drawn import Box, filled_boxes, scaled
from syncxr.evaluation.testsets.layout import first_file, index_files
from syncxr.evaluation.testsets.tables import read_columns, read_lines
from syncxr.evaluation.testsets.test_set import Info, Item, Part, TestSet
from syncxr.evaluation.testsets.xrv import label_dataset, label_file
from syncxr.sample import Mask

LABELS = (
    "Atelectasis",
    "Cardiomegaly",
    "Effusion",
    "Infiltration",
    "Mass",
    "Nodule",
    "Pneumonia",
    "Pneumothorax",
    "Consolidation",
    "Edema",
    "Emphysema",
    "Fibrosis",
    "Pleural_Thickening",
    "Hernia",
)
"""As the table writes them, in the order of the paper."""

SHARES = {"train": 0.875, "valid": 0.125}
"""Of the patients of the official training and validation list: 70 / 10 / 20 with the test list."""

BOX_SIDE = 1024
"""Pixels a side of the films that boxes were drawn on."""

_TABLES = ("Data_Entry_2017_v2020.csv", "Data_Entry_2017.csv")
_NEEDED = ("Image Index", "Finding Labels", "Patient ID", "Patient Age", "View Position")


class ChestXray14(TestSet):
    """112,120 frontal films of 30,805 patients, 14 text-mined findings, boxes on 880 films.

    Labels, views and boxes come from torchxrayvision's ``NIH_Dataset``, asked for every view and
    every film of a patient (by default it keeps one film a patient and PA only). Its pixels do not:
    it looks in one flat folder, while the download has twelve. Nor has it the official split.
    """

    info = Info(
        name="chestxray14",
        title="ChestX-ray14",
        source="NIH Clinical Center, nihcc.app.box.com/v/ChestXray-NIHCC",
        citation="Wang X, et al. ChestX-ray8. CVPR 2017. arXiv:1705.02315",
        licence="free use; acknowledge the NIH Clinical Center and cite the paper",
        how_to_get="Fetch all files of the Box folder and unpack images_001 to images_012.",
        parts=(
            Part("films", ("images_*/images/*.png", "images/*.png", "*.png")),
            Part("label table", _TABLES, "torchxrayvision's copy"),
            Part("test list", ("test_list.txt",), "the shipped list of test patients"),
            Part("training list", ("train_val_list.txt",), "all films but the test list's"),
            Part("box table", ("BBox_List_2017.csv",), "torchxrayvision's copy"),
        ),
        counts={
            "films": 112_120,
            "test films": 25_596,
            "test patients": 2_797,
            "train and valid films": 86_524,
            "train and valid patients": 28_008,
            "test boxes": 984,
        },
        findings=tuple(finding_of(label) or label.lower() for label in LABELS),
        tasks=("zero-shot", "grounding", "classification"),
        splits=("test", "train", "valid"),
        notes=(
            "Labels are text-mined: about one in ten is wrong (Wang et al.).",
            "Boxes are drawn on test films only; a film without one was shown to nobody.",
        ),
    )

    def __init__(self, root: Path, split: str = "test", seed: int = 0) -> None:
        """Read the tables of a split; see :class:`TestSet`."""
        super().__init__(root, split, seed)
        table = first_file(root, _TABLES) or label_file("Data_Entry_2017_v2020.csv.gz")
        boxes = first_file(root, ["BBox_List_2017.csv"]) or label_file("BBox_List_2017.csv.gz")
        times = tuple(path.stat().st_mtime_ns for path in (table, boxes))
        everything, self._boxes = _tables(root, table, boxes, times)
        self.films_in_table = len(everything)
        files = index_files(root, ("images_*/images", "images", "."), (".png",))
        test, self.split_note = _official_test(root, everything)
        if split == "test":
            chosen = [item for item in everything if item.id in test]
        else:
            rest = [item for item in everything if item.id not in test]
            chosen = list(divide(rest, SHARES, seed)[split])
            self.split_note += f"; train and valid by patient, seed {seed}"
        placed = [replace(item, path=files.get(item.id, item.id)) for item in chosen]
        self._take(placed, files)

    @property
    def targets(self) -> tuple[str, ...]:
        """The eight findings with boxes."""
        return tuple(f for f in self.findings if any(f == found for _, found in self._boxes))

    def outlined(self, finding: str) -> tuple[Item, ...]:
        """Films with a box of the finding."""
        return tuple(item for item in self.items if (item.id, finding) in self._boxes)

    def mask(self, item: Item, finding: str) -> Mask | None:
        """Filled boxes, scaled where the film was resized; None where nobody drew."""
        boxes = self._boxes.get((item.id, finding))
        if boxes is None:
            return None
        size = film_size(self.root / item.path, item.where)
        return filled_boxes(scaled(boxes, BOX_SIDE, size), size, item.where)

    def counted(self) -> dict[str, int]:
        """What ``check`` compares with the published counts."""
        named = {"films": self.films_in_table}
        if self.split == "test":
            named["test boxes"] = sum(map(len, self._boxes.values()))
        return {**super().counted(), **named}


def table_items(root: Path, table: Path) -> list[Item]:
    """Every film of a label table, whether or not it lies below ``root``."""
    return _items(_labels(root, table, label_file("BBox_List_2017.csv.gz")), table)


@lru_cache(maxsize=1)
def _tables(
    root: Path, table: Path, boxes: Path, _times: tuple[int, ...]
) -> tuple[list[Item], dict[tuple[str, str], list[Box]]]:
    """Films and boxes of all splits: a suite opens several of them, and reading takes seconds."""
    labels = _labels(root, table, boxes)
    return _items(labels, table), _boxes(labels.pathology_maskscsv, boxes)


def _labels(root: Path, table: Path, boxes: Path) -> Any:
    """Both tables as torchxrayvision reads them."""
    read_columns(table, _NEEDED)
    labels = label_dataset(
        "NIH_Dataset",
        table,
        imgpath=str(root),
        csvpath=str(table),
        bbox_list_path=str(boxes),
        unique_patients=False,
    )
    _check_labels(labels.csv, table)
    return labels


def _check_labels(csv: Any, table: Path) -> None:
    """Refuse labels that torchxrayvision would pass over in silence."""
    known = {*LABELS, "No Finding"}
    for row, cell in enumerate(csv["Finding Labels"], start=2):
        for label in str(cell).split("|"):
            if label not in known:
                raise SyncxrError(
                    f"{table}, row {row}: label {label!r} is none of the 14 nor 'No Finding'; "
                    "fetch the table again"
                )


def _boxes(csv: Any, table: Path) -> dict[tuple[str, str], list[Box]]:
    """Film and finding to boxes; torchxrayvision has read past the odd header."""
    boxes: dict[tuple[str, str], list[Box]] = {}
    rows = zip(csv["Image Index"], csv["Finding Label"], csv.x, csv.y, csv.w, csv.h, strict=True)
    for number, (film, label, x, y, width, height) in enumerate(rows, start=2):
        finding = finding_of(str(label))
        if not finding or finding == NORMAL:
            raise SyncxrError(f"{table}, row {number}: label {label!r} is unknown; fetch it again")
        box = (float(x), float(y), float(width), float(height))
        boxes.setdefault((film, finding), []).append(box)
    return boxes


def _items(labels: Any, table: Path) -> list[Item]:
    """Films, by their names; where they lie is another matter."""
    names = [finding_of(label) or label.lower() for label in labels.pathologies]
    csv = labels.csv
    rows = zip(csv["Image Index"], csv["Patient ID"], csv["view"], labels.labels, strict=True)
    return [
        Item(
            id=film,
            path=film,
            patient=str(patient),
            labels=dict(zip(names, map(float, values), strict=True)),
            view=str(view),
            where=f"{table}, row {number}",
        )
        for number, (film, patient, view, values) in enumerate(rows, start=2)
    ]


def _official_test(root: Path, items: list[Item]) -> tuple[set[str], str]:
    """Films of the official test list and where it came from."""
    path = root / "test_list.txt"
    if not path.is_file():
        patients = shipped_patients("chestxray14", "test")
        return {i.id for i in items if i.patient in patients}, "official test patients as shipped"
    test = set(read_lines(path))
    known = {item.id for item in items}
    if unknown := sorted(test - known):
        raise SyncxrError(f"{path} names {unknown[0]}, which the table lacks; fetch both again")
    other = root / "train_val_list.txt"
    if other.is_file() and (both := sorted(test & set(read_lines(other)))):
        raise SyncxrError(f"{other} and {path} both name {both[0]}; fetch both again")
    patients_of = {item.patient for item in items if item.id in test}
    leak = next((i for i in items if i.patient in patients_of and i.id not in test), None)
    if leak is not None:
        raise SyncxrError(
            f"{path} has films of patient {leak.patient}, but not {leak.id}; the official list "
            "shares no patient with training: fetch it again"
        )
    return test, "official test list"
