"""The bodies that were added: checked, cleaned, kept with the fingerprint of their CT."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from syncxr import assets
from syncxr.errors import SyncxrError
from syncxr.images.simulation.anatomies.checks import faults
from syncxr.images.simulation.anatomies.reading import read
from syncxr.images.simulation.preparation.cleaning import CleanCT, clean_any
from syncxr.images.simulation.preparation.raw import RawCT
from syncxr.images.simulation.thorax import SOURCE

_CHEST_MM = (250.0, 245.0)
"""Lungs of the shipped source, width and height: what films are collimated to."""


@dataclass(frozen=True)
class Entry:
    """An added body.

    Attributes:
        name: As called by its owner.
        sha256: Of its turned voxels, labels, spacing and names.
        shape: Voxels to the left, the front and the head.
        spacing: mm, before scaling.
        scale: The body was scaled by this, so that patients' sizes mean the same in all bodies.
        ct: Name of the file it came from.
    """

    name: str
    sha256: str
    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    scale: float
    ct: str

    @property
    def key(self) -> str:
        """Name and beginning of the fingerprint: what options and provenance hold."""
        return f"{self.name}@{self.sha256[:12]}"


def folder() -> Path:
    """Where added bodies are kept."""
    return assets.cache_folder() / "anatomies"


def add(name: str, ct: Path, labels: Path, names: Path | None = None) -> Entry:
    """Check a CT with its label map and add it.

    Args:
        name: To call it by; letters, digits, ``-`` and ``_``.
        ct: NIfTI file or folder with a DICOM series, in Hounsfield units.
        labels: Label map on the same grid.
        names: Table of label numbers, unless they are TotalSegmentator's own.

    Raises:
        SyncxrError: It cannot serve; all reasons in one line.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name) or name == SOURCE:
        raise SyncxrError(f"{name!r}: name a body by letters, digits, - and _, not {SOURCE!r}")
    target = folder() / name
    if target.exists():
        raise SyncxrError(f"anatomy {name!r} is there already; remove it first or choose a name")
    raw = read(ct, labels, names)
    wrong = faults(raw)
    if wrong:
        raise SyncxrError(f"{ct}: {'; '.join(wrong)}")
    scale = _scale(raw)
    entry = Entry(name, _fingerprint(raw), raw.labels.shape, raw.spacing, scale, ct.name)
    _write(target, entry, raw, clean_any(raw))
    return entry


def entries() -> list[Entry]:
    """All added bodies, by name."""
    found = []
    for path in sorted(folder().glob("*/anatomy.json")):
        values = json.loads(path.read_text())
        values["shape"], values["spacing"] = tuple(values["shape"]), tuple(values["spacing"])
        found.append(Entry(**values))
    return found


def remove(name: str) -> None:
    """Forget a body.

    Raises:
        SyncxrError: There is none of this name.
    """
    key = resolve(name)
    shutil.rmtree(_entry(name).parent)
    for derived in (assets.cache_folder() / "simulation").glob(f"*-{key}.*"):
        derived.unlink()


def resolve(name: str) -> str:
    """Name (``"lidc"``, ``"mine"`` or ``"mine@1f2e3d..."``) to key.

    Raises:
        SyncxrError: There is no such body, or it is another one now.
    """
    if name == SOURCE:
        return name
    plain, _, known = name.partition("@")
    _entry(plain)
    key = next(entry.key for entry in entries() if entry.name == plain)
    if known and key != name:
        raise SyncxrError(f"anatomy {plain!r} is {key} now, not {name}; add the earlier CT again")
    return key


def load(key: str) -> tuple[RawCT, CleanCT]:
    """The cleaned CT of an added body."""
    place = _entry(resolve(key).partition("@")[0]).parent
    with np.load(place / "source.npz") as arrays:
        labels, hu = arrays["labels"], arrays["hu"].astype(np.float32)
        body, bones = arrays["body"], arrays["bones"]
        spacing = tuple(float(size) for size in arrays["spacing"])
        ids = json.loads(str(arrays["ids"]))
    raw = RawCT(hu.astype(np.int16), labels, spacing, ids)  # type: ignore[arg-type]
    return raw, CleanCT(hu, labels, body, np.zeros((1, 1, 1), np.float32), bones)


def _entry(name: str) -> Path:
    path = folder() / name / "anatomy.json"
    if not path.exists():
        known = ", ".join([SOURCE, *(entry.name for entry in entries())])
        raise SyncxrError(
            f"there is no anatomy {name!r}, only {known}; add one: syncxr anatomy add"
        )
    return path


def _scale(raw: RawCT) -> float:
    """What makes the chest as large as the shipped one's, in its larger direction."""
    lungs = raw.of("lung_")
    width, height = (
        float(np.ptp(np.flatnonzero(lungs.any(others))) + 1) * raw.spacing[axis]
        for axis, others in ((0, (1, 2)), (2, (0, 1)))
    )
    return 1.0 / max(width / _CHEST_MM[0], height / (_CHEST_MM[1] + 15.0))


def _fingerprint(raw: RawCT) -> str:
    digest = hashlib.sha256(np.ascontiguousarray(raw.hu).tobytes())
    digest.update(np.ascontiguousarray(raw.labels).tobytes())
    named = sorted((number, name) for name, number in raw.ids.items())
    digest.update(json.dumps([raw.labels.shape, raw.spacing, named]).encode())
    return digest.hexdigest()


def _write(target: Path, entry: Entry, raw: RawCT, cleaned: CleanCT) -> None:
    """Whole or not at all."""
    making = target.with_name(f".{target.name}.part")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    np.savez_compressed(
        making / "source.npz",
        hu=np.rint(cleaned.hu).astype(np.int16),
        labels=cleaned.labels,
        body=cleaned.body,
        bones=cleaned.bones,
        spacing=np.array(raw.spacing) * entry.scale,
        ids=np.array(json.dumps(raw.ids)),
    )
    (making / "anatomy.json").write_text(json.dumps(asdict(entry), indent=1))
    making.rename(target)
