"""CheXpert: the official test and validation films, and the 5×200 of GLoRIA."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from syncxr.errors import SyncxrError
from syncxr.evaluation.findings import finding_of
from syncxr.evaluation.testsets.layout import needed_file
from syncxr.evaluation.testsets.tables import label_value, read_columns, read_rows
from syncxr.evaluation.testsets.test_set import Info, Item, Part, TestSet
from syncxr.evaluation.testsets.xrv import label_dataset

LABELS = ("Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Pleural Effusion")
"""The five of the competition, in the order of the table."""

EACH = 200

FINDINGS = tuple(finding_of(label) or label.lower() for label in LABELS)

_UNCERTAIN = -1.0

_FILM = re.compile(r"patient\d+/study\d+(/.+)?$")

_TEST = ("test_labels.csv", "groundtruth/test_labels.csv", "groundtruth.csv")
_VALID = ("val_labels.csv", "valid.csv", "groundtruth/val_labels.csv")
_BASES = ("CheXpert", "CheXpert-v1.0", "CheXpert-v1.0-small", "CheXpert-v1.0 *")
_FOLDERS = {"test": ("test",), "valid": ("valid", "val"), "train": ("train", "")}


def _under(*names: str) -> tuple[str, ...]:
    """Names in the folder given and in those that packages unpack to."""
    return tuple(f"{base}{name}" for base in ("", *(f"{b}/" for b in _BASES)) for name in names)


class Chexpert(TestSet):
    """500 test films of 500 patients, labelled by eight radiologists; 200 validation films.

    Labels and views come from torchxrayvision's ``CheXlocalize_Dataset``, asked for every view and
    every film, without masks. Its class ``CheX_Dataset`` is not used: it finds the patient by
    looking for "train" or "valid" in the path of the table, wherever that lies, and has no test
    set. One film a study is scored, its first frontal one: the 500 of published numbers; its other
    frontal films are left out by name. A table by study (``groundtruth.csv`` of
    rajpurkarlab/cheXpert-test-set-labels) is read here, for torchxrayvision wants one by film.
    """

    info = Info(
        name="chexpert",
        title="CheXpert",
        source="Stanford AIMI: CheXpert-v1.0, and CheXlocalize for the test films",
        citation="Irvin J, et al. AAAI 2019. arXiv:1901.07031; Saporta A, et al. 2022 (test films)",
        licence="Stanford research use agreement: non-commercial, do not pass on",
        how_to_get="Register at Stanford AIMI and fetch CheXlocalize (its folder CheXpert).",
        parts=(
            Part("test films", _under(*(f"{f}/*/*/view*_frontal.jpg" for f in _FOLDERS["test"]))),
            Part("test table", _under(*_TEST)),
            Part("valid films", _under(*(f"{f}/*/*/view*_frontal.jpg" for f in _FOLDERS["valid"]))),
            Part("valid table", _under(*_VALID)),
        ),
        counts={
            "frontal test films": 518,
            "test patients": 500,
            "frontal valid films": 202,
            "valid patients": 200,
        },
        findings=FINDINGS,
        tasks=("zero-shot",),
        splits=("test", "valid"),
        notes=(
            "One film a study, its first frontal one, as the field scores it: 500 of the 668 test "
            "films, 200 of the 234 validation films.",
        ),
    )

    def __init__(self, root: Path, split: str = "test", seed: int = 0) -> None:
        """Read the table of a split; see :class:`TestSet`."""
        super().__init__(root, split, seed)
        self.split_note = "official"
        names = _TEST if split == "test" else _VALID
        table = needed_file(root, _anywhere(root, names))
        columns = read_columns(table, LABELS)
        if "Path" in columns:
            rows = [row for row in _rows(root, table) if row.view != "L"]
        elif "Study" in columns:
            rows = list(_studies(root, table, split))
        else:
            raise SyncxrError(f"{table} has neither a column Path nor Study; fetch it again")
        places = _Places(root, split)
        first: dict[str, _Row] = {}
        for row in sorted(rows, key=lambda row: row.film):
            first.setdefault(row.study, row)
        chosen = [row for row in rows if first[row.study] is row]
        self._take([row.item(split, places) for row in chosen], places.found)
        others = [row.item(split, places).id for row in rows if first[row.study] is not row]
        self.left_out = dict.fromkeys(others, "not the first frontal film of its study")

    def counted(self) -> dict[str, int]:
        """What ``check`` compares with the published counts: frontal films and patients."""
        films = len(self) + len(self.left_out)
        return {f"frontal {self.split} films": films, f"{self.split} patients": len({*self.units})}


class Chexpert5x200(TestSet):
    """200 frontal training films of each of the five, positive for it alone (GLoRIA).

    The others must be labelled 0 or not at all; uncertain ones do not count. Among the films that
    fit, those with the least ``sha256(seed, path)`` are taken, so the choice depends neither on the
    order of the table nor on a library. GLoRIA's own thousand were never published.
    """

    info = Info(
        name="chexpert-5x200",
        title="CheXpert 5×200",
        source="Stanford AIMI: CheXpert-v1.0, training part",
        citation="Huang S-C, et al. GLoRIA. ICCV 2021; Irvin J, et al. AAAI 2019. arXiv:1901.07031",
        licence="Stanford research use agreement: non-commercial, do not pass on",
        how_to_get="Register at Stanford AIMI and fetch CheXpert-v1.0 or CheXpert-v1.0-small.",
        parts=(
            Part(
                "training films", _under("train/*/*/view*_frontal.jpg", "patient*/*/*_frontal.jpg")
            ),
            Part("training table", _under("train.csv")),
        ),
        counts={"test films": EACH * len(LABELS)},
        findings=FINDINGS,
        tasks=("zero-shot",),
        notes=(
            "Drawn here from the training part; no two drawings agree. A model trained on CheXpert "
            "must leave these patients out; `syncxr datasets patients` names them.",
        ),
    )

    def __init__(self, root: Path, split: str = "test", seed: int = 0) -> None:
        """Draw from the training table; see :class:`TestSet`."""
        super().__init__(root, split, seed)
        table = needed_file(root, _anywhere(root, ("train.csv",)))
        read_columns(table, ("Path", "Frontal/Lateral", "AP/PA", *LABELS))
        fitting: dict[str, list[_Row]] = {finding: [] for finding in FINDINGS}
        for row in _rows(root, table):
            alone = [f for f, value in row.values.items() if value == 1]
            unclear = any(value == _UNCERTAIN for value in row.values.values())
            if row.view != "L" and len(alone) == 1 and not unclear:
                fitting[alone[0]].append(row)
        places = _Places(root, "train")
        chosen: list[Item] = []
        for finding, rows in fitting.items():
            if len(rows) < EACH:
                raise SyncxrError(
                    f"{table} has {len(rows)} frontal films positive for {finding} alone; "
                    f"{EACH} are needed: give the whole training table"
                )
            drawn = sorted(rows, key=lambda row: _order(seed, row.film))[:EACH]
            chosen += [_settled(row).item("train", places) for row in drawn]
        self.split_note = f"drawn from the training films, seed {seed}"
        self._take(chosen, places.found)

    @property
    def patients(self) -> frozenset[str]:
        """Who must leave a training set."""
        return frozenset(item.patient for item in self.items)


@dataclass(frozen=True)
class _Row:
    """A row of a table: ``film`` is ``patientN/studyN/viewN_frontal.jpg``."""

    film: str
    view: str
    values: dict[str, float]
    where: str

    @property
    def study(self) -> str:
        """``patientN/studyN``."""
        return self.film.rpartition("/")[0]

    def item(self, split: str, places: _Places) -> Item:
        """As an item; uncertain is unlabelled."""
        labels = {f: math.nan if v == _UNCERTAIN else v for f, v in self.values.items()}
        patient = self.film.split("/")[0].removeprefix("patient")
        path = places.of(self.film)
        return Item(f"{split}/{self.film}", path, patient, labels, self.view, self.where)


class _Places:
    """Where films lie, whichever of the published packages they came in.

    Attributes:
        found: Film to path relative to the root.
    """

    def __init__(self, root: Path, split: str) -> None:
        bases = [root, *(base for name in _BASES for base in sorted(root.glob(name)))]
        self._root = root
        self._folders = [base / name for base in bases for name in _FOLDERS[split]]
        self.found: dict[str, str] = {}

    def of(self, film: str) -> str:
        """Path of a film, or where it should be."""
        for place, folder in enumerate(self._folders):
            if (folder / film).is_file():
                # The next film most likely lies there too.
                self._folders.insert(0, self._folders.pop(place))
                self.found[film] = (folder / film).relative_to(self._root).as_posix()
                return self.found[film]
        return film

    def frontal(self, study: str) -> list[str]:
        """The frontal films of a study, or the one that should be there."""
        for folder in self._folders:
            if films := sorted((folder / study).glob("view*_frontal.jpg")):
                return [f"{study}/{film.name}" for film in films]
        return [f"{study}/view1_frontal.jpg"]


def _rows(root: Path, table: Path) -> Iterator[_Row]:
    """Rows of a table by film, as torchxrayvision reads it."""
    labels = label_dataset(
        "CheXlocalize_Dataset",
        table,
        imgpath=str(root),
        csvpath=str(table),
        unique_patients=False,
        pathology_masks=False,
    )
    csv = labels.csv
    columns = zip(*(csv[label] for label in LABELS), strict=True)
    rows = zip(csv["Path"], csv["view"], columns, strict=True)
    for number, (path, view, values) in enumerate(rows, start=2):
        where = f"{table}, row {number}"
        yield _Row(_film(str(path), where), str(view), _checked(values, where), where)


def _studies(root: Path, table: Path, split: str) -> Iterator[_Row]:
    """Rows of a table by study."""
    places = _Places(root, split)
    for where, row in read_rows(table, ("Study", *LABELS)):
        study = _film(row["Study"], where)
        values = [label_value(row[label], where, label, {"-1": _UNCERTAIN}) for label in LABELS]
        for film in places.frontal(study):
            yield _Row(film, "", _checked(values, where), where)


def _film(path: str, where: str) -> str:
    """The part of a path that every package shares."""
    found = _FILM.search(path)
    if found is None:
        raise SyncxrError(f"{where}: {path!r} names no patient; fetch the table again")
    return found.group()


def _checked(values: Sequence[float], where: str) -> dict[str, float]:
    for label, value in zip(LABELS, values, strict=True):
        if not (math.isnan(value) or value in (0, 1, _UNCERTAIN)):
            raise SyncxrError(
                f"{where}: {label!r} is {value:g}; a label is 1, 0, -1 (uncertain) or blank"
            )
    return dict(zip(FINDINGS, map(float, values), strict=True))


def _settled(row: _Row) -> _Row:
    """Of a film that is positive for one finding alone, the others are negative."""
    return replace(row, values={f: float(value == 1) for f, value in row.values.items()})


def _anywhere(root: Path, names: Sequence[str]) -> list[str]:
    """Names in the root and in the folders that packages unpack to."""
    bases = ["", *(f"{b.name}/" for pattern in _BASES for b in sorted(root.glob(pattern)))]
    return [f"{base}{name}" for base in bases for name in names]


def _order(seed: int, film: str) -> str:
    return hashlib.sha256(f"{seed}\0{film}".encode()).hexdigest()
