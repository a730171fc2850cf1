"""What a test set is: items with labels, films, masks; and how one is opened and checked."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from syncxr.corpora.films import read_film
from syncxr.errors import SyncxrError
from syncxr.evaluation.testsets import TEST_SETS
from syncxr.evaluation.testsets.layout import require_films
from syncxr.figures import json_values
from syncxr.sample import Image, Mask

Task = Literal["zero-shot", "grounding", "classification", "segmentation"]
"""What a set is scored on: zero-shot classification and grounding, and the two fine-tuned tasks."""


@dataclass(frozen=True, slots=True)
class Item:
    """One film of a set.

    Attributes:
        id: Unique in the set; what split files and digests name.
        path: Of the film, relative to the set's root, with ``/``.
        patient: Patient, ``""`` where the set names none.
        labels: Finding to 1, 0 or NaN (unlabelled or uncertain), for every finding of the set.
        view: Projection as the set writes it, ``""`` where it does not.
        where: The table and row it stands in ("labels.csv, row 7"), for messages.
    """

    id: str
    path: str
    patient: str
    labels: Mapping[str, float]
    view: str = ""
    where: str = ""

    @property
    def unit(self) -> str:
        """What is resampled: the patient, or the film where no patient is named."""
        return f"patient {self.patient}" if self.patient else self.id


@dataclass(frozen=True)
class Part:
    """Files that a download is expected to have.

    Attributes:
        what: What they are.
        patterns: Where they lie below the folder; the first that is there counts.
        instead: What happens without them, ``""`` where nothing works without.
    """

    what: str
    patterns: tuple[str, ...]
    instead: str = ""


@dataclass(frozen=True)
class Info:
    """What a user needs to know of a set before having it.

    Attributes:
        name: As ``syncxr datasets`` and suites call it.
        title: As tables print it.
        source: Who published it, where.
        citation: Paper to cite.
        licence: Terms of use, in short.
        how_to_get: What to do to have it.
        parts: The expected files, as the download unpacks.
        counts: Published counts by what they count, e.g. ``{"test images": 25596}``; ``check``
            compares them.
        findings: Findings that are scored, in order, by the names of the prompt files; ``()``
            where the files themselves decide.
        tasks: What it can be scored on.
        splits: Names that ``open_test_set`` takes for ``split``; the first is what zero-shot
            tasks are scored on. Sets with fine-tuned tasks have ``train``, ``valid`` and ``test``.
        known_broken: File to what is wrong with it; such files are left out by name.
        notes: What a reader of its numbers must know, and what could not be verified.
    """

    name: str
    title: str
    source: str
    citation: str
    licence: str
    how_to_get: str
    parts: tuple[Part, ...]
    counts: Mapping[str, int]
    findings: tuple[str, ...]
    tasks: tuple[Task, ...]
    splits: tuple[str, ...] = ("test",)
    known_broken: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        plain: dict[str, Any] = json_values(asdict(self))
        return plain


class TestSet:
    """One named split of a set; subclasses read one layout each.

    A set is opened by :func:`open_test_set`. Nothing is decoded before :meth:`film` or
    :meth:`mask` asks for it; items keep their order in the source's table.

    Attributes:
        info: What the set is.
        root: Folder that :attr:`Item.path` is relative to.
        split: Name of the split, with fraction and seed where it is a part of one.
        items: Its films.
        left_out: Id to reason, for each film of the split that is not among the items.
        split_note: How the split came about, printed beside its numbers.
    """

    info: ClassVar[Info]
    __test__ = False  # pytest takes classes called Test… for tests

    root: Path
    split: str
    items: tuple[Item, ...]
    left_out: Mapping[str, str]
    split_note: str

    def __init__(self, root: Path, split: str, seed: int = 0) -> None:
        """Read the tables of a split.

        Args:
            root: Folder of the download.
            split: One of ``info.splits``.
            seed: Of splits that are drawn here; official ones ignore it.

        Raises:
            SyncxrError: A table or a file is missing or wrong; names file, row and remedy.
        """
        self.root, self.split, self.left_out, self.split_note = root, split, {}, ""
        self.items = ()

    def __len__(self) -> int:
        """Number of films."""
        return len(self.items)

    @property
    def findings(self) -> tuple[str, ...]:
        """Findings that are scored, in order."""
        return self.info.findings

    @property
    def name(self) -> str:
        """What tables call it."""
        return self.info.title

    @property
    def targets(self) -> tuple[str, ...]:
        """What is outlined in this set and can be pointed at or segmented."""
        return ()

    @property
    def outlines_from(self) -> tuple[Path, ...]:
        """Files and folders that say where findings lie: masks are read anew when one changes."""
        return (self.root,)

    @cached_property
    def by_patient(self) -> bool:
        """Whether every film names its patient."""
        return bool(self.items) and all(item.patient for item in self.items)

    @property
    def units(self) -> list[str]:
        """What is resampled, one a film: patients where all are known, else films."""
        return [item.unit if self.by_patient else item.id for item in self.items]

    @cached_property
    def digest(self) -> str:
        """Sha256 of the sorted ids, one a line: which films a number was measured on."""
        return ids_digest(item.id for item in self.items)

    def film(self, item: Item) -> Image:
        """The film as 8-bit grey, bone bright, (H, W) in the size of its file.

        Raises:
            SyncxrError: It does not open; names file, row and remedy.
        """
        return read_film(self.root / item.path, item.where)

    def mask(self, item: Item, finding: str) -> Mask | None:
        """Where a finding lies, (H, W) bool of the film's size; boxes are filled.

        Returns:
            All False where the finding is known to be absent, None where nobody drew.

        Raises:
            SyncxrError: The mask does not open or is of another size than the film.
        """
        return None

    def outlined(self, finding: str) -> tuple[Item, ...]:
        """Items of which somebody drew a finding, known without opening films."""
        return ()

    def counted(self) -> dict[str, int]:
        """What of :attr:`Info.counts` this split knows of itself; ``check`` compares."""
        patients = {f"{self.split} patients": len(set(self.units))} if self.by_patient else {}
        return {f"{self.split} films": len(self) + len(self.left_out), **patients}

    def _take(self, items: Sequence[Item], files: Mapping[str, str]) -> None:
        """Make items the films of this split: known broken ones are left out by name.

        Raises:
            SyncxrError: Another film is missing from ``files``.
        """
        broken = self.info.known_broken
        self.left_out = {item.id: broken[item.id] for item in items if item.id in broken}
        self.items = tuple(item for item in items if item.id not in broken)
        require_films(self.items, files, self.root, self.info.name)

    def labels(self, finding: str) -> NDArray[np.float64]:
        """(N,) of 1, 0 or NaN.

        Raises:
            KeyError: The set does not label this finding.
        """
        return np.array([item.labels[finding] for item in self.items], np.float64)

    def subset(self, items: Sequence[Item], split: str) -> Self:
        """The same set with some of its items, under another name."""
        part = copy.copy(self)
        for cached in ("by_patient", "digest"):
            part.__dict__.pop(cached, None)
        part.items, part.split = tuple(items), split
        return part


def ids_digest(ids: Any) -> str:
    """Sha256 of ids, sorted, one a line, with a line end after each."""
    text = "".join(f"{id}\n" for id in sorted(ids))
    return hashlib.sha256(text.encode()).hexdigest()


def test_set_class(name: str) -> type[TestSet]:
    """The class of a set.

    Raises:
        SyncxrError: Unknown name, or a package that is not installed.
    """
    if name not in TEST_SETS:
        known = ", ".join(sorted(TEST_SETS))
        raise SyncxrError(f"test set {name!r} is unknown; known: {known}, or a folder of films")
    module, _, attribute = TEST_SETS[name].partition(":")
    found: type[TestSet] = getattr(import_module(module), attribute)
    return found


def test_sets() -> list[Info]:
    """Every set, in the order of ``TEST_SETS``."""
    return [test_set_class(name).info for name in TEST_SETS]


def open_test_set(
    name: str, path: str | Path | None = None, split: str | None = None, seed: int = 0
) -> TestSet:
    """Open one split of a set.

    Args:
        name: Name in ``TEST_SETS``; or a folder with ``labels.csv``, then without ``path``.
        path: Where the download lies; for ``folder`` its labels may also be named, as a CSV.
        split: One of the set's ``info.splits``; its first one by default.
        seed: Of splits that are drawn here; official ones ignore it.

    Raises:
        SyncxrError: Unknown name or split; a file is missing or wrong.
    """
    if path is None:
        if name in TEST_SETS or not Path(name).is_dir():
            raise SyncxrError(
                f"{name!r} is not a folder; give a folder of films or NAME=FOLDER, "
                f"NAME one of {', '.join(sorted(TEST_SETS))}"
            )
        name, path = "folder", name
    chosen = test_set_class(name)
    split = split or chosen.info.splits[0]
    if split not in chosen.info.splits:
        known = ", ".join(chosen.info.splits)
        raise SyncxrError(f"test set {name!r} has no split {split!r}; it has: {known}")
    root = Path(path)
    if not root.exists():
        raise SyncxrError(f"{root} does not exist; `syncxr datasets` says how to get {name}")
    return chosen(root, split, seed)
