"""RSNA Pneumonia Detection Challenge 2018, stage 2."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from syncxr.corpora.films import film_size
from syncxr.errors import SyncxrError
from syncxr.evaluation.splits.dividing import divide
from syncxr.evaluation.testsets.drawn import Box, filled_boxes, scaled
from syncxr.evaluation.testsets.layout import first_file, index_files
from syncxr.evaluation.testsets.tables import read_columns, read_rows
from syncxr.evaluation.testsets.test_set import Info, Item, Part, TestSet
from syncxr.evaluation.testsets.xrv import label_dataset, label_file
from syncxr.sample import Mask

FINDING = "pneumonia"

SHARES = {"train": 0.7, "valid": 0.15, "test": 0.15}
"""Of the patients, as GLoRIA and MGCA cut this set (they cut films)."""

MAPPING = "pneumonia-challenge-dataset-mappings_2018.json"
"""Published by the RSNA beside the challenge: which NIH film each one is, and so whose."""

BOX_SIDE = 1024
"""Pixels a side of the films that boxes were drawn on."""

_CLASSES = {"Lung Opacity": 1, "Normal": 0, "No Lung Opacity / Not Normal": 0}


class Rsna(TestSet):
    """26,684 frontal films with boxes of possible pneumonia.

    Labels, views and boxes come from torchxrayvision's ``RSNA_Pneumonia_Dataset``, asked for every
    view. Its pixels do not: it does not turn MONOCHROME1 films over. Nor does it know patients: the
    table's ``patientId`` is one of a film, and patients come from the RSNA's mapping to the NIH's
    films, where that lies in the folder. The challenge's own test films have no public labels, so
    all splits are drawn from its training films.
    """

    info = Info(
        name="rsna",
        title="RSNA Pneumonia",
        source="Kaggle, rsna-pneumonia-detection-challenge; mapping from the RSNA",
        citation="Shih G, et al. Radiology: AI 2019. doi:10.1148/ryai.2019180041",
        licence="Kaggle competition rules: research and education; do not pass on",
        how_to_get="kaggle competitions download -c rsna-pneumonia-detection-challenge; unzip. "
        f"{MAPPING} stands on the RSNA's page of the challenge.",
        parts=(
            Part("films", ("stage_2_train_images/*.dcm", "*.dcm")),
            Part("label table", ("stage_2_train_labels.csv",), "torchxrayvision's copy"),
            Part("detailed classes", ("stage_2_detailed_class_info.csv",), "not checked"),
            Part("patients", (MAPPING,), "splits and intervals are by film"),
        ),
        counts={"all films": 26_684, "all positive films": 6_012, "all boxes": 9_555},
        findings=(FINDING,),
        tasks=("zero-shot", "grounding", "classification", "segmentation"),
        splits=("test", "train", "valid", "all"),
        notes=(
            "Films are ChestX-ray14's: a model trained on those has seen these patients.",
            "A box is a lung opacity that may be pneumonia.",
        ),
    )

    def __init__(self, root: Path, split: str = "test", seed: int = 0) -> None:
        """Read the tables of a split; see :class:`TestSet`."""
        super().__init__(root, split, seed)
        own = first_file(root, ["stage_2_train_labels.csv"])
        table = own or label_file("kaggle_stage_2_train_labels.csv.zip")
        read_columns(table, ("patientId", "x", "y", "width", "height", "Target"))
        labels = label_dataset(
            "RSNA_Pneumonia_Dataset",
            table,
            imgpath=str(root),
            csvpath=str(table),
            extension=".dcm",
        )
        self._boxes = _boxes(labels.raw_csv, table)
        patients = _patients(root / MAPPING)
        files = index_files(root, ("stage_2_train_images", "."), (".dcm",))
        items = _items(labels, table, files, patients)
        _check_classes(root / "stage_2_detailed_class_info.csv", items)
        by = "patient" if patients else f"film ({MAPPING} is missing)"
        self.split_note = "" if split == "all" else f"drawn by {by}, seed {seed}"
        self._take(items if split == "all" else divide(items, SHARES, seed)[split], files)

    @property
    def targets(self) -> tuple[str, ...]:
        """Pneumonia."""
        return (FINDING,)

    def outlined(self, finding: str) -> tuple[Item, ...]:
        """Positive films; each has a box."""
        return tuple(i for i in self.items if finding == FINDING and i.id in self._boxes)

    def mask(self, item: Item, finding: str) -> Mask | None:
        """Filled boxes; all False for a negative film."""
        if finding != FINDING:
            return None
        size = film_size(self.root / item.path, item.where)
        return filled_boxes(scaled(self._boxes.get(item.id, []), BOX_SIDE, size), size, item.where)

    def counted(self) -> dict[str, int]:
        """What ``check`` compares with the published counts."""
        if self.split != "all":
            return super().counted()
        positive = int(np.nansum(self.labels(FINDING)))
        boxes = sum(len(boxes) for boxes in self._boxes.values())
        return {**super().counted(), "all positive films": positive, "all boxes": boxes}


def _boxes(csv: Any, table: Path) -> dict[str, list[Box]]:
    """Film to boxes, after checking that every row agrees with itself and its film."""
    boxes: dict[str, list[Box]] = {}
    target_of: dict[str, float] = {}
    rows = zip(csv.patientId, csv.x, csv.y, csv.width, csv.height, csv.Target, strict=True)
    for number, (film, *box, target) in enumerate(rows, start=2):
        where = f"{table}, row {number}"
        if target not in (0, 1):
            raise SyncxrError(f"{where}: 'Target' is {target!r}; a label is 1 or 0: fetch it again")
        if target_of.setdefault(film, target) != target or np.isfinite(box).all() != bool(target):
            raise SyncxrError(
                f"{where}: film {film} has Target {target} and "
                f"{'a' if np.isfinite(box).all() else 'no'} box, against itself or an earlier row; "
                "fetch the table again"
            )
        if target:
            x, y, width, height = map(float, box)
            boxes.setdefault(film, []).append((x, y, width, height))
    return boxes


def _items(
    labels: Any, table: Path, files: Mapping[str, str], patients: Mapping[str, str]
) -> list[Item]:
    csv = labels.csv
    row_of: dict[str, int] = {}
    for number, film in enumerate(labels.raw_csv.patientId, start=2):
        row_of.setdefault(film, number)
    column = labels.pathologies.index("Pneumonia")
    items = []
    for film, view, values in zip(csv.patientId, csv["view"], labels.labels, strict=True):
        where = f"{table}, row {row_of[film]}"
        if patients and film not in patients:
            raise SyncxrError(f"{where}: {MAPPING} lacks film {film}; fetch it again")
        items.append(
            Item(
                id=film,
                path=files.get(f"{film}.dcm", f"stage_2_train_images/{film}.dcm"),
                patient=patients.get(film, ""),
                labels={FINDING: float(values[column])},
                view="" if view == "UNKNOWN" else str(view),
                where=where,
            )
        )
    return items


def _patients(mapping: Path) -> dict[str, str]:
    """Film to NIH patient; empty without the mapping."""
    if not mapping.is_file():
        return {}
    try:
        rows = json.loads(mapping.read_text("utf-8"))
        return {row["subset_img_id"]: row["img_id"].split("_")[0] for row in rows}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SyncxrError(
            f"{mapping} is not the RSNA's list ({error!r}); fetch it again"
        ) from error


def _check_classes(table: Path, items: list[Item]) -> None:
    """Refuse detailed classes that contradict the labels."""
    if not table.is_file():
        return
    label = {item.id: item.labels[FINDING] for item in items}
    for where, row in read_rows(table, ("patientId", "class")):
        film, kind = row["patientId"], row["class"]
        if kind not in _CLASSES or label.get(film) != _CLASSES[kind]:
            raise SyncxrError(
                f"{where}: film {film} is {kind!r} but has the label {label.get(film)}; "
                "fetch both tables again"
            )
