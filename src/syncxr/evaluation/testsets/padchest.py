"""PadChest: the part that physicians labelled, by three lists of findings."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from syncxr.errors import SyncxrError
from syncxr.evaluation.findings import finding_of
from syncxr.evaluation.testsets.layout import first_file, index_files
from syncxr.evaluation.testsets.padchest_lists import KINDS_OF, KNOWN_BROKEN, RARE, SEEN, UNSEEN
from syncxr.evaluation.testsets.tables import read_rows
from syncxr.evaluation.testsets.test_set import Info, Item, Part, TestSet
from syncxr.evaluation.testsets.xrv import label_file

_TABLE = "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv"
_NEEDED = ("ImageID", "ImageDir", "PatientID", "Projection", "MethodLabel", "Labels")
_FOLDERS = ("[0-9]*", "images/[0-9]*", "images", ".")


def _names(labels: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(finding_of(label) or label.lower() for label in labels)


def _info(kind: str, labels: tuple[str, ...], note: str) -> Info:
    return Info(
        name=f"padchest-{kind}",
        title=f"PadChest-{kind}",
        source="BIMCV, bimcv.cipf.es/bimcv-projects/padchest",
        citation="Bustos A, et al. Medical Image Analysis 2020. arXiv:1901.07441",
        licence="PadChest research use agreement: do not pass on",
        how_to_get="Ask BIMCV for access; fetch the zips 0 to 54 and the table; unpack them.",
        parts=(
            Part("films, 16 bit", ("[0-9]*/*.png", "images/[0-9]*/*.png", "images/*.png", "*.png")),
            Part("label table", (_TABLE, f"{_TABLE}.gz"), "torchxrayvision's copy"),
        ),
        counts={"test films": 39_053, "test patients": 24_491},
        findings=_names(labels),
        tasks=("zero-shot",),
        known_broken=KNOWN_BROKEN,
        notes=(
            note,
            "A film is positive for a label and for its kinds: laminar atelectasis is atelectasis.",
            "All projections, as published; lateral films are 12,608 of the 39,053.",
            "39,053 is the number of films; they are of 26,413 studies.",
        ),
    )


class PadChest(TestSet):
    """Films whose ``MethodLabel`` is ``Physician``; 16-bit films are divided by their own maximum.

    torchxrayvision's label file is right and is used where the download's is missing, and so is its
    list of broken files. Its class ``PC_Dataset`` is not: it looks for label names inside the text
    of all labels ("pseudonodule" is then a nodule, "subcutaneous emphysema" emphysema, and
    "consolidation" an infiltration), drops children and unlabelled films in silence, mixes
    physicians' labels with a network's, and scales by 65,535, which leaves 12-bit films black.
    """

    labels_scored: ClassVar[tuple[str, ...]]

    def __init__(self, root: Path, split: str = "test", seed: int = 0) -> None:
        """Read the table; see :class:`TestSet`."""
        super().__init__(root, split, seed)
        table = first_file(root, (_TABLE, f"{_TABLE}.gz")) or label_file(f"{_TABLE}.gz")
        files = index_files(root, _FOLDERS, (".png",))
        items = []
        seen: set[str] = set()
        for where, row in read_rows(table, _NEEDED, only=True):
            if row["MethodLabel"] != "Physician":
                continue
            if row["ImageID"] in seen:
                raise SyncxrError(f"{where}: film {row['ImageID']} stands twice; fetch it again")
            seen.add(row["ImageID"])
            items.append(self._item(row, where, files))
        if not items:
            raise SyncxrError(f"{table} has no row labelled by a Physician; fetch it again")
        self.split_note = "labelled by physicians"
        self._take(items, files)

    def _item(self, row: Mapping[str, str], where: str, files: Mapping[str, str]) -> Item:
        own = _labels(row["Labels"], where)
        return Item(
            id=row["ImageID"],
            path=files.get(row["ImageID"], f"{row['ImageDir']}/{row['ImageID']}"),
            patient=row["PatientID"],
            labels={
                finding: float(bool(own & {label, *KINDS_OF.get(label, ())}))
                for finding, label in zip(self.info.findings, self.labels_scored, strict=True)
            },
            view=row["Projection"],
            where=where,
        )


class PadChestSeen(PadChest):
    """The common findings."""

    labels_scored = SEEN
    info = _info(
        "seen",
        SEEN,
        "MAVL's list of 14 without 'normal', which denies findings and is none itself: published "
        "averages hold it too.",
    )


class PadChestUnseen(PadChest):
    """Findings absent from the label sets that models were trained with."""

    labels_scored = UNSEEN
    info = _info("unseen", UNSEEN, "MAVL's list: 26 findings and the 39 rare ones, 60 together.")


class PadChestRare(PadChest):
    """The tail."""

    labels_scored = RARE
    info = _info("rare", RARE, "MAVL's list of 39, among them findings on 1 to 10 films.")


def _labels(cell: str, where: str) -> set[str]:
    """Labels of a film; the table writes a Python list, with blanks and empty names here and there.

    Raises:
        SyncxrError: It is no such list.
    """
    try:
        found = ast.literal_eval(cell)
    except (ValueError, SyntaxError):
        found = None
    if not isinstance(found, list) or not all(isinstance(label, str) for label in found):
        raise SyncxrError(f"{where}: 'Labels' is {cell[:60]!r}, which is no list; fetch it again")
    return {label.strip() for label in found} - {""}
