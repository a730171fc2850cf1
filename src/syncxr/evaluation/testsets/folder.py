"""Any folder of films with a table: a hospital's own test set."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from syncxr.corpora.films import film_size
from syncxr.errors import SyncxrError
from syncxr.evaluation.findings import NORMAL, finding_of, known_findings
from syncxr.evaluation.splits.dividing import divide
from syncxr.evaluation.testsets.drawn import Box, filled_boxes, mask_file
from syncxr.evaluation.testsets.tables import label_value, read_columns, read_rows
from syncxr.evaluation.testsets.test_set import Info, Item, Part, TestSet
from syncxr.sample import Mask

SHARES = {"train": 0.6, "valid": 0.2, "test": 0.2}
"""Of the patients, where the table has no column ``split``."""

_SPLIT_NAMES = {"train": "train", "valid": "valid", "val": "valid", "test": "test"}


class Folder(TestSet):
    """Films of one's own, with what is said of them in ``labels.csv``.

    ==============  ===========================================================================
    ``file``        or ``image``: the film, relative to the folder. Needed, unique.
    ``labels``      findings with ``|`` between them; blank or ``No Finding`` is a normal film.
    a finding       instead of ``labels``, a column a finding: 1, 0 or blank (unlabelled).
                    ``label:NAME`` where the finding is not a known one.
    ``patient``     who it is of; splits and intervals are then by patient.
    ``view``        its projection.
    ``bbox``        ``Label:x,y,w,h;…`` in pixels of the film.
    ``mask``        mask file of the film's size, relative to the folder: of the only finding
                    of the table, or else of a target called ``mask``. ``mask:NAME`` names it.
    ``split``       ``train``, ``valid`` or ``test``; drawn by patient where it is missing.
    ==============  ===========================================================================

    torchxrayvision has no class for such folders.
    """

    info = Info(
        name="folder",
        title="folder",
        source="your own films",
        citation="",
        licence="as you hold them",
        how_to_get="Put labels.csv beside your films.",
        parts=(Part("table", ("labels.csv",)),),
        counts={},
        findings=(),
        tasks=("zero-shot", "grounding", "classification", "segmentation"),
        splits=("all", "train", "valid", "test"),
    )

    def __init__(
        self, root: Path, split: str = "all", seed: int = 0, table: Path | None = None
    ) -> None:
        """Read the table.

        Args:
            root: Folder of the films; or the table itself, with its films beside it.
            split: One of ``info.splits``.
            seed: Of the split, where the table has no column ``split``.
            table: The table, if it is not ``labels.csv`` in ``root``.

        Raises:
            SyncxrError: A column, film or mask is missing; a label or box is not understood; a
                film stands in two rows or a patient in two splits.
        """
        if table is None:
            root, table = (root.parent, root) if root.is_file() else (root, root / "labels.csv")
        super().__init__(root, split, seed)
        self._table = table
        self._boxes: dict[tuple[str, str], list[Box]] = {}
        self._masks: dict[tuple[str, str], str] = {}
        columns = _Columns(table, read_columns(table))
        rows = list(read_rows(table, ()))
        if not rows:
            raise SyncxrError(f"{table} has no rows; nothing to evaluate")
        self._findings = columns.findings(rows)
        found = [self._item(where, row, columns) for where, row in rows]
        self._refuse_twice(found)
        if any("split" in row for _, row in rows):
            parts = _named_parts(rows, found)
            self.split_note = f"as the column 'split' of {table.name} says" * (split != "all")
        else:
            parts = {"all": tuple(found)}
            if split != "all":
                parts |= divide(found, SHARES, seed)
                self.split_note = f"drawn by patient where named, seed {seed}"
        if not parts.get(split):
            raise SyncxrError(f"{table} has no row of the split {split!r}")
        self.items = parts[split]

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.root.resolve().name

    @property
    def findings(self) -> tuple[str, ...]:
        """Findings of the table."""
        return self._findings

    @property
    def targets(self) -> tuple[str, ...]:
        """What has boxes or masks."""
        return tuple(sorted({target for _, target in (*self._boxes, *self._masks)}))

    @property
    def outlines_from(self) -> tuple[Path, ...]:
        """The table and the mask files: other files may come and go among the films."""
        return (self._table, *(self.root / path for path in sorted({*self._masks.values()})))

    def outlined(self, finding: str) -> tuple[Item, ...]:
        """Items with a box or a mask file of the finding."""
        return tuple(
            item
            for item in self.items
            if (item.id, finding) in self._boxes or (item.id, finding) in self._masks
        )

    def mask(self, item: Item, finding: str) -> Mask | None:
        """Boxes and mask file together; all False where the finding is labelled 0."""
        key = (item.id, finding)
        absent = item.labels.get(finding) == 0
        if key not in self._boxes and key not in self._masks and not absent:
            return None
        size = film_size(self.root / item.path, item.where)
        mask = np.zeros(size, bool)
        if key in self._boxes:
            mask |= filled_boxes(self._boxes[key], size, item.where)
        if key in self._masks:
            mask |= mask_file(self.root / self._masks[key], size, item.where)
        label = item.labels.get(finding, math.nan)
        if key in self._masks and label == 1 - mask.any():
            raise SyncxrError(
                f"{item.where}: {finding!r} is labelled {label:g}, but its mask "
                f"{self.root / self._masks[key]} is {'not ' * absent}empty; mend one of them, or "
                "leave the cell of the mask blank"
            )
        return mask

    def _item(self, where: str, row: Mapping[str, str], columns: _Columns) -> Item:
        file = row[columns.file].strip()
        if not file:
            raise SyncxrError(f"{where}: {columns.file!r} is empty; name the film")
        self._exists(file, where)
        labels = columns.labels(row, where, self._findings)
        for finding, box in _boxes(row.get("bbox", ""), where):
            if labels.get(finding) == 0:
                raise SyncxrError(
                    f"{where}: there is a box of {finding!r}, which the row does not label; "
                    "mend one of them"
                )
            self._boxes.setdefault((file, finding), []).append(box)
        for column, target in columns.masks.items():
            if path := row[column].strip():
                self._exists(path, where)
                self._masks[file, target or self._only_target] = path
        return Item(
            id=file,
            path=file,
            patient=row.get("patient", "").strip(),
            labels=labels,
            view=row.get("view", "").strip(),
            where=where,
        )

    @property
    def _only_target(self) -> str:
        """What a column that is only called ``mask`` outlines."""
        return self._findings[0] if len(self._findings) == 1 else "mask"

    def _exists(self, file: str, where: str) -> None:
        if not (self.root / file).is_file():
            raise SyncxrError(f"{where}: {self.root / file} is missing; mend the row or the file")

    def _refuse_twice(self, items: list[Item]) -> None:
        first: dict[str, str] = {}
        for item in items:
            if item.id in first:
                raise SyncxrError(
                    f"{item.where}: {item.id} stands already in {first[item.id]}; "
                    "give every film one row"
                )
            first[item.id] = item.where


class _Columns:
    """Which column of a table means what.

    Attributes:
        file: Column of the film.
        label: Column to finding, empty where the column ``labels`` is used.
        masks: Column to target, ``""`` where the column does not name it.
    """

    def __init__(self, table: Path, names: tuple[str, ...]) -> None:
        files = [name for name in ("file", "image") if name in names]
        self.label = {name: found for name in names if (found := _labelled(name))}
        if not files or not ("labels" in names or self.label):
            raise SyncxrError(
                f"{table} has the columns {', '.join(names) or '(none)'}; "
                "needed: file and labels, or file and a column a finding"
            )
        if "labels" in names and self.label:
            raise SyncxrError(
                f"{table} has 'labels' and columns of findings ({', '.join(self.label)}); "
                "leave one of them out"
            )
        if len(set(self.label.values())) < len(self.label):
            raise SyncxrError(f"{table} has two columns of one finding: {', '.join(self.label)}")
        self.file = files[0]
        self.masks = {
            name: _name(name.partition(":")[2])
            for name in names
            if name == "mask" or name.startswith("mask:")
        }

    def findings(self, rows: list[tuple[str, dict[str, str]]]) -> tuple[str, ...]:
        """Findings of the whole table."""
        if self.label:
            return tuple(self.label.values())
        return tuple(sorted({f for where, row in rows for f in _listed(row["labels"], where)}))

    def labels(
        self, row: Mapping[str, str], where: str, findings: tuple[str, ...]
    ) -> dict[str, float]:
        """Labels of one row."""
        if self.label:
            return {f: label_value(row[name], where, name) for name, f in self.label.items()}
        listed = set(_listed(row["labels"], where))
        return {finding: float(finding in listed) for finding in findings}


def _labelled(column: str) -> str:
    """Finding that a column labels, ``""`` if none."""
    if column.startswith("label:"):
        return _name(column.removeprefix("label:"))
    # "labels", "mask" and the like are no findings; NORMAL is "" and labels nothing by itself.
    return finding_of(column) or ""


def _name(text: str) -> str:
    """A finding by its known name, or as the user calls it."""
    return finding_of(text) or text.strip().lower()


def _listed(text: str, where: str) -> Iterator[str]:
    """Findings of one cell; a normal film has none."""
    for label in filter(None, (part.strip() for part in text.split("|"))):
        finding = finding_of(label)
        if finding is None:
            raise SyncxrError(
                f"{where}: label {label!r} is unknown; use a known one "
                f"({', '.join(known_findings()[:6])}, …, No Finding) or a column 'label:{label}'"
            )
        if finding != NORMAL:
            yield finding


def _boxes(text: str, where: str) -> Iterator[tuple[str, Box]]:
    """Boxes of one cell."""
    for part in filter(None, (part.strip() for part in text.split(";"))):
        label, colon, numbers = part.rpartition(":")
        try:
            x, y, width, height = (float(number) for number in numbers.split(","))
        except ValueError:
            colon = ""
        if not colon or not all(map(math.isfinite, (x, y, width, height))) or not _known(label):
            raise SyncxrError(f"{where}: box {part!r} is not Label:x,y,w,h; mend it")
        yield _name(label), (x, y, width, height)


def _known(label: str) -> bool:
    """Whether a box may carry this label; anatomy and own names are allowed, blanks are not."""
    return bool(label.strip()) and finding_of(label) != NORMAL


def _named_parts(
    rows: list[tuple[str, dict[str, str]]], items: list[Item]
) -> dict[str, tuple[Item, ...]]:
    """Parts as the column ``split`` names them."""
    parts: dict[str, list[Item]] = {"all": [], "train": [], "valid": [], "test": []}
    split_of: dict[str, tuple[str, str]] = {}
    for (where, row), item in zip(rows, items, strict=True):
        cell = row["split"].strip().lower()
        if cell not in _SPLIT_NAMES:
            raise SyncxrError(f"{where}: split {cell!r} is not train, valid or test; mend it")
        split = _SPLIT_NAMES[cell]
        before, there = split_of.setdefault(item.unit, (split, where))
        if before != split:
            raise SyncxrError(
                f"{where}: {item.unit} is in {split!r} but in {before!r} at {there}; "
                "a patient belongs to one split"
            )
        parts["all"].append(item)
        parts[split].append(item)
    return {name: tuple(part) for name, part in parts.items()}
