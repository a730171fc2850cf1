"""What is there of a download, what is missing, and which file is the first wrong one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from syncxr.errors import SyncxrError
from syncxr.evaluation.splits.shipped import digests
from syncxr.evaluation.testsets.test_set import Info, Item, Part, TestSet, test_set_class
from syncxr.figures import json_values
from syncxr.progress import bar


@dataclass(frozen=True)
class FoundPart:
    """One kind of files: how many, and by which pattern; ``instead`` where there is none."""

    what: str
    pattern: str
    files: int
    instead: str


@dataclass(frozen=True)
class FoundSplit:
    """One split as it opens.

    Attributes:
        split: Its name.
        films: How many.
        units: How many patients, or films where no patient is named.
        by_patient: Whether units are patients.
        positives: Finding to films that are positive.
        left_out: Films left out, each with its reason.
        digest: Sha256 of the ids.
        shipped: Whether that is the shipped digest; None where none is shipped.
        note: How the split came about.
        error: Why it does not open, ``""`` if it does.
    """

    split: str
    films: int = 0
    units: int = 0
    by_patient: bool = False
    positives: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    digest: str = ""
    shipped: bool | None = None
    note: str = ""
    error: str = ""


@dataclass(frozen=True)
class Count:
    """A published count beside the one found; None where it could not be counted."""

    what: str
    published: int
    found: int | None


@dataclass(frozen=True)
class Check:
    """All that is known of a download.

    Attributes:
        name: Of the set.
        title: Of the set.
        path: Folder.
        parts: What lies there.
        splits: What opens.
        counts: Against the published ones.
        leaks: Pairs of splits that share units, with how many.
        opened: Films that were decoded, with their masks.
        first_wrong: First fault of all, one line, ``""`` if none was found.
        wrong: How many films or masks do not open.
    """

    name: str
    title: str
    path: str
    parts: tuple[FoundPart, ...]
    splits: tuple[FoundSplit, ...]
    counts: tuple[Count, ...]
    leaks: Mapping[str, int]
    opened: int
    wrong: int
    first_wrong: str

    @property
    def complete(self) -> bool:
        """Whether every split opens, nothing is wrong, and every count is the published one."""
        same = all(count.found == count.published for count in self.counts)
        return not self.first_wrong and same

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        plain: dict[str, Any] = json_values(asdict(self) | {"complete": self.complete})
        return plain


def check(name: str, path: Path, films: int | None = 50, seed: int = 0) -> Check:
    """Look at a download without changing anything.

    Args:
        name: Name in ``TEST_SETS``.
        path: Where it lies.
        films: Films of each split to decode, evenly over it; None decodes every one.
        seed: Of splits that are drawn here.

    Raises:
        SyncxrError: Unknown name, no such folder, or one that holds nothing of the set.
    """
    chosen = test_set_class(name)
    if not path.exists():
        raise SyncxrError(
            f"{path} does not exist; `syncxr datasets show {name}` says how to get it"
        )
    info = chosen.info
    parts = tuple(_found(part, path) for part in info.parts)
    if name != "folder" or path.is_dir():
        _refuse_another(info, path, parts)
    opened: dict[str, TestSet] = {}
    splits, faults = [], []
    for split in info.splits:
        try:
            opened[split] = chosen(path, split, seed)
            splits.append(_described(opened[split], seed))
        except SyncxrError as error:
            splits.append(FoundSplit(split, error=str(error)))
            faults.append(str(error))
    decoded, wrong = 0, 0
    for fault in _decode(opened, films):
        decoded += 1
        if fault:
            wrong += 1
            faults.append(fault)
    return Check(
        name=name,
        title=info.title,
        path=str(path),
        parts=parts,
        splits=tuple(splits),
        counts=_counts(info, opened),
        leaks=_leaks(opened),
        opened=decoded,
        wrong=wrong,
        first_wrong=faults[0] if faults else "",
    )


def _found(part: Part, path: Path) -> FoundPart:
    folder = path if path.is_dir() else path.parent
    for pattern in part.patterns:
        files = sum(1 for _ in folder.glob(pattern))
        if files:
            return FoundPart(part.what, pattern, files, part.instead)
    return FoundPart(part.what, part.patterns[0], 0, part.instead)


def _refuse_another(info: Info, path: Path, parts: Sequence[FoundPart]) -> None:
    """One line for what is no download of the set, instead of a fault a split.

    Raises:
        SyncxrError: It is a file, or a folder without any part of the set.
    """
    if path.is_file():
        raise SyncxrError(f"{path} is a file; give the folder that {info.name} was unpacked in")
    if any(part.files for part in parts):
        return
    inside = sorted(entry.name + "/" * entry.is_dir() for entry in path.iterdir())
    held = f"{', '.join(inside[:3])}{' …' * (len(inside) > 3)}" if inside else "nothing at all"
    below = [
        folder
        for folder in sorted(path.iterdir())
        if folder.is_dir() and any(_found(part, folder).files for part in info.parts)
    ]
    wanted = ", ".join(f"{part.pattern} ({part.what})" for part in parts if not part.instead)
    remedy = f"`syncxr datasets show {info.name}` says how to get it"
    if below:
        remedy = f"some of it lies in {below[0]}: give that folder"
    raise SyncxrError(
        f"{path} holds nothing of {info.name}; expected in it: {wanted}; found: {held}; {remedy}"
    )


def _described(test_set: TestSet, seed: int) -> FoundSplit:
    shipped = digests()["ids"].get(f"{test_set.info.name}, {test_set.split}, seed {seed}")
    positives = {f: int((test_set.labels(f) == 1).sum()) for f in test_set.findings}
    return FoundSplit(
        split=test_set.split,
        films=len(test_set),
        units=len(set(test_set.units)),
        by_patient=test_set.by_patient,
        positives=positives,
        left_out=dict(test_set.left_out),
        digest=test_set.digest,
        shipped=None if shipped is None else shipped == test_set.digest,
        note=test_set.split_note,
    )


def _counts(info: Info, opened: Mapping[str, TestSet]) -> tuple[Count, ...]:
    found: dict[str, int] = {}
    for test_set in opened.values():
        found |= test_set.counted()
    if {"train", "valid"} <= set(opened):
        pair = opened["train"], opened["valid"]
        found["train and valid films"] = sum(map(len, pair))
        found["train and valid patients"] = len({unit for part in pair for unit in part.units})
    return tuple(Count(what, number, found.get(what)) for what, number in info.counts.items())


def _leaks(opened: Mapping[str, TestSet]) -> dict[str, int]:
    """Units that stand in two of train, valid and test."""
    units = {
        split: set(opened[split].units) for split in ("train", "valid", "test") if split in opened
    }
    pairs = [(a, b) for a in units for b in units if a < b]
    return {f"{a} and {b}": len(units[a] & units[b]) for a, b in pairs}


def _decode(opened: Mapping[str, TestSet], films: int | None) -> Iterator[str]:
    """The fault of each film that is tried, ``""`` if it has none; no film is tried twice."""
    chosen: dict[str, tuple[TestSet, Item]] = {}
    for test_set in opened.values():
        step = 1 if not films else max(1, len(test_set) // films)
        for item in test_set.items[::step][:films]:
            chosen.setdefault(item.id, (test_set, item))
    if not chosen:
        return
    with bar("opening films", len(chosen)) as progress:
        for test_set, item in chosen.values():
            try:
                test_set.film(item)
                for target in test_set.targets:
                    test_set.mask(item, target)
                yield ""
            except SyncxrError as error:
                yield str(error)
            progress.advance(1)
